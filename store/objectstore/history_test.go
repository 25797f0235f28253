package objectstore_test

import (
	"testing"
	"time"

	"github.com/kivisdb/kivis/internal/sharedtest"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/objectstore"
)

// TestHistories has four processes of four writers each read and append over a bad
// network, while they make checkpoints and collect.
func TestHistories(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	url := newURL(newServer(t))
	n := 40
	if testing.Short() {
		n = 8
	}
	var processes []store.Store
	for p := range uint64(4) {
		network := &network{}
		s := open(t, url, &objectstore.Options{Transport: network, Patience: 100 * time.Millisecond, Keep: time.Millisecond, Checkpoint: 2000})
		network.fail(map[fate]float64{cut: .01, lose: .01, loseReply: .02, twice: .03, late: .02}, time.Millisecond, seed+p)
		defer network.work.Wait()
		processes = append(processes, s)
	}
	sharedtest.Histories(t, processes, func() store.Store { return open(t, url, nil) }, seed, n)
}

// TestPrograms has programs of several processes meet.
func TestPrograms(t *testing.T) {
	server := newServer(t)
	sharedtest.Run(t, func(t testing.TB) func() store.Store {
		url := newURL(server)
		return func() store.Store { return open(t, url, nil) }
	})
}
