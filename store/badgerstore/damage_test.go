package badgerstore_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/dgraph-io/badger/v4"

	"github.com/kivisdb/kivis/internal/benchtest"
	"github.com/kivisdb/kivis/internal/testform"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
)

// Wherever a table is damaged, no row is missing without an error: not at a
// get, in a scan, in a count, and the store's own verification finds it.
func TestDamagedTable(t *testing.T) {
	const n = 30_000
	t.Run("level 0", func(t *testing.T) {
		// Such tables are about to be compacted, so Open checks them.
		dir := t.TempDir()
		fill(t, dir, n)
		_, compacted := os.Stat(filepath.Join(dir, "000001.sst")) // already, on a slow machine
		if opened := damageTables(t, dir, n); opened > 0 && compacted == nil {
			t.Errorf("Open succeeds in %d cases", opened)
		}
	})
	t.Run("last level", func(t *testing.T) {
		dir := t.TempDir()
		fill(t, dir, n)
		s := open(t, dir, nil)
		within(t, limit, "level 0 to be compacted", func() bool { return badgerstore.Levels(s)[0] < 2 })
		check(t, s.Close())
		if opened := damageTables(t, dir, n); opened == 0 {
			t.Error("Open succeeds in no case")
		}
	})
}

// damageTables damages each table of a copy in some places, one at a time, and
// returns in how many cases the store opens.
func damageTables(t *testing.T, sound string, n int) (opened int) {
	t.Helper()
	sizes := make(map[string]int64)
	for _, path := range tables(t, sound) {
		info, err := os.Stat(path)
		check(t, err)
		sizes[filepath.Base(path)] = info.Size()
	}
	seed := rand.Uint64()
	t.Logf("seed %d, tables %v", seed, sizes)
	r := rand.New(rand.NewPCG(seed, 0))
	cases := 0
	for name, size := range sizes {
		offs := []int{0, 5, int(size / 2), -1, -5, -8, -20, -2000}
		for range testform.Of(2, 4, 20) {
			offs = append(offs, r.IntN(int(size)))
		}
		for _, off := range offs {
			dir := t.TempDir()
			check(t, os.CopyFS(dir, os.DirFS(sound)))
			flip(t, filepath.Join(dir, name), off)
			cases++
			if damaged(t, dir, n) {
				opened++
			}
			if t.Failed() {
				t.Fatalf("byte %d of %s, which has %d", off, name, size)
			}
		}
	}
	t.Logf("%d of %d open", opened, cases)
	return opened
}

// damaged checks that reads of a damaged store are right or errors, and says
// whether it opens.
func damaged(t *testing.T, dir string, n int) (opens bool) {
	t.Helper()
	isDamage := func(call string, err error) {
		t.Helper()
		if !errors.Is(err, store.ErrCorrupt) || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s = %v, want ErrCorrupt and the file", call, err)
		}
	}
	s, err := badgerstore.Open(dir, &badgerstore.Options{NoTidy: true})
	if err != nil {
		isDamage("Open", err)
		return false
	}
	defer s.Close()
	bad, readable := 0, 0
	check(t, view(s, func(tx store.Tx) error {
		for i := 0; i < n; i += 97 {
			value, err := tx.Get(benchtest.Key(i))
			switch {
			case err == nil && !bytes.Equal(value, benchtest.Value(i)):
				t.Errorf("Get(%d) = %x", i, value)
			case err == nil:
				readable++
			default:
				bad++
				isDamage("Get", err)
			}
		}
		_, err := store.Count(tx, store.Range{})
		isDamage("Count", err)
		return nil
	}))
	for _, reverse := range []bool{false, true} {
		isDamage("Scan", scanAll(t, s, n, reverse))
	}
	isDamage("Verify", s.Verify(ctx))
	isDamage("Commit", update(s, func(tx store.Tx) error { return tx.Set(benchtest.Key(0), nil) }))
	return true
}

// scanAll returns the error at which a scan ends, having checked that it has
// left out nothing up to there.
func scanAll(t *testing.T, s store.Store, n int, reverse bool) error {
	t.Helper()
	return view(s, func(tx store.Tx) error {
		c, err := tx.Scan(store.Range{Reverse: reverse})
		check(t, err)
		defer c.Close()
		i := 0
		for ; c.Next(); i++ {
			want := i
			if reverse {
				want = n - 1 - i
			}
			if !bytes.Equal(c.Key(), benchtest.Key(want)) || !bytes.Equal(c.Value(), benchtest.Value(want)) {
				t.Errorf("reverse %t: entry %d is %x", reverse, want, c.Key())
				return c.Err()
			}
		}
		if c.Err() == nil && i != n {
			t.Errorf("reverse %t: %d entries of %d, and no error", reverse, i, n)
		}
		return c.Err()
	})
}

