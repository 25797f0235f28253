package badgerstore_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dgraph-io/badger/v4"

	"github.com/kivisdb/kivis/internal/benchtest"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
)

func TestOptions(t *testing.T) {
	_, err := badgerstore.Open(t.TempDir(), &badgerstore.Options{Memory: 1, MaxTx: -1})
	want := "badgerstore: Options.Memory is 1; want at least 16777216, or 0 for 67108864\n" +
		"badgerstore: Options.MaxTx is -1; want at least 65536, or 0 for 536870912"
	if err == nil || err.Error() != want {
		t.Errorf("Open = %v, want %s", err, want)
	}
	for _, memory := range []int64{16 << 20, 1 << 30} {
		s := open(t, t.TempDir(), &badgerstore.Options{Memory: memory})
		check(t, update(s, setOld))
		check(t, update(s, func(tx store.Tx) error { return setBig(tx, bigOld) }))
		bigState(t, s, bigOld)
		check(t, s.Close())
	}
}

// No directory is not the working directory: an unset variable has no store.
func TestOpenNowhere(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, readOnly := range []bool{false, true} {
		s, err := badgerstore.Open("", &badgerstore.Options{ReadOnly: readOnly})
		if err == nil {
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "want a path") {
			t.Errorf("read-only %t: Open = %v, want an error that wants a path", readOnly, err)
		}
	}
	if files := listing(t, "."); files != "" {
		t.Errorf("the working directory has %s", files)
	}
}

func TestPlatform(t *testing.T) {
	if err := badgerstore.CheckPlatform(64); err != nil {
		t.Errorf("64 bits: %v", err)
	}
	err := badgerstore.CheckPlatform(32)
	if !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), "use memstore") {
		t.Errorf("32 bits: %v, want ErrUnsupported and what to use", err)
	}
}

func TestInUse(t *testing.T) {
	dir := t.TempDir()
	inUse := func(name string, opts *badgerstore.Options, want string) {
		t.Helper()
		s, err := badgerstore.Open(dir, opts)
		if err == nil {
			s.Close()
		}
		if !errors.Is(err, store.ErrInUse) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: Open = %v, want ErrInUse and %q", name, err, want)
		}
	}
	readOnly := &badgerstore.Options{ReadOnly: true}
	s := open(t, dir, nil)
	check(t, update(s, setOld))
	inUse("same process", nil, "held by another handle, in process")
	inUse("same process, reading", readOnly, "held by another handle")
	check(t, s.Close())

	c := start(t, "hold", dir)
	c.wait(t)
	inUse("other process", nil, "held by another handle")
	c.kill()
	s = open(t, dir, readOnly)
	inUse("beside a reader", nil, "open for reading elsewhere")
	c = start(t, "hold", dir, "readonly")
	c.wait(t)
	check(t, s.Close())
	inUse("beside a reader in another process", nil, "open for reading elsewhere")
	c.kill()
	check(t, open(t, dir, nil).Close())
}

