package badgerstore_test

import (
	"testing"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
	"github.com/kivisdb/kivis/store/storetest"
)

// open opens the store in dir, and closes it in the end if the test has not.
func open(t testing.TB, dir string, opts *badgerstore.Options) *badgerstore.Store {
	t.Helper()
	s, err := badgerstore.Open(dir, opts)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestStore(t *testing.T) {
	noSync := &badgerstore.Options{NoSync: true}
	storetest.Run(t,
		func(t testing.TB) store.Store { return open(t, t.TempDir(), noSync) },
		storetest.Reopen(func(t testing.TB, dir string) store.Store { return open(t, dir, noSync) }),
		storetest.Limited(func(t testing.TB) store.Store {
			return open(t, t.TempDir(), &badgerstore.Options{NoSync: true, MaxTx: 1 << 20})
		}))
}
