package sqlitestore_test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/sqlitestore"
)

// childEnv names a file that a child of the test's tries to open.
const childEnv = "KIVIS_SQLITESTORE_CHILD"

func TestMain(m *testing.M) {
	path, ok := os.LookupEnv(childEnv)
	if !ok {
		os.Exit(m.Run())
	}
	s, err := sqlitestore.Open(path, nil)
	if errors.Is(err, store.ErrInUse) {
		fmt.Println("in use")
		os.Exit(0)
	}
	fmt.Println("opened", err, s != nil)
	os.Exit(1)
}

// TestInUse: a file has one writer, or readers.
func TestInUse(t *testing.T) {
	path := fileIn(t.TempDir())
	s := open(t, path, nil)
	inUse := func(who string, opts *sqlitestore.Options) {
		t.Helper()
		if _, err := sqlitestore.Open(path, opts); !errors.Is(err, store.ErrInUse) {
			t.Errorf("Open beside %s = %v, want ErrInUse", who, err)
		}
	}
	inUse("a writer", nil)
	inUse("a writer", &sqlitestore.Options{ReadOnly: true})
	if _, _, err := sqlitestore.Compact(path); !errors.Is(err, store.ErrInUse) {
		t.Errorf("Compact beside a writer = %v, want ErrInUse", err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+path)
	if out, err := cmd.CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != "in use" {
		t.Errorf("another process: %s, %v", out, err)
	}
	check(t, s.Close())
	a, b := open(t, path, &sqlitestore.Options{ReadOnly: true}), open(t, path, &sqlitestore.Options{ReadOnly: true})
	inUse("readers", nil)
	check(t, a.Close())
	check(t, b.Close())
	open(t, path, nil)
}

// TestReadOnly: a read-only store reads what is there, also after a kill, and
// leaves every byte as it is, and no file beside it.
func TestReadOnly(t *testing.T) {
	for _, killed := range []bool{false, true} {
		t.Run(fmt.Sprintf("killed=%t", killed), func(t *testing.T) {
			all, h := small(t, killed)
			path := fileIn(t.TempDir())
			all.put(t, path)
			s := open(t, path, &sqlitestore.Options{ReadOnly: true})
			check(t, h.at[h.last].read(t, s))
			check(t, s.Verify(ctx))
			if got := versionOf(t, s); got != h.last {
				t.Errorf("it is of version %d, want %d", got, h.last)
			}
			if _, err := s.Begin(ctx, true); !errors.Is(err, store.ErrReadOnly) {
				t.Errorf("Begin = %v, want ErrReadOnly", err)
			}
			names, err := filepath.Glob(path + "*")
			if err != nil || len(names) != len(all) {
				t.Errorf("there are %q, %v", names, err)
			}
			check(t, s.Close())
			if after := filesAt(t, path); !maps.EqualFunc(after, all, slices.Equal) {
				t.Error("the files have changed")
			}
			check(t, h.at[h.last].read(t, open(t, path, nil)))
		})
	}
	if _, err := sqlitestore.Open(fileIn(t.TempDir()), &sqlitestore.Options{ReadOnly: true}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open of nothing = %v, want ErrNotExist", err)
	}
}

// TestLeftover: what a process left that was killed while it made a store is in
// nobody's way.
func TestLeftover(t *testing.T) {
	path := fileIn(t.TempDir())
	for _, suffix := range []string{"", "-wal", "-journal"} {
		check(t, os.WriteFile(path+".new"+suffix, make([]byte, 5000), 0o600))
	}
	s := open(t, path, nil)
	check(t, update(s, func(tx store.Tx) error { return tx.Set([]byte("a"), []byte("1")) }))
	check(t, s.Close())
	if names, _ := filepath.Glob(path + "*"); len(names) != 1 {
		t.Errorf("there are %q", names)
	}
}

// TestFilesBeside: while a store is open there are two files beside it, the log as
// private as the store; once it is closed there are none, whether or not something
// was committed.
func TestFilesBeside(t *testing.T) {
	path := fileIn(t.TempDir())
	set := func(tx store.Tx) error { return tx.Set([]byte("a"), []byte("1")) }
	for _, c := range []struct {
		name string
		use  func(s store.Store) error
	}{
		{"a commit", func(s store.Store) error { return update(s, set) }},
		{"nothing", func(store.Store) error { return nil }},
		{"a read", func(s store.Store) error {
			return view(s, func(tx store.Tx) error { _, err := tx.Get([]byte("a")); return err })
		}},
		{"a rollback", func(s store.Store) error {
			tx, err := s.Begin(ctx, true)
			if err != nil {
				return err
			}
			defer tx.Discard()
			return set(tx)
		}},
	} {
		s := open(t, path, nil)
		check(t, c.use(s))
		info, err := os.Stat(path + logSuffix)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("after %s the log is %v, %v; want one of mode 0600", c.name, info, err)
		}
		check(t, s.Close())
		if names, _ := filepath.Glob(path + "*"); len(names) != 1 {
			t.Errorf("after %s, and Close, there are %q", c.name, names)
		}
	}
}

