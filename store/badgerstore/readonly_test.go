package badgerstore_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
)

// A read-only store reads what is there, also after a kill, and leaves every
// byte as it is.
func TestReadOnly(t *testing.T) {
	closed := t.TempDir()
	fill(t, closed, 100)
	for _, test := range []struct {
		name, dir string
		keys      int
	}{
		{"closed", closed, 100},
		{"killed", killed(t, 100), 101},
		{"killed in a compaction", withLeftover(t, closed), 100},
		{"killed in the first commit", killed(t, 0), 0},
		{"killed while opening", withFile(t, closed, "000042.vlog", nil), 100},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("TMPDIR", t.TempDir())
			before := contents(t, test.dir)
			opts := &badgerstore.Options{ReadOnly: true}
			s, other := open(t, test.dir, opts), open(t, test.dir, opts)
			for _, s := range []*badgerstore.Store{s, other} {
				if n := countAll(t, s); n != test.keys {
					t.Errorf("%d keys, want %d", n, test.keys)
				}
				check(t, s.Verify(ctx))
				if _, err := s.Begin(ctx, true); !errors.Is(err, store.ErrReadOnly) {
					t.Errorf("Begin = %v, want ErrReadOnly", err)
				}
			}
			check(t, s.Close())
			check(t, other.Close())
			if contents(t, test.dir) != before {
				t.Error("the directory has changed")
			}
			if left := listing(t, os.TempDir()); left != "" {
				t.Errorf("left behind: %s", left)
			}
		})
	}
}

// withLeftover copies a store and adds a table that it does not know.
func withLeftover(t *testing.T, dir string) string {
	t.Helper()
	data, err := os.ReadFile(tables(t, dir)[0])
	check(t, err)
	return withFile(t, dir, "000099.sst", data)
}

func withFile(t *testing.T, dir, name string, data []byte) string {
	t.Helper()
	to := t.TempDir()
	check(t, os.CopyFS(to, os.DirFS(dir)))
	check(t, os.WriteFile(filepath.Join(to, name), data, 0o600))
	return to
}

// contents returns every file of dir with its bytes.
func contents(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	files, err := os.ReadDir(dir)
	check(t, err)
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(dir, f.Name()))
		check(t, err)
		b.WriteString(f.Name())
		b.Write(data)
	}
	return b.String()
}
