package retry

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/kivisdb/kivis/store"
)

// A transaction that keeps losing is run alone after aloneAfter attempts, so
// that nobody starves. Pauses before that double from minPause to maxPause and
// are drawn at random from the upper half ("Exponential Backoff And Jitter",
// M. Brooker, AWS Architecture Blog, 2015: equal jitter).
const (
	aloneAfter = 8
	minPause   = 50 * time.Microsecond
	maxPause   = 5 * time.Millisecond
	minHold    = 20 * time.Millisecond // how long others wait for one that runs alone, at least
)

// conflict marks a conflict of a transaction's own commit, which is retried,
// apart from one that a function brings from elsewhere.
type conflict struct{ error }

func (c conflict) Unwrap() error { return c.error }

// Conflict marks err, from a commit, if it is a conflict. A [Loop] makes an
// attempt again only for an error so marked.
func Conflict(err error) error {
	if errors.Is(err, store.ErrConflict) {
		return conflict{err}
	}
	return err
}

// Unmark returns err without the mark of [Conflict], and whether it had one.
func Unmark(err error) (error, bool) {
	if c, ok := err.(conflict); ok {
		return c.error, true
	}
	return err, false
}

// An Attempt is work in a transaction that can be done again from the start.
type Attempt interface {
	Attempt(ctx context.Context) error
}

// A Loop says how attempts are made again.
type Loop struct {
	Max     int    // how often an attempt is made at most
	Gate    *Gate  // where one that keeps losing runs alone
	Retried func() // called before each attempt but the first
}

// Run makes attempts until one ends in anything but a conflict of its own
// commit, ctx ends, or Max is reached. It returns how often it has run, and
// the error of the last attempt, still marked if it was such a conflict.
func (l *Loop) Run(ctx context.Context, a Attempt) (int, error) {
	var last error         // the last conflict
	var slow time.Duration // how long the slowest attempt took, the first and those that run alone left out
	for n := 1; ; n++ {
		var began time.Time
		timed := n > 1 && n <= aloneAfter
		if timed {
			began = time.Now()
		}
		err := l.once(ctx, n, slow, a)
		if timed {
			slow = max(slow, time.Since(began))
		}
		lost, ok := Unmark(err)
		if !ok {
			if stop := ctx.Err(); stop != nil && last != nil && errors.Is(err, stop) {
				return n, conflict{errors.Join(last, stop)}
			}
			return n, err
		}
		if n == l.Max {
			return n, err
		}
		last = lost
		l.Retried()
		if stop := pause(ctx, n); stop != nil {
			return n, conflict{errors.Join(last, stop)}
		}
	}
}

// once makes attempt n, alone after aloneAfter failures.
func (l *Loop) once(ctx context.Context, n int, slow time.Duration, a Attempt) error {
	if n <= aloneAfter {
		return a.Attempt(ctx)
	}
	inside, done, err := l.Gate.enter(ctx, 2*slow+minHold)
	if err != nil {
		return err
	}
	defer done()
	return a.Attempt(inside)
}

// pause waits before attempt n+1, and returns ctx's error if it ends first.
func pause(ctx context.Context, n int) error {
	d := min(minPause<<min(n, 10), maxPause)
	d = d/2 + rand.N(d/2)
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
