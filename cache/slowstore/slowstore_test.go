package slowstore_test

import (
	"testing"

	"github.com/kivisdb/kivis/cache/slowstore"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/memstore"
	"github.com/kivisdb/kivis/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t testing.TB) store.Store {
		return slowstore.Wrap(memstore.New(), slowstore.Options{Twice: 0.2})
	})
}
