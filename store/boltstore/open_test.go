package boltstore_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/boltstore"
)

// childEnv names a file that a child of the test's tries to open.
const childEnv = "KIVIS_BOLTSTORE_CHILD"

func TestMain(m *testing.M) {
	path, ok := os.LookupEnv(childEnv)
	if !ok {
		os.Exit(m.Run())
	}
	s, err := boltstore.Open(path, nil)
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
	inUse := func(who string, opts *boltstore.Options) {
		t.Helper()
		if _, err := boltstore.Open(path, opts); !errors.Is(err, store.ErrInUse) {
			t.Errorf("Open beside %s = %v, want ErrInUse", who, err)
		}
	}
	inUse("a writer", nil)
	inUse("a writer", &boltstore.Options{ReadOnly: true})
	if _, _, err := boltstore.Compact(path); !errors.Is(err, store.ErrInUse) {
		t.Errorf("Compact beside a writer = %v, want ErrInUse", err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+path)
	if out, err := cmd.CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != "in use" {
		t.Errorf("another process: %s, %v", out, err)
	}
	check(t, s.Close())
	a, b := open(t, path, &boltstore.Options{ReadOnly: true}), open(t, path, &boltstore.Options{ReadOnly: true})
	inUse("readers", nil)
	check(t, a.Close())
	check(t, b.Close())
	open(t, path, nil)
}

// TestReadOnly: a read-only store reads what is there, also after a kill, and
// leaves every byte as it is.
func TestReadOnly(t *testing.T) {
	for _, killed := range []bool{false, true} {
		t.Run(fmt.Sprintf("killed=%t", killed), func(t *testing.T) {
			data, c := small(t, killed)
			path := fileIn(t.TempDir())
			check(t, os.WriteFile(path, data, 0o400))
			s := open(t, path, &boltstore.Options{ReadOnly: true})
			check(t, c.read(t, s))
			check(t, s.Verify(ctx))
			if _, err := s.Begin(ctx, true); !errors.Is(err, store.ErrReadOnly) {
				t.Errorf("Begin = %v, want ErrReadOnly", err)
			}
			check(t, s.Close())
			after, err := os.ReadFile(path)
			check(t, err)
			if !slices.Equal(after, data) {
				t.Error("the file has changed")
			}
		})
	}
	if _, err := boltstore.Open(fileIn(t.TempDir()), &boltstore.Options{ReadOnly: true}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open of nothing = %v, want ErrNotExist", err)
	}
}

// TestLeftover: what a process left that was killed while it made a store is in
// nobody's way.
func TestLeftover(t *testing.T) {
	path := fileIn(t.TempDir())
	check(t, os.WriteFile(path+".new", make([]byte, 5000), 0o600))
	s := open(t, path, nil)
	check(t, update(s, func(tx store.Tx) error { return tx.Set([]byte("a"), []byte("1")) }))
	check(t, s.Close())
	if _, err := os.Stat(path + ".new"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
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
			s, err := boltstore.Open(path, nil)
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
		opts boltstore.Options
		want string
	}{
		{"no path", "", boltstore.Options{}, "want that of a file"},
		{"small map", "x", boltstore.Options{MaxSize: 1}, "Options.MaxSize is 1"},
		{"small transaction", "x", boltstore.Options{MaxTx: 1}, "Options.MaxTx is 1"},
		{"big transaction", "x", boltstore.Options{MaxTx: 1 << 40}, "Options.MaxTx is 1099511627776"},
		{"big map", "x", boltstore.Options{MaxSize: 1 << 60}, "does not map"},
		{"no directory", "no/such/directory", boltstore.Options{}, "no such file"},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := test.path
			if path != "" {
				path = fileIn(t.TempDir()) + path
			}
			s, err := boltstore.Open(path, &test.opts)
			if err == nil || !strings.Contains(err.Error(), test.want) || s != nil {
				t.Errorf("Open = %v, want %q in it", err, test.want)
			}
		})
	}
}

func TestProgress(t *testing.T) {
	path := fileIn(t.TempDir())
	s := open(t, path, &boltstore.Options{NoSync: true})
	content{}.write(t, s, rand.New(rand.NewPCG(1, 2)), 1000, 1000)
	size, err := s.Size()
	check(t, err)
	check(t, s.Close())
	var last, total int64
	open(t, path, &boltstore.Options{Progress: func(done, all int64) {
		if done < last || done > all {
			t.Errorf("Progress(%d, %d) after %d", done, all, last)
		}
		last, total = done, all
	}})
	if last != total || total < size {
		t.Errorf("the last call was Progress(%d, %d); the file has %d bytes", last, total, size)
	}
}

// TestFull: a commit that finds no room changes nothing; a store opened with more
// goes on.
func TestFull(t *testing.T) {
	path := fileIn(t.TempDir())
	opts := &boltstore.Options{NoSync: true, MaxSize: 1 << 20}
	s := open(t, path, opts)
	c := content{}
	set := func(i int) error {
		key, value := fmt.Sprint("key", i), strings.Repeat("v", 10_000)
		err := update(s, func(tx store.Tx) error { return tx.Set([]byte(key), []byte(value)) })
		if err == nil {
			c[key] = value
		}
		return err
	}
	var err error
	for i := 0; err == nil && i < 1000; i++ {
		err = set(i)
	}
	if !errors.Is(err, boltstore.ErrFull) {
		t.Fatalf("Commit = %v, want ErrFull", err)
	}
	check(t, c.read(t, s))
	check(t, s.Verify(ctx))
	check(t, s.Close())
	s = open(t, path, nil)
	check(t, c.read(t, s))
	check(t, set(1000))
}

// TestOldReader has a reader keep an old version while the file grows to many
// times its size: no commit waits, and the reader sees what it saw.
func TestOldReader(t *testing.T) {
	s := open(t, fileIn(t.TempDir()), &boltstore.Options{NoSync: true})
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

func TestCompact(t *testing.T) {
	path := fileIn(t.TempDir())
	s := open(t, path, &boltstore.Options{NoSync: true})
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
	before, after, err := boltstore.Compact(path)
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
