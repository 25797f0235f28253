package kivis

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// A transaction that keeps losing is run alone after soloAfter attempts, so
// that nobody starves. Pauses before that double from minPause to maxPause and
// are drawn at random from the upper half ("Exponential Backoff And Jitter",
// M. Brooker, AWS Architecture Blog, 2015: equal jitter).
const (
	soloAfter = 8
	minPause  = 50 * time.Microsecond
	maxPause  = 5 * time.Millisecond
)

// commitConflict marks a conflict of a transaction's own commit, which is
// retried, apart from one that a function brings from elsewhere.
type commitConflict struct{ error }

func (c commitConflict) Unwrap() error { return c.error }

// commitFault marks err, from a commit, if it is a conflict.
func commitFault(err error) error {
	if errors.Is(err, ErrConflict) {
		return commitConflict{err}
	}
	return wrap("commit", nil, nil, err)
}

// isConflictOf reports whether err is a conflict of a transaction's own commit.
func isConflictOf(err error) bool {
	var c commitConflict
	return errors.As(err, &c)
}

// wrapConflict takes the mark off and names the call.
func wrapConflict(op string, err error) error {
	var c commitConflict
	if errors.As(err, &c) {
		return wrap(op, nil, nil, err)
	}
	return err
}

// retry runs attempt until it ends in anything but a conflict of its own
// commit, ctx ends, or the attempts are used up. It returns how often it ran.
func (db *DB) retry(ctx context.Context, attempt func(context.Context) error) (int, error) {
	for n := 1; ; n++ {
		err := db.tryOnce(ctx, n, attempt)
		var c commitConflict
		if err == nil || !errors.As(err, &c) {
			return n, err
		}
		if n == db.opts.MaxAttempts {
			return n, err
		}
		db.stats.retries.Add(1)
		if stop := pause(ctx, n); stop != nil {
			return n, commitConflict{errors.Join(c.error, stop)}
		}
	}
}

// tryOnce runs attempt, with other commits held back after soloAfter failures.
func (db *DB) tryOnce(ctx context.Context, n int, attempt func(context.Context) error) error {
	if n <= soloAfter {
		return attempt(ctx)
	}
	done, err := db.alone.enter(ctx)
	if err != nil {
		return err
	}
	defer done()
	return attempt(context.WithValue(ctx, soloKey{}, true))
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

// soloKey marks the context of an attempt that runs alone.
type soloKey struct{}

// aloneGate holds commits back while one attempt runs alone.
type aloneGate struct {
	turn    chan struct{} // one token: who holds it runs alone
	holding atomic.Pointer[chan struct{}]
}

func newAloneGate() *aloneGate {
	return &aloneGate{turn: make(chan struct{}, 1)}
}

// enter waits for the turn to run alone and returns what ends it.
func (g *aloneGate) enter(ctx context.Context) (done func(), err error) {
	select {
	case g.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	over := make(chan struct{})
	g.holding.Store(&over)
	return func() {
		g.holding.Store(nil)
		close(over)
		<-g.turn
	}, nil
}

// wait returns once no other transaction runs alone. A commit that was past
// this point when the attempt began can still win against it; there are never
// more of these than goroutines, and the attempt is made again.
func (g *aloneGate) wait(ctx context.Context, t *txn) error {
	for {
		over := g.holding.Load()
		if over == nil || !t.write || ctx.Value(soloKey{}) != nil {
			return nil
		}
		select {
		case <-*over:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