func TestOpenRefuses(t *testing.T) {
	write := func(name, text string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			check(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
		}
	}
	for _, test := range []struct {
		name     string
		prepare  func(t *testing.T, dir string)
		readOnly bool
		want     error
	}{
		{"another directory", write("notes.txt", "hello"), false, badgerstore.ErrForeign},
		{"another manifest", write("MANIFEST", "hello, this is no manifest"), false, badgerstore.ErrForeign},
		{"an empty manifest", write("MANIFEST", ""), false, badgerstore.ErrForeign},
		{"tables without a manifest", write("000001.sst", "table"), false, store.ErrCorrupt},
		{"an empty directory, to read", func(*testing.T, string) {}, true, badgerstore.ErrForeign},
		{"a file", func(t *testing.T, dir string) {
			check(t, os.Remove(dir))
			check(t, os.WriteFile(dir, nil, 0o600))
		}, false, nil},
		{"another program's Badger", func(t *testing.T, dir string) {
			db, err := badger.Open(badger.DefaultOptions(dir).WithLogger(nil))
			check(t, err)
			check(t, db.Close())
		}, false, badgerstore.ErrForeign},
		{"a damaged manifest", func(t *testing.T, dir string) {
			fill(t, dir, 20_000)
			flip(t, filepath.Join(dir, "MANIFEST"), 20)
		}, false, store.ErrCorrupt},
		{"a newer manifest", func(t *testing.T, dir string) {
			fill(t, dir, 1000)
			flip(t, filepath.Join(dir, "MANIFEST"), 7)
		}, false, badgerstore.ErrUnknownFormat},
		{"a manifest of nothing", func(t *testing.T, dir string) {
			fill(t, dir, 20_000)
			flip(t, filepath.Join(dir, "MANIFEST"), 0)
		}, false, store.ErrCorrupt},
		{"a manifest cut short", func(t *testing.T, dir string) {
			fill(t, dir, 20_000)
			check(t, os.Truncate(filepath.Join(dir, "MANIFEST"), 16))
		}, false, store.ErrCorrupt},
		{"a lost manifest", func(t *testing.T, dir string) {
			fill(t, dir, 20_000)
			check(t, os.Remove(filepath.Join(dir, "MANIFEST")))
		}, false, store.ErrCorrupt},
		{"a lost table", func(t *testing.T, dir string) {
			fill(t, dir, 20_000)
			check(t, os.Remove(tables(t, dir)[0]))
		}, false, store.ErrCorrupt},
		{"an empty table", func(t *testing.T, dir string) {
			fill(t, dir, 20_000)
			check(t, os.Truncate(tables(t, dir)[0], 0))
		}, false, store.ErrCorrupt},
		{"a short table", func(t *testing.T, dir string) {
			fill(t, dir, 20_000)
			check(t, os.Truncate(tables(t, dir)[0], 1000))
		}, false, store.ErrCorrupt},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "store")
			check(t, os.Mkdir(dir, 0o700))
			test.prepare(t, dir)
			before := listing(t, dir)
			if test.name == "a manifest cut short" { // its tables are set aside, lest anything delete them
				before = strings.ReplaceAll(before, ".sst", ".sst.lost")
			}
			s, err := badgerstore.Open(dir, &badgerstore.Options{ReadOnly: test.readOnly})
			if err == nil {
				s.Close()
				t.Fatal("Open succeeds")
			}
			if test.want != nil && !errors.Is(err, test.want) {
				t.Errorf("Open = %v, want %v", err, test.want)
			}
			if !strings.HasPrefix(err.Error(), "badgerstore: ") || !strings.Contains(err.Error(), dir) {
				t.Errorf("Open = %v, want the directory's name", err)
			}
			if after := listing(t, dir); after != before {
				t.Errorf("Open has changed the directory from\n%s\nto\n%s", before, after)
			}
			t.Log(err)
		})
	}
}

// listing returns the names of the files in dir.
func listing(t *testing.T, dir string) string {
	t.Helper()
	files, _ := os.ReadDir(dir)
	var names []string
	for _, f := range files {
		names = append(names, f.Name())
	}
	return strings.Join(names, " ")
}

func tables(t *testing.T, dir string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	check(t, err)
	if len(paths) == 0 {
		t.Fatal("no tables")
	}
	return paths
}

// flip changes a byte of a file, in place; a negative offset counts from the end.
func flip(t *testing.T, path string, off int) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	check(t, err)
	defer f.Close()
	if off < 0 {
		info, err := f.Stat()
		check(t, err)
		off += int(info.Size())
	}
	var b [1]byte
	_, err = f.ReadAt(b[:], int64(off))
	check(t, err)
	b[0] ^= 0xA5
	_, err = f.WriteAt(b[:], int64(off))
	check(t, err)
}

// fill makes a store of n records in tables, and closes it.
func fill(t *testing.T, dir string, n int) {
	t.Helper()
	s := open(t, dir, &badgerstore.Options{NoSync: true, NoTidy: true})
	for from := 0; from < n; from += 1000 {
		check(t, update(s, func(tx store.Tx) error {
			for i := from; i < min(from+1000, n); i++ {
				if err := tx.Set(benchtest.Key(i), benchtest.Value(i)); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	check(t, s.Close())
}

// A kill while Badger creates or deletes a log leaves an empty one, with which
// Badger alone does not open.
func TestOpenEmptyLogs(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir, 100)
	for _, name := range []string{"00042.mem", "000042.vlog", "MANIFEST-REWRITE"} {
		check(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}
	s := open(t, dir, nil)
	if n := countAll(t, s); n != 100 {
		t.Errorf("%d records, want 100", n)
	}
}

func countAll(t *testing.T, s store.Store) (n int) {
	t.Helper()
	check(t, view(s, func(tx store.Tx) (err error) {
		n, err = store.Count(tx, store.Range{})
		return err
	}))
	return n
}

func TestVersionsSurvive(t *testing.T) {
	dir := t.TempDir()
	var last uint64
	for round := range 4 {
		s := open(t, dir, nil)
		check(t, view(s, func(tx store.Tx) error {
			if tx.Version() < last {
				t.Errorf("round %d: version %d, after %d", round, tx.Version(), last)
			}
			return nil
		}))
		for i := range 100 {
			check(t, update(s, func(tx store.Tx) error { return tx.Set(benchtest.Key(i), nil) }))
		}
		tx, err := s.Begin(ctx, true)
		check(t, err)
		for i := range 100 {
			check(t, tx.Delete(benchtest.Key(i)))
		}
		if last, err = tx.Commit(); err != nil {
			t.Fatal(err)
		}
		check(t, s.Close())
	}
}
