package pgstore_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/pgstore"
)

// TestServerChecks has one process read, another write, which the first has not heard
// of, and the first commit: the server alone knows whether it may.
func TestServerChecks(t *testing.T) {
	url := newURL(t)
	a, b := open(t, url, nil), open(t, url, nil)
	set(t, a, "m", "1")
	for _, test := range []struct {
		name   string
		lo, hi []byte
		key    string
		want   error
	}{
		{"key", []byte("m"), []byte("m\x00"), "m", store.ErrConflict},
		{"beside the key", []byte("m"), []byte("m\x00"), "m\x00", nil},
		{"range", []byte("k"), []byte("p"), "o", store.ErrConflict},
		{"lower bound", []byte("k"), []byte("p"), "k", store.ErrConflict},
		{"upper bound", []byte("k"), []byte("p"), "p", nil},
		{"no upper bound", []byte("k"), nil, "\xff\xff", store.ErrConflict},
		{"below no upper bound", []byte("k"), nil, "j", nil},
		{"everything", nil, nil, "", store.ErrConflict},
		{"from the start", nil, []byte("b"), "a", store.ErrConflict},
		{"nothing", []byte("p"), []byte("k"), "m", nil},
	} {
		for _, deleted := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, deleted %v", test.name, deleted), func(t *testing.T) {
				tx, err := a.Begin(background, true)
				if err != nil {
					t.Fatal(err)
				}
				defer tx.Discard()
				if err := errors.Join(tx.Guard(test.lo, test.hi), tx.Set([]byte("own"), nil)); err != nil {
					t.Fatal(err)
				}
				write(t, b, test.key, deleted)
				if _, err := tx.Commit(); !errors.Is(err, test.want) {
					t.Errorf("Commit after a write of %q: %v, want %v", test.key, err, test.want)
				}
			})
		}
	}
}

func write(t *testing.T, s *pgstore.Store, key string, deleted bool) {
	t.Helper()
	_, err := update(s, func(tx store.Tx) error {
		if deleted {
			return tx.Delete([]byte(key))
		}
		return tx.Set([]byte(key), []byte("v"))
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestServerChecksMuch has more written and read than the server compares: the
// commit is made all the same, once this process has looked for itself.
func TestServerChecksMuch(t *testing.T) {
	url := newURL(t)
	a, b := open(t, url, nil), open(t, url, nil)
	for _, hit := range []bool{false, true} {
		tx, err := a.Begin(background, true)
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Discard()
		for i := range 1000 {
			if _, err := tx.Get(fmt.Appendf(nil, "read%d", i)); i%100 == 0 && !errors.Is(err, store.ErrNotFound) {
				t.Fatal(err)
			}
		}
		if err := tx.Set([]byte("own"), nil); err != nil {
			t.Fatal(err)
		}
		_, err = update(b, func(tx store.Tx) error {
			for i := range 1000 {
				if err := tx.Set(fmt.Appendf(nil, "written%d", i), nil); err != nil {
					return err
				}
			}
			if hit {
				return tx.Delete([]byte("read999"))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Commit(); errors.Is(err, store.ErrConflict) != hit || !hit && err != nil {
			t.Errorf("Commit: %v; want a conflict: %v", err, hit)
		}
	}
}
