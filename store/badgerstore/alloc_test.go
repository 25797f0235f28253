package badgerstore_test

import (
	"testing"

	"github.com/dgraph-io/badger/v4"

	"github.com/kivisdb/kivis/internal/benchtest"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
)

// The store allocates at most three times more often than Badger by hand.
func TestAllocs(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	opts := &badgerstore.Options{NoSync: true, NoTidy: true}
	raw, err := badger.Open(badgerstore.EngineOptions(t.TempDir(), opts).WithDetectConflicts(true))
	check(t, err)
	defer raw.Close()
	s := open(t, t.TempDir(), opts)
	for i := range 1000 {
		check(t, raw.Update(func(txn *badger.Txn) error { return txn.Set(benchtest.Key(i), benchtest.Value(i)) }))
		check(t, update(s, func(tx store.Tx) error { return tx.Set(benchtest.Key(i), benchtest.Value(i)) }))
	}
	key, value := benchtest.Key(500), benchtest.Value(500)
	next := 1000
	for _, test := range []struct {
		name      string
		raw, ours func()
	}{
		{"get", func() {
			check(t, raw.View(func(txn *badger.Txn) error {
				item, err := txn.Get(key)
				if err != nil {
					return err
				}
				_, err = item.ValueCopy(nil)
				return err
			}))
		}, func() {
			check(t, view(s, func(tx store.Tx) error {
				_, err := tx.Get(key)
				return err
			}))
		}},
		{"get and set", func() {
			next++
			key := benchtest.Key(next)
			check(t, raw.Update(func(txn *badger.Txn) error {
				if _, err := txn.Get(key); err != badger.ErrKeyNotFound {
					return err
				}
				return txn.Set(key, value)
			}))
		}, func() {
			next++
			key := benchtest.Key(next)
			check(t, update(s, func(tx store.Tx) error {
				if _, err := tx.Get(key); err != store.ErrNotFound {
					return err
				}
				return tx.Set(key, value)
			}))
		}},
		{"scan", func() { scanRaw(t, raw, 500, false, false) }, func() { scanOurs(t, s, 500, false, false) }},
		{"reverse scan", func() { scanRaw(t, raw, 500, true, false) }, func() { scanOurs(t, s, 500, true, false) }},
	} {
		r, o := testing.AllocsPerRun(500, test.raw), testing.AllocsPerRun(500, test.ours)
		t.Logf("%s: %.0f, Badger by hand %.0f", test.name, o, r)
		if o > r+3 {
			t.Errorf("%s allocates %.0f times, Badger by hand %.0f", test.name, o, r)
		}
	}
}
