package tikvtest_test

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"testing"

	"github.com/pingcap/log"
	"go.uber.org/zap/zapcore"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/storetest"
	"github.com/kivisdb/kivis/store/tikvstore"
	"github.com/kivisdb/kivis/store/tikvstore/tikvtest"
)

var background = context.Background()

func TestMain(m *testing.M) {
	log.SetLevel(zapcore.FatalLevel)
	os.Exit(m.Run())
}

var made atomic.Int64

// newName returns the name of a store that is not there.
func newName() string { return fmt.Sprint("test", made.Add(1)) }

// local returns a cluster, closed at the end of the test.
func local(t testing.TB) *tikvtest.Local {
	t.Helper()
	l, err := tikvtest.NewLocal()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Errorf("closing the cluster: %v", err)
		}
	})
	return l
}

// open opens a store in a cluster, closed at the end of the test.
func open(t testing.TB, l *tikvtest.Local, name string, o *tikvstore.Options) *tikvstore.Store {
	t.Helper()
	s, err := tikvstore.OpenClient(background, l.Client(), name, o)
	if err != nil {
		t.Fatal(err)
	}
	closing(t, s)
	return s
}

func closing(t testing.TB, s store.Store) {
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
}

// TestStore is the whole test of a store, in a cluster in this process.
func TestStore(t *testing.T) {
	l := local(t)
	stores := map[string]string{}
	storetest.Run(t,
		func(t testing.TB) store.Store { return open(t, l, newName(), nil) },
		storetest.Reopen(func(t testing.TB, dir string) store.Store {
			if stores[dir] == "" {
				stores[dir] = newName()
			}
			return open(t, l, stores[dir], nil)
		}),
		storetest.Limited(func(t testing.TB) store.Store {
			return open(t, l, newName(), &tikvstore.Options{MaxTx: 1 << 20})
		}),
	)
}
