package tikvtest_test

import (
	"testing"
	"time"

	"github.com/kivisdb/kivis/internal/sharedtest"
	"github.com/kivisdb/kivis/store"
)

// TestHistories has four processes of four writers each read and append.
func TestHistories(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	n := 40
	if testing.Short() {
		n = 10
	}
	l := local(t)
	var processes []store.Store
	for range 4 {
		processes = append(processes, open(t, l, "x", nil))
	}
	sharedtest.Histories(t, processes, func() store.Store { return open(t, l, "x", nil) }, seed, n)
}

// TestPrograms has programs of several processes meet.
func TestPrograms(t *testing.T) {
	sharedtest.Run(t, func(t testing.TB) func() store.Store {
		l := local(t)
		return func() store.Store { return open(t, l, "x", nil) }
	})
}
