package pebblestore_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/pebblestore"
)

// childEnv names a directory that a child of the test's tries to open.
const childEnv = "KIVIS_PEBBLESTORE_CHILD"

func TestMain(m *testing.M) {
	path, ok := os.LookupEnv(childEnv)
	if !ok {
		os.Exit(m.Run())
	}
	s, err := pebblestore.Open(path, nil)
	if errors.Is(err, store.ErrInUse) {
		fmt.Println("in use")
		os.Exit(0)
	}
	fmt.Println("opened", err, s != nil)
	os.Exit(1)
}

// TestInUse: a directory has one writer, or readers.
func TestInUse(t *testing.T) {
	path := t.TempDir()
	s := open(t, path, nil)
	inUse := func(who string, opts *pebblestore.Options) {
		t.Helper()
		if _, err := pebblestore.Open(path, opts); !errors.Is(err, store.ErrInUse) {
			t.Errorf("Open beside %s = %v, want ErrInUse", who, err)
		}
	}
	inUse("a writer", nil)
	inUse("a writer", &pebblestore.Options{ReadOnly: true})
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+path)
	if out, err := cmd.CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != "in use" {
		t.Errorf("another process: %s, %v", out, err)
	}
	check(t, s.Close())
	a, b := open(t, path, &pebblestore.Options{ReadOnly: true}), open(t, path, &pebblestore.Options{ReadOnly: true})
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
			all, h := small(t, killed)
			path := t.TempDir()
			for name, data := range all {
				check(t, os.WriteFile(filepath.Join(path, name), data, 0o400))
			}
			before := contents(t, path)
			s := open(t, path, &pebblestore.Options{ReadOnly: true})
			version, err := h.read(t, s)
			check(t, err)
			if version != h.last {
				t.Errorf("version %d, want %d", version, h.last)
			}
			check(t, s.Verify(ctx))
			if _, err := s.Begin(ctx, true); !errors.Is(err, store.ErrReadOnly) {
				t.Errorf("Begin = %v, want ErrReadOnly", err)
			}
			check(t, s.Close())
			if contents(t, path) != before {
				t.Error("the directory has changed")
			}
		})
	}
	if _, err := pebblestore.Open(t.TempDir(), &pebblestore.Options{ReadOnly: true}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open of nothing = %v, want ErrNotExist", err)
	}
}

// contents returns every file of a directory with its bytes.
func contents(t testing.TB, path string) string {
	t.Helper()
	var b strings.Builder
	all, err := os.ReadDir(path)
	check(t, err)
	for _, f := range all {
		data, err := os.ReadFile(filepath.Join(path, f.Name()))
		check(t, err)
		fmt.Fprintf(&b, "%s %d\n%s", f.Name(), len(data), data)
	}
	return b.String()
}

// TestUnfinished: a store that was being made when the process was killed is made
// anew.
func TestUnfinished(t *testing.T) {
	made := vfs.NewMem()
	check(t, made.MkdirAll(dir, 0o700))
	s, err := pebblestore.OpenIn(made, dir, nil)
	check(t, err)
	check(t, s.Close())
	all := filesIn(t, made)
	all["KIVIS"] = pebblestore.Unfinished()
	s, err = pebblestore.OpenIn(all.fs(t), dir, nil)
	check(t, err)
	check(t, update(s, func(tx store.Tx) error { return tx.Set([]byte("a"), nil) }))
	check(t, s.Verify(ctx))
	check(t, s.Close())
}

func TestOptions(t *testing.T) {
	for _, test := range []struct {
		name, dir string
		opts      pebblestore.Options
		want      string
	}{
		{"no directory", "", pebblestore.Options{}, "want a path"},
		{"little memory", "x", pebblestore.Options{Memory: 1}, "Options.Memory is 1"},
		{"small transaction", "x", pebblestore.Options{MaxTx: 1}, "Options.MaxTx is 1"},
		{"big transaction", "x", pebblestore.Options{MaxTx: 1 << 40}, "Options.MaxTx is 1099511627776"},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := test.dir
			if path != "" {
				path = filepath.Join(t.TempDir(), path)
			}
			s, err := pebblestore.Open(path, &test.opts)
			if err == nil || !strings.Contains(err.Error(), test.want) || s != nil {
				t.Errorf("Open = %v, want %q in it", err, test.want)
			}
		})
	}
}

// TestRemoved: commits end where nobody would find them.
func TestRemoved(t *testing.T) {
	for _, replaced := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "db")
		s := open(t, path, nil)
		set := func() error { return update(s, func(tx store.Tx) error { return tx.Set([]byte("a"), nil) }) }
		check(t, set())
		check(t, os.Rename(path, path+".elsewhere"))
		if replaced {
			check(t, os.Mkdir(path, 0o700))
		}
		if err := set(); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Commit = %v, want ErrNotExist", err)
		}
		if err := s.Close(); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Close = %v, want ErrNotExist", err)
		}
		if left, err := os.ReadDir(path); replaced && (err != nil || len(left) > 0) {
			t.Errorf("the other directory has %v, %v", left, err)
		}
	}
}

// TestVerify finds damage on the disk while the store is open, though the blocks
// are in its cache.
func TestVerify(t *testing.T) {
	fs, h, r := vfs.NewMem(), newHistory(), rand.New(rand.NewPCG(1, 2))
	check(t, fs.MkdirAll(dir, 0o700))
	s, err := pebblestore.OpenIn(fs, dir, nil)
	check(t, err)
	for range 5 {
		check(t, h.write(s, r, 100))
	}
	check(t, s.Close())
	s, err = pebblestore.OpenIn(fs, dir, nil)
	check(t, err)
	_, err = h.read(t, s)
	check(t, err)
	check(t, s.Verify(ctx))
	table := ""
	for name := range filesIn(t, fs) {
		if strings.HasSuffix(name, ".sst") {
			table = fs.PathJoin(dir, name)
		}
	}
	f, err := fs.OpenReadWrite(table, "")
	check(t, err)
	_, err = f.WriteAt([]byte{0x55}, 300)
	check(t, errors.Join(err, f.Close()))
	if err := s.Verify(ctx); !errors.Is(err, store.ErrCorrupt) || !strings.Contains(err.Error(), ".sst") {
		t.Errorf("Verify = %v, want ErrCorrupt and the file", err)
	}
	if err := h.write(s, r, 1); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("Commit = %v, want ErrCorrupt", err)
	}
	check(t, s.Close())
	if err := s.Verify(ctx); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Verify = %v, want ErrClosed", err)
	}
}
