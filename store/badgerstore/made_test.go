package badgerstore_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"

	"github.com/kivisdb/kivis/internal/benchtest"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
)

// flushes is a store before and after its memtable became a table.
type flushes struct {
	before   string // as a kill leaves it: three tables, and a log
	after    string // four tables
	again    string // four tables, and the log, as a kill leaves it in between
	twice    string // five tables, the last of which are the same, and the log
	compact  []byte // a table of which all is in a listed one
	memtable []byte // the table of the log
}

func makeFlushes(t *testing.T) (f flushes) {
	t.Helper()
	clone := func(from string) string {
		dir := t.TempDir()
		check(t, os.CopyFS(dir, os.DirFS(from)))
		return dir
	}
	read := func(path string) []byte {
		data, err := os.ReadFile(path)
		check(t, err)
		return data
	}
	f.before = threeTables(t)
	logs, err := filepath.Glob(filepath.Join(f.before, "*.mem"))
	check(t, err)
	f.after = clone(f.before)
	check(t, open(t, f.after, noTidy).Close())
	paths := tables(t, f.after)
	f.compact, f.memtable = read(paths[0]), read(paths[len(paths)-1])
	f.again = withFile(t, f.after, filepath.Base(logs[0]), read(logs[0]))
	twice := clone(f.again)
	check(t, open(t, twice, noTidy).Close())
	f.twice = withFile(t, twice, filepath.Base(logs[0]), read(logs[0]))
	return f
}

// A table that the MANIFEST does not list is told from one of a flush.
func TestProducts(t *testing.T) {
	f := makeFlushes(t)
	half := slices.Concat(f.compact[:len(f.compact)/2], make([]byte, len(f.compact)-len(f.compact)/2))
	for _, test := range []struct {
		name   string
		dir    string
		tables [][]byte
		want   int
		err    error
	}{
		{"none", f.after, nil, 0, nil},
		{"one", f.after, [][]byte{f.compact}, 1, nil},
		{"two", f.after, [][]byte{f.compact, f.compact}, 2, nil},
		{"half of one", f.after, [][]byte{half}, 0, nil},
		{"an empty file", f.after, [][]byte{{}}, 0, nil},
		{"zeros", f.after, [][]byte{make([]byte, len(f.compact))}, 0, nil},
		{"one beside half", f.after, [][]byte{half, f.compact}, 1, nil},
		{"a flush's", f.before, [][]byte{f.memtable}, 0, nil},
		{"one beside a flush's", f.before, [][]byte{f.memtable, f.compact}, 1, nil},
		{"of what was in a memtable", f.after, [][]byte{f.memtable}, 1, nil},
		{"a second flush's, perhaps", f.again, [][]byte{f.memtable}, 0, badgerstore.ErrUndecided},
		{"one beside that", f.again, [][]byte{f.compact}, 1, nil},
		{"after a second flush", f.twice, [][]byte{f.memtable}, 1, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			check(t, os.CopyFS(dir, os.DirFS(test.dir)))
			for i, data := range test.tables {
				check(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%06d.sst", 77+i)), data, 0o600))
			}
			if n, err := badgerstore.Products(dir, 70); n != test.want || !errors.Is(err, test.err) {
				t.Errorf("Products = %d, %v, want %d, %v", n, err, test.want, test.err)
			}
		})
	}
	if n, err := badgerstore.Products(f.before, 0); n != 0 || err != nil {
		t.Errorf("Products = %d, %v where all tables are listed, want 0", n, err)
	}
}