// TestMakers has many make the same store: one gets it.
func TestMakers(t *testing.T) {
	path := fileIn(t.TempDir())
	var wg sync.WaitGroup
	var mu sync.Mutex
	made := 0
	for range 16 {
		wg.Go(func() {
			s, err := sqlitestore.Open(path, nil)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				made++
				t.Cleanup(func() { s.Close() })
			} else if !errors.Is(err, store.ErrInUse) {
				t.Errorf("Open = %v, want ErrInUse", err)
			}
		})
	}
	wg.Wait()
	if made != 1 {
		t.Errorf("%d made it", made)
	}
}

func TestOptions(t *testing.T) {
	for _, test := range []struct {
		name string
		path string
		opts sqlitestore.Options
		want string
	}{
		{"no path", "", sqlitestore.Options{}, "want that of a file"},
		{"little memory", "x", sqlitestore.Options{Memory: 1}, "Options.Memory is 1"},
		{"small transaction", "x", sqlitestore.Options{MaxTx: 1}, "Options.MaxTx is 1"},
		{"big transaction", "x", sqlitestore.Options{MaxTx: 1 << 40}, "Options.MaxTx is 1099511627776"},
		{"no directory", "no/such/directory", sqlitestore.Options{}, "no such file"},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := test.path
			if path != "" {
				path = fileIn(t.TempDir()) + path
			}
			s, err := sqlitestore.Open(path, &test.opts)
			if err == nil || !strings.Contains(err.Error(), test.want) || s != nil {
				t.Errorf("Open = %v, want %q in it", err, test.want)
			}
		})
	}
}

// TestOldReader has a reader keep an old version while the file grows to many
// times its size: no commit waits, and the reader sees what it saw.
func TestOldReader(t *testing.T) {
	s := open(t, fileIn(t.TempDir()), &sqlitestore.Options{NoSync: true})
	c, r := content{}, rand.New(rand.NewPCG(1, 2))
	c.write(t, s, r, 100, 100)
	check(t, view(s, func(old store.Tx) error {
		was := content{}
		for key, value := range c {
			was[key] = value
		}
		for range 100 {
			c.write(t, s, r, 5000, 300)
		}
		for key, want := range was {
			if got, err := old.Get([]byte(key)); err != nil || string(got) != want {
				t.Errorf("Get(%q) in the old version = %.20q, %v", key, got, err)
			}
		}
		return nil
	}))
	check(t, c.read(t, s))
	check(t, s.Verify(ctx))
}

// TestCursorGoesOn: the connection of a cursor begins anew when the log is written to
// the file, as before the first commit, and nothing is seen of that.
func TestCursorGoesOn(t *testing.T) {
	path := fileIn(t.TempDir())
	s := open(t, path, &sqlitestore.Options{NoSync: true})
	c, r := content{}, rand.New(rand.NewPCG(1, 2))
	c.write(t, s, r, 100, 100)
	for _, g := range []store.Range{{}, {Reverse: true}, {Hi: []byte("z")}, {Hi: []byte("z"), Reverse: true}, {KeysOnly: true}} {
		check(t, s.Close())
		s = open(t, path, &sqlitestore.Options{NoSync: true})
		want := slices.Sorted(maps.Keys(c))
		if g.Reverse {
			slices.Reverse(want)
		}
		var got []string
		check(t, view(s, func(old store.Tx) error {
			cur, err := old.Scan(g)
			check(t, err)
			defer cur.Close()
			for len(got) < 10 && cur.Next() {
				got = append(got, string(cur.Key()))
			}
			next := maps.Clone(c)
			next.write(t, s, r, 100, 50)
			c = next
			for cur.Next() {
				got = append(got, string(cur.Key()))
			}
			return cur.Err()
		}))
		if !slices.Equal(got, want) {
			t.Errorf("%+v: a scan over a commit shows %d keys, want %d", g, len(got), len(want))
		}
	}
}