func TestVerify(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir, 30_000)
	s := open(t, dir, nil)
	check(t, s.Verify(ctx))
	done, cancel := cancelled()
	defer cancel()
	if err := s.Verify(done); !errors.Is(err, done.Err()) {
		t.Errorf("Verify = %v, want the context's error", err)
	}
	within(t, limit, "level 0 to be compacted", func() bool { return badgerstore.Levels(s)[0] < 2 })
	paths := tables(t, dir)
	path := paths[len(paths)-1] // the newest is there to stay
	flip(t, path, 3000)         // while the store is open
	if err := s.Verify(ctx); !errors.Is(err, store.ErrCorrupt) || !strings.Contains(err.Error(), path) {
		t.Errorf("Verify = %v, want ErrCorrupt and %s", err, path)
	}
	check(t, s.Close())
	if err := s.Verify(ctx); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Verify = %v, want ErrClosed", err)
	}
}

// Whatever byte of whatever file is damaged, or wherever it is cut, the store is
// refused, or a read fails, or everything is there. Badger by itself ends the
// process on some damage, so another one tries.
func TestDamagedFile(t *testing.T) {
	const records = 3000
	closed := t.TempDir()
	fill(t, closed, records)
	left := killed(t, records)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	n := testform.Of(16, 40, 400)
	var dirs []any
	var faults []string
	for i := range n {
		dir := t.TempDir()
		from := []string{closed, left}[i/2%2]
		check(t, os.CopyFS(dir, os.DirFS(from)))
		files, err := os.ReadDir(dir)
		check(t, err)
		name := files[r.IntN(len(files))].Name()
		path := filepath.Join(dir, name)
		data, err := os.ReadFile(path)
		check(t, err)
		size := min(len(data), 1<<20) // what is used of a log
		switch off := r.IntN(max(1, size)); {
		case size == 0:
		case r.IntN(3) == 0 && !strings.HasSuffix(name, ".mem"): // which would look like a kill
			check(t, os.Truncate(path, int64(off)))
			name += fmt.Sprintf(" cut at %d", off)
		default:
			flip(t, path, off)
			name += fmt.Sprintf(" with another byte %d", off)
		}
		dirs = append(dirs, dir)
		faults = append(faults, name)
	}
	c := start(t, "read", "-", dirs...)
	bad := 0
	for _, fault := range faults {
		line := c.wait(t)
		switch {
		case line == fmt.Sprintf("scan %d <nil>", records), line == fmt.Sprintf("scan %d <nil>", records+1):
		case strings.Contains(line, store.ErrCorrupt.Error()), strings.Contains(line, badgerstore.ErrForeign.Error()):
			bad++
		default:
			t.Errorf("%s: %s", fault, line)
		}
	}
	t.Logf("%d of %d found out", bad, n)
}

// copyLive copies the files of an open store: what a kill would leave. A memtable may be
// flushed meanwhile, or tables compacted, so it does so again until nothing has changed.
func copyLive(t *testing.T, dir string) string {
	t.Helper()
	for {
		to, before := t.TempDir(), liveFiles(t, dir)
		err := os.CopyFS(to, os.DirFS(dir))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		check(t, err)
		if liveFiles(t, dir) == before && liveFiles(t, to) == before {
			return to
		}
	}
}

// liveFiles returns the sizes of all files of a store, and its list of tables.
func liveFiles(t *testing.T, dir string) string {
	t.Helper()
	manifest, err := os.ReadFile(filepath.Join(dir, "MANIFEST"))
	check(t, err)
	entries, err := os.ReadDir(dir)
	check(t, err)
	var b strings.Builder
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			fmt.Fprintln(&b, e.Name(), info.Size())
		}
	}
	return b.String() + string(manifest)
}

// killed returns a directory as a kill leaves it, with n versions in its log.
func killed(t *testing.T, n int) string {
	t.Helper()
	s := open(t, t.TempDir(), &badgerstore.Options{NoTidy: true, NoSync: true})
	for i := range n {
		check(t, update(s, func(tx store.Tx) error {
			return errors.Join(tx.Set(benchtest.Key(i), benchtest.Value(i)), tx.Set([]byte("last"), number(uint64(i))))
		}))
	}
	return copyLive(t, badgerstore.Dir(s))
}

