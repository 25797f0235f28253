package retry_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kivisdb/kivis/internal/retry"
	"github.com/kivisdb/kivis/store"
)

// attempt is an Attempt that is a function.
type attempt func(ctx context.Context) error

func (a attempt) Attempt(ctx context.Context) error { return a(ctx) }

// loop returns a loop of at most n attempts that counts how often it retries.
func loop(n int) (*retry.Loop, *int) {
	retried := new(int)
	return &retry.Loop{Max: n, Gate: retry.NewGate(), Retried: func() { *retried++ }}, retried
}

// TestLoop: only a marked conflict is tried again, Max times at most.
func TestLoop(t *testing.T) {
	other := errors.New("something else")
	lost := retry.Conflict(fmt.Errorf("at commit: %w", store.ErrConflict))
	for _, c := range []struct {
		name    string
		results []error // of the attempts; the last one repeats
		runs    int
		want    error
		marked  bool
	}{
		{"success", []error{nil}, 1, nil, false},
		{"another error", []error{other}, 1, other, false},
		{"a conflict from elsewhere", []error{store.ErrConflict}, 1, store.ErrConflict, false},
		{"conflicts, then success", []error{lost, lost, nil}, 3, nil, false},
		{"conflicts, then another error", []error{lost, other}, 2, other, false},
		{"conflicts only", []error{lost}, 12, store.ErrConflict, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, retried := loop(12)
				runs := 0
				n, err := l.Run(t.Context(), attempt(func(context.Context) error {
					runs++
					return c.results[min(runs, len(c.results))-1]
				}))
				if n != c.runs || runs != c.runs || *retried != c.runs-1 {
					t.Errorf("Run says %d, ran %d times and retried %d times; want %d", n, runs, *retried, c.runs)
				}
				if !errors.Is(err, c.want) {
					t.Errorf("Run = %v, want %v", err, c.want)
				}
				if _, marked := retry.Unmark(err); marked != c.marked {
					t.Errorf("marked = %t, want %t", marked, c.marked)
				}
			})
		})
	}
}

// TestLoopEndsWithContext: the end of the context ends the pauses, and the
// error has the conflict in it.
func TestLoopEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := loop(1000)
		ctx, cancel := context.WithCancel(t.Context())
		runs := 0
		_, err := l.Run(ctx, attempt(func(context.Context) error {
			if runs++; runs == 3 {
				cancel()
			}
			return retry.Conflict(store.ErrConflict)
		}))
		if runs != 3 || !errors.Is(err, context.Canceled) || !errors.Is(err, store.ErrConflict) {
			t.Errorf("%d runs, %v; want 3, cancelled and conflict", runs, err)
		}
	})
}

// TestGate: while an attempt runs alone others wait at the gate, itself passes,
// and nobody waits for ever.
func TestGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := loop(20)
		var passed atomic.Int32
		alone := make(chan struct{})
		finish := make(chan struct{})
		runs := 0
		var wg sync.WaitGroup
		wg.Go(func() {
			l.Run(t.Context(), attempt(func(ctx context.Context) error {
				if runs++; runs <= 8 {
					return retry.Conflict(store.ErrConflict)
				}
				if err := l.Gate.Wait(ctx); err != nil {
					t.Errorf("who runs alone cannot pass: %v", err)
				}
				close(alone)
				<-finish
				return nil
			}))
		})
		<-alone
		other := func() {
			if err := l.Gate.Wait(t.Context()); err != nil {
				t.Error(err)
			}
			passed.Add(1)
		}
		wg.Go(other)
		time.Sleep(time.Millisecond)
		if n := passed.Load(); n != 0 {
			t.Errorf("%d passed the gate beside one that runs alone", n)
		}
		close(finish)
		wg.Wait()
		if n := passed.Load(); n != 1 {
			t.Errorf("%d passed the gate at last, want 1", n)
		}
	})
}

// TestGateGivesUp: one that runs alone for too long, or waits for another
// commit, holds nobody for ever.
func TestGateGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := loop(20)
		runs := 0
		_, err := l.Run(t.Context(), attempt(func(context.Context) error {
			if runs++; runs <= 8 {
				return retry.Conflict(store.ErrConflict)
			}
			return l.Gate.Wait(context.Background()) // as of another transaction
		}))
		if err != nil || runs != 9 {
			t.Errorf("%d runs, %v; want 9 and no error", runs, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := l.Gate.Wait(ctx); err != nil {
			t.Errorf("Wait with nobody alone = %v", err)
		}
	})
}
