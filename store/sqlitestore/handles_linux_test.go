package sqlitestore_test

import (
	"math/rand/v2"
	"os"
	"testing"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/sqlitestore"
)

// TestHandles: nothing stays open of a store that is closed, or that could not be
// opened.
func TestHandles(t *testing.T) {
	all, h := small(t, true)
	path := fileIn(t.TempDir())
	all.put(t, path)
	cycle := func() {
		s, err := sqlitestore.Open(path, nil)
		check(t, err)
		c := h.at[h.last]
		check(t, c.read(t, s))
		c.write(t, s, rand.New(rand.NewPCG(1, 2)), 60, 10)
		check(t, s.Verify(ctx))
		if _, err := sqlitestore.Open(path, nil); err == nil {
			t.Error("it opens twice")
		}
		check(t, view(s, func(tx store.Tx) error {
			_, err := tx.Scan(store.Range{}) // left open
			return err
		}))
		check(t, s.Close())
		s, err = sqlitestore.Open(path, &sqlitestore.Options{ReadOnly: true})
		check(t, err)
		check(t, c.read(t, s))
		check(t, s.Close())
		if _, err := sqlitestore.Open(os.DevNull, nil); err == nil {
			t.Errorf("%s is a store", os.DevNull)
		}
	}
	cycle()
	before := handles(t)
	for range 5 {
		cycle()
	}
	if after := handles(t); after > before {
		t.Errorf("there are %d open files, there were %d", after, before)
	}
}

func handles(t *testing.T) int {
	names, err := os.ReadDir("/proc/self/fd")
	check(t, err)
	return len(names)
}
