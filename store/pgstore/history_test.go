package pgstore_test

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/kivisdb/kivis/internal/sharedtest"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/pgstore"
)

// TestHistories has four processes of four writers each read and append, while
// connections are cut and replies to commits lost.
func TestHistories(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	n := 40
	if testing.Short() {
		n = 8
	}
	url := newURL(t)
	var processes []store.Store
	for i := range uint64(4) {
		p := newProxy(t)
		processes = append(processes, open(t, p.url(url), &pgstore.Options{Patience: 100 * time.Millisecond}))
		var mu sync.Mutex
		rnd := rand.New(rand.NewPCG(seed, i))
		p.on(func(_ int64, sent []byte) fate {
			mu.Lock()
			defer mu.Unlock()
			switch x := rnd.Float64(); {
			case x < .02:
				return lose
			case x < .04:
				return loseReply
			}
			return deliver
		})
	}
	sharedtest.Histories(t, processes, func() store.Store { return open(t, url, nil) }, seed, n)
}

// TestPrograms has programs of several processes meet.
func TestPrograms(t *testing.T) {
	sharedtest.Run(t, func(t testing.TB) func() store.Store {
		url := newURL(t)
		return func() store.Store { return open(t, url, nil) }
	})
}