// A version that is missing between others in the logs is damage, not a tail
// that was cut off.
func TestDamagedLog(t *testing.T) {
	dir := killed(t, 20)
	data, err := os.ReadFile(filepath.Join(dir, "00001.mem"))
	check(t, err)
	ends := badgerstore.LogTransactions(data)
	if len(ends) != 20 {
		t.Fatalf("%d transactions in the log, want 20", len(ends))
	}
	write := func(t *testing.T, parts ...[]byte) string {
		to := t.TempDir()
		check(t, os.CopyFS(to, os.DirFS(dir)))
		for i, part := range parts {
			check(t, os.WriteFile(filepath.Join(to, fmt.Sprintf("%05d.mem", i+1)), part, 0o600))
		}
		return to
	}
	head := data[:20]
	for _, test := range []struct {
		name   string
		second int // the first transaction in the second log
		want   error
	}{
		{"whole", 8, nil},
		{"one missing", 9, store.ErrCorrupt},
		{"many missing", 19, store.ErrCorrupt},
	} {
		t.Run(test.name, func(t *testing.T) {
			second := append(bytes.Clone(head), data[ends[test.second-1]:ends[19]]...)
			dir := write(t, data[:ends[7]], second)
			for _, opts := range []badgerstore.Options{{ReadOnly: true}, {}} {
				s, err := badgerstore.Open(dir, &opts)
				if !errors.Is(err, test.want) {
					t.Fatalf("Open = %v, want %v", err, test.want)
				}
				if err == nil {
					check(t, s.Close())
				} else {
					t.Log(err)
				}
			}
			if test.want == nil {
				return
			}
			// What is before the gap is a sound store.
			for _, opts := range []badgerstore.Options{{ReadOnly: true, NoSync: true}, {NoSync: true}, {}} {
				s := open(t, dir, &opts)
				if n := countAll(t, s); n != 9 {
					t.Errorf("%+v: %d keys, want 9", opts, n)
				}
				check(t, view(s, func(tx store.Tx) error {
					last, err := tx.Get([]byte("last"))
					if !bytes.Equal(last, number(7)) {
						t.Errorf("%+v: the last record is %x, want 7", opts, last)
					}
					return err
				}))
				check(t, s.Close())
			}
		})
	}
}

// A power failure may lose any page of the logs of a store without syncs. What
// is left is its state at some version.
func TestPowerFailure(t *testing.T) {
	const records = 2000
	dir := killed(t, records)
	data, err := os.ReadFile(filepath.Join(dir, "00001.mem"))
	check(t, err)
	ends := badgerstore.LogTransactions(data)
	half := ends[records/2]
	logs := [][]byte{data[:half], append(bytes.Clone(data[:20]), data[half:]...)}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	opts := &badgerstore.Options{NoSync: true}
	for range testform.Of(4, 10, 50) {
		for i, log := range logs {
			log = bytes.Clone(log)
			for range r.IntN(3) {
				page := 1 + r.IntN(half/4096)
				clear(log[page*4096 : min(len(log), (page+1)*4096)])
			}
			check(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%05d.mem", i+1)), log, 0o600))
		}
		to := copyLive(t, dir)
		s := open(t, to, opts)
		n := checkPrefix(t, s)
		check(t, update(s, func(tx store.Tx) error { return tx.Delete([]byte("last")) }))
		check(t, s.Close())
		s = open(t, to, opts)
		if again := countAll(t, s); again != n {
			t.Errorf("%d records, and opened again %d", n, again)
		}
		check(t, s.Close())
	}
}

// checkPrefix checks that the first n records are there and n was the last, and
// returns n.
func checkPrefix(t *testing.T, s store.Store) int {
	t.Helper()
	n := countAll(t, s) - 1
	check(t, view(s, func(tx store.Tx) error {
		if n < 0 {
			return nil
		}
		last, err := tx.Get([]byte("last"))
		if !bytes.Equal(last, number(uint64(n-1))) {
			t.Errorf("%d records, but the last is %x", n, last)
		}
		_, missing := tx.Get(benchtest.Key(n - 1))
		return errors.Join(err, missing)
	}))
	return max(n, 0)
}

var endOffset = regexp.MustCompile(`end offset: (\d+)`)

// The end of a log is where Badger takes it to be, whatever happened to it.
func TestLogEnd(t *testing.T) {
	dir := killed(t, 20)
	path := filepath.Join(dir, "00001.mem")
	data, err := os.ReadFile(path)
	check(t, err)
	used := badgerstore.LogTransactions(data)[19]
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for i := range 40 {
		log := bytes.Clone(data)
		switch i % 4 {
		case 1:
			clear(log[20+r.IntN(used-20):])
		case 2:
			log[20+r.IntN(used-20)] ^= byte(1 + r.IntN(255))
		case 3:
			log = log[:20+r.IntN(used-20)]
			log = append(log, 1) // so that Badger says where it would cut
		}
		check(t, os.WriteFile(path, log, 0o600))
		got, err := badgerstore.LogEnd(path)
		check(t, err)
		if want := badgerLogEnd(t, dir, len(log)); got != want {
			t.Errorf("log %d ends at %d; Badger says %d", i, got, want)
		}
	}
}

// badgerLogEnd returns the end of a log from Badger's refusal to read it.
func badgerLogEnd(t *testing.T, dir string, size int) int64 {
	t.Helper()
	db, err := badger.OpenManaged(badgerstore.EngineOptions(dir, &badgerstore.Options{ReadOnly: true}))
	if err == nil {
		db.Close()
		return int64(size)
	}
	m := endOffset.FindStringSubmatch(err.Error())
	if m == nil {
		t.Fatalf("Badger says %v", err)
	}
	end, _ := strconv.ParseInt(m[1], 10, 64)
	return end
}
