package remote_test

import (
	"context"
	"testing"
	"time"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/remote"
	"github.com/kivisdb/kivis/store/remote/remotetest"
	"github.com/kivisdb/kivis/store/storetest"
)

var background = context.Background()

// open returns a store over b, closed at the end of the test.
func open(t testing.TB, b remote.Backend, o *remote.Options) *remote.Store {
	t.Helper()
	s, err := remote.Open(background, b, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// engines are those of Reopen, by directory.
type engines map[string]*remotetest.Backend

func (e engines) open(t testing.TB, dir string) store.Store {
	if e[dir] == nil {
		e[dir] = remotetest.New()
	}
	return open(t, e[dir], nil)
}

func TestStore(t *testing.T) {
	storetest.Run(t,
		func(t testing.TB) store.Store { return open(t, remotetest.New(), nil) },
		storetest.Reopen(engines{}.open),
		storetest.Limited(func(t testing.TB) store.Store { return open(t, remotetest.New(), &remote.Options{MaxTx: 1 << 20}) }),
	)
}

// TestStoreOverBadNetwork is the same where requests and replies are lost, or come
// twice.
func TestStoreOverBadNetwork(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	storetest.Run(t, func(t testing.TB) store.Store {
		b := remotetest.New()
		s := open(t, b, &remote.Options{Patience: time.Minute})
		b.Fail(remotetest.Faults{Lose: .005, LoseReply: .01, Repeat: .05}, seed)
		return s
	})
}