// TestMarkedBesideReader: a store notes that it is open, also where somebody reads
// before the first commit.
func TestMarkedBesideReader(t *testing.T) {
	path := fileIn(t.TempDir())
	s := open(t, path, nil)
	set := func(value string) {
		check(t, update(s, func(tx store.Tx) error { return tx.Set([]byte("a"), []byte(value)) }))
	}
	set("1")
	check(t, s.Close())
	s = open(t, path, nil)
	check(t, view(s, func(tx store.Tx) error {
		_, err := tx.Get([]byte("a"))
		set("2")
		return err
	}))
	all := filesAt(t, path)
	delete(all, logSuffix)
	path = fileIn(t.TempDir())
	all.put(t, path)
	if _, err := sqlitestore.Open(path, nil); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("Open without the log = %v, want ErrCorrupt", err)
	}
}

// TestLogBeginsAnew: somebody who reads the newest version while the log is written
// to the file does not keep it from being begun anew.
func TestLogBeginsAnew(t *testing.T) {
	path := fileIn(t.TempDir())
	var atSync func()
	t.Cleanup(sqlitestore.WrapFiles(func(_ string, flags vfs.OpenFlag, f vfs.File) vfs.File {
		if flags&vfs.OPEN_MAIN_DB == 0 {
			return f
		}
		return syncing{f, &atSync}
	}, 50))
	s := open(t, path, &sqlitestore.Options{NoSync: true})
	set := func(i int) {
		check(t, update(s, func(tx store.Tx) error { return tx.Set(fmt.Append(nil, i), make([]byte, 2000)) }))
	}
	set(0)
	head := func() string { return string(filesAt(t, path)[logSuffix][:32]) }
	before := head()
	var reader store.Tx
	atSync = func() {
		atSync = nil
		var err error
		reader, err = s.Begin(ctx, false)
		check(t, err)
		_, err = reader.Get([]byte("0"))
		check(t, err)
	}
	i := 1
	for ; reader == nil && i < 1000; i++ {
		set(i)
	}
	defer reader.Discard()
	set(i)
	if head() == before {
		t.Error("the log has not been begun anew")
	}
	if _, err := reader.Get(fmt.Append(nil, i)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the reader sees what was written later: %v", err)
	}
	_, err := reader.Get(fmt.Append(nil, i-1))
	check(t, err)
}

// syncing calls at each sync, if it is set.
type syncing struct {
	vfs.File
	call *func()
}

func (f syncing) Sync(flags vfs.SyncFlag) error {
	if call := *f.call; call != nil {
		call()
	}
	return f.File.Sync(flags)
}

func (f syncing) SharedMemory() vfs.SharedMemory { return f.File.(vfs.FileSharedMemory).SharedMemory() }

// TestLogStaysShort: many writers never let the log be without readers for long, and
// it is begun anew all the same.
func TestLogStaysShort(t *testing.T) {
	const frames = 50
	t.Cleanup(sqlitestore.WrapFiles(nil, frames))
	path := fileIn(t.TempDir())
	s := open(t, path, &sqlitestore.Options{NoSync: true})
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 500 {
				key := fmt.Appendf(nil, "%d/%d", w, i%50)
				if err := update(s, func(tx store.Tx) error {
					if _, err := tx.Get(key); err != nil && !errors.Is(err, store.ErrNotFound) {
						return err
					}
					return tx.Set(key, fmt.Append(nil, i))
				}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	info, err := os.Stat(path + logSuffix)
	check(t, err)
	if got := info.Size() / (pageSize + 24); got > 10*frames {
		t.Errorf("the log has got %d frames long, and is written to the file after %d", got, frames)
	}
}

func TestCompact(t *testing.T) {
	path := fileIn(t.TempDir())
	s := open(t, path, &sqlitestore.Options{NoSync: true})
	c, r := content{}, rand.New(rand.NewPCG(1, 2))
	for range 20 {
		c.write(t, s, r, 3000, 1000)
	}
	for key := range c {
		if len(c) > 100 {
			delete(c, key)
			check(t, update(s, func(tx store.Tx) error { return tx.Delete([]byte(key)) }))
		}
	}
	version := versionOf(t, s)
	check(t, s.Close())
	before, after, err := sqlitestore.Compact(path)
	check(t, err)
	if after == 0 || after > before/4 {
		t.Errorf("%d bytes are now %d", before, after)
	}
	s = open(t, path, nil)
	check(t, c.read(t, s))
	check(t, s.Verify(ctx))
	if got := versionOf(t, s); got != version {
		t.Errorf("the version is %d, it was %d", got, version)
	}
	check(t, update(s, func(tx store.Tx) error { return tx.Set([]byte("a"), nil) }))
}

func versionOf(t testing.TB, s store.Store) (version uint64) {
	t.Helper()
	check(t, view(s, func(tx store.Tx) error {
		version = tx.Version()
		return nil
	}))
	return version
}