// A compaction ends when its tables are there, however late, and never if one is
// missing, whatever else is there.
func TestWaitMade(t *testing.T) {
	f := makeFlushes(t)
	for _, test := range []struct {
		name      string
		there     []byte // from the beginning
		late      []byte // comes after some looks, or never
		looks     int    // after which nobody is at work
		tables    int
		wantsMade bool
	}{
		{"there", f.compact, nil, 0, 1, true},
		{"slow", nil, f.compact, 5, 1, true},
		{"one of two slow", f.compact, f.compact, 5, 2, true},
		{"one of two missing", f.compact, nil, 2, 2, false},
		{"missing", nil, nil, 2, 1, false},
		{"missing beside a flush", f.memtable, nil, 2, 1, false},
		{"missing, and then a flush", nil, f.memtable, 2, 1, false},
		{"one missing beside a flush", f.compact, f.memtable, 2, 2, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			check(t, os.CopyFS(dir, os.DirFS(f.before)))
			put := func(id int, data []byte) error {
				if data == nil {
					return nil
				}
				return os.WriteFile(filepath.Join(dir, fmt.Sprintf("%06d.sst", id)), data, 0o600)
			}
			check(t, put(77, test.there))
			looks := 0
			g, err := badgerstore.NewGate(dir, 70, test.tables, func() bool {
				if looks++; looks == test.looks {
					if err := put(78, test.late); err != nil {
						t.Error(err)
					}
				}
				return looks < test.looks
			})
			check(t, err)
			if made := g.WaitMade(); made != test.wantsMade {
				t.Errorf("the compaction ends: %t, want %t", made, test.wantsMade)
			}
		})
	}
}

// A store whose compaction cannot make its tables takes no commits any more, and
// has all that it had when it is opened again.
func TestUnmadeTables(t *testing.T) {
	dir := t.TempDir()
	opts := &badgerstore.Options{Memory: 16 << 20, NoSync: true, NoTidy: true}
	s := open(t, dir, opts)
	badgerstore.CompactFree(s, 0)
	acked := 0
	commit := func() error {
		err := update(s, func(tx store.Tx) error { return tx.Set(benchtest.Key(acked), bigValue(uint64(acked), 20_000)) })
		if err == nil {
			acked++
		}
		return err
	}
	for range 500 { // some tables, not so many that commits wait
		if err := commit(); err != nil && !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	}
	within(t, limit, "a compaction to wait", func() bool { return errors.Is(commit(), syscall.ENOSPC) })
	if !badgerstore.Compacting(s) {
		t.Error("a compaction that waits for space is not taken to be at work")
	}
	unblock := blockTables(t, dir)
	badgerstore.CompactFree(s, 1<<40)
	within(t, limit, "commits to fail", func() bool { return errors.Is(commit(), store.ErrCommitUnknown) })
	if badgerstore.Compacting(s) {
		t.Error("a compaction that never ends is taken to be at work")
	}
	if err := closeWithin(t, s); err == nil {
		t.Error("Close has no error, though a compaction has not ended")
	}
	unblock()
	s = open(t, dir, nil)
	if n := countAll(t, s); n < acked || n > acked+1 {
		t.Errorf("%d records, want the %d that were acknowledged", n, acked)
	}
	check(t, s.Verify(ctx))
}

// A MANIFEST that is not what the engine believes is not written on.
func TestUnlistedCompaction(t *testing.T) {
	for _, test := range []struct {
		err  string
		goes bool
	}{
		{"while running compactions for: {} err: While opening directory: /d. err: too many open files", true},
		{"there is a non-empty level 3 above base level 4", true},
		{"open /d/MANIFEST-REWRITE: too many open files", false},
		{"write /d/MANIFEST: no space left on device", false},
		{"While opening directory: /d. err: too many open files", false},
	} {
		s := open(t, t.TempDir(), noTidy)
		badgerstore.CompactionFailed(s, errors.New(test.err))
		if err := update(s, setOld); (err == nil) != test.goes || err != nil && !errors.Is(err, store.ErrCommitUnknown) {
			t.Errorf("a commit after %q: %v", test.err, err)
		}
	}
}

// A goroutine that is to make a table, and has not come to run yet, is at work.
func TestNotBegun(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if badgerstore.AtWork(func() {}) {
		t.Error("nobody is taken to be at work")
	}
	var ended sync.WaitGroup
	defer ended.Wait()
	if !badgerstore.AtWork(func() {
		for i := range 1000 {
			ended.Add(1)
			go func(int) { ended.Done() }(i) // with an argument, as Badger starts them
		}
	}) {
		t.Error("those who have not begun are not taken to be at work")
	}
}
