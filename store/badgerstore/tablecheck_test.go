package badgerstore_test

import (
	"testing"

	"github.com/kivisdb/kivis/internal/benchtest"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
)

// A part of a table that was checked is not checked again, which after a few
// times would be the whole table.
func TestCheckedOnce(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir, 30_000)
	s := open(t, dir, &badgerstore.Options{ReadOnly: true}) // so that nothing checks them in the background
	check(t, view(s, func(tx store.Tx) error {
		for range 50 {
			for _, i := range []int{0, 15_000, 29_999} {
				if _, err := tx.Get(benchtest.Key(i)); err != nil {
					return err
				}
			}
		}
		return nil
	}))
	if n := badgerstore.PartChecks(s); n < 1 || n > 3 {
		t.Errorf("a table had parts checked %d times for gets of 3 keys", n)
	}
}
