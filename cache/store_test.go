package cache_test

import (
	"path/filepath"
	"testing"

	"github.com/kivisdb/kivis/cache"
	"github.com/kivisdb/kivis/internal/testform"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
	"github.com/kivisdb/kivis/store/memstore"
	"github.com/kivisdb/kivis/store/storetest"
)

// stack returns layers over an origin in memory.
func stack(t testing.TB, layers ...cache.Layer) store.Store {
	t.Helper()
	s, err := cache.Stack(memstore.New(), layers...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore(t *testing.T) {
	for _, test := range []struct {
		name   string
		layers func(t testing.TB) []cache.Layer
	}{
		{"no layer", func(testing.TB) []cache.Layer { return nil }},
		{"memory", func(testing.TB) []cache.Layer { return []cache.Layer{cache.Memory(64 << 20)} }},
		{"little memory", func(testing.TB) []cache.Layer { return []cache.Layer{cache.Memory(16 << 10)} }},
		{"little persistent", func(testing.TB) []cache.Layer { return []cache.Layer{cache.Persistent(memstore.New(), 16<<10)} }},
		{"archive", func(testing.TB) []cache.Layer { return []cache.Layer{cache.Archive(memstore.New())} }},
		{"all", func(testing.TB) []cache.Layer {
			return []cache.Layer{cache.Memory(20 << 10), cache.Memory(64 << 20), cache.Persistent(memstore.New(), 64<<10), cache.Archive(memstore.New())}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.name != "little memory" && test.name != "all" {
				testform.Long(t, "the two that forget, and have every kind of layer, stand for the others")
			}
			storetest.Run(t, func(t testing.TB) store.Store { return stack(t, test.layers(t)...) })
		})
	}
}

// TestStoreOnDisk has the origin, and the layers that outlive the process, in
// directories: what is committed is there when they are opened again.
func TestStoreOnDisk(t *testing.T) {
	testform.Long(t, "writes much to a disk")
	open := func(t testing.TB, dir string) store.Store {
		disk := func(name string) store.Store {
			st, err := badgerstore.Open(filepath.Join(dir, name), &badgerstore.Options{NoSync: true})
			if err != nil {
				t.Fatal(err)
			}
			return st
		}
		s, err := cache.Stack(disk("origin"), cache.Memory(64<<10), cache.Archive(disk("archive")))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	storetest.Run(t, func(t testing.TB) store.Store { return open(t, t.TempDir()) }, storetest.Reopen(open))
}
