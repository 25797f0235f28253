package storetest_test

import (
	"testing"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/memstore"
	"github.com/kivisdb/kivis/store/storetest"
)

// The whole test of a store.
func ExampleRun() {
	var t *testing.T // the test's own

	storetest.Run(t, func(testing.TB) store.Store { return memstore.New() })
}
