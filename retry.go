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
	minHold   = 20 * time.Millisecond // how long others wait for one that runs alone, at least
)

// commitConflict marks a conflict of a transaction's own commit, which is
// retried, apart from one that a function brings from elsewhere. No public
// call returns one.
type commitConflict struct{ error }

func (c commitConflict) Unwrap() error { return c.error }

// commitFault marks err, from a commit, if it is a conflict.
func commitFault(err error) error {
	if errors.Is(err, ErrConflict) {
		return commitConflict{err}
	}
	return wrap("commit", nil, nil, err)
}

// wrapConflict takes the mark off and names the call.
func wrapConflict(op string, err error) error {
	if c, ok := err.(commitConflict); ok {
		return wrap(op, nil, nil, c.error)
	}
	return err
}

// attempter is a transaction that can be made again.
type attempter interface {
	attempt(ctx context.Context) error
}

// attemptFunc is an attempter's only method.
type attemptFunc func(ctx context.Context) error

func (f attemptFunc) attempt(ctx context.Context) error { return f(ctx) }

// retry runs attempt until it ends in anything but a conflict of its own
// commit, ctx ends, or the attempts are used up. It returns how often it ran.
func (db *DB) retry(ctx context.Context, attempt attempter) (int, error) {
	var last error         // the last conflict
	var slow time.Duration // how long the slowest attempt took, the first and those that run alone left out
	for n := 1; ; n++ {
		var began time.Time
		timed := n > 1 && n <= soloAfter
		if timed {
			began = time.Now()
		}
		err := db.tryOnce(ctx, n, slow, attempt)
		if timed {
			slow = max(slow, time.Since(began))
		}
		c, ok := err.(commitConflict)
		if !ok {
			if stop := ctx.Err(); stop != nil && last != nil && errors.Is(err, stop) {
				return n, commitConflict{errors.Join(last, stop)}
			}
			return n, err
		}
		if n == db.opts.MaxAttempts {
			return n, err
		}
		last = c.error
		db.stats.retries.Add(1)
		if stop := pause(ctx, n); stop != nil {
			return n, commitConflict{errors.Join(last, stop)}
		}
	}
}

// tryOnce runs attempt, with other commits held back after soloAfter failures.
func (db *DB) tryOnce(ctx context.Context, n int, slow time.Duration, attempt attempter) error {
	if n <= soloAfter {
		return attempt.attempt(ctx)
	}
	done, err := db.alone.enter(ctx, 2*slow+minHold)
	if err != nil {
		return err
	}
	defer done()
	return attempt.attempt(context.WithValue(ctx, soloKey{db}, true))
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

// soloKey marks the context of an attempt on db that runs alone.
type soloKey struct{ db *DB }

// aloneGate holds commits back while one attempt runs alone. It does so for a
// time only, which is ample for an attempt like those before it: an attempt
// that waits for the commit of another transaction, perhaps one that its own
// function makes, would else wait for ever.
type aloneGate struct {
	turn    chan struct{} // one token: who holds it runs alone
	holding atomic.Pointer[soloRun]
}

// soloRun is an attempt that runs alone.
type soloRun struct {
	over  chan struct{} // closed at its end
	until time.Time     // others go on after that in any case
}

func newAloneGate() *aloneGate {
	return &aloneGate{turn: make(chan struct{}, 1)}
}

// enter waits for the turn to run alone, for hold at most, and returns what
// ends it. Where another keeps the turn for too long the attempt runs without.
func (g *aloneGate) enter(ctx context.Context, hold time.Duration) (done func(), err error) {
	for {
		select {
		case g.turn <- struct{}{}:
			return g.take(hold), nil
		default:
		}
		run := g.holding.Load()
		if run == nil { // its holder is just coming or going
			if err := pause(ctx, 1); err != nil {
				return nil, err
			}
			continue
		}
		over, err := run.wait(ctx)
		if err != nil {
			return nil, err
		}
		if !over {
			return func() {}, nil
		}
	}
}

// take starts a run alone and returns what ends it.
func (g *aloneGate) take(hold time.Duration) (done func()) {
	run := &soloRun{over: make(chan struct{}), until: time.Now().Add(hold)}
	g.holding.Store(run)
	return func() {
		g.holding.Store(nil)
		close(run.over)
		<-g.turn
	}
}

// wait returns once no other transaction runs alone, or has done so for too
// long. A commit that was past this point when the attempt began can still win
// against it; there are never more of these than goroutines, and the attempt
// is made again.
func (g *aloneGate) wait(ctx context.Context, t *txn) error {
	for {
		run := g.holding.Load()
		if run == nil || !t.write || ctx.Value(soloKey{t.db}) != nil {
			return nil
		}
		if over, err := run.wait(ctx); !over || err != nil {
			return err
		}
	}
}

// wait waits for the end of the run, and reports false where it lasts too long.
func (r *soloRun) wait(ctx context.Context) (over bool, err error) {
	timer := time.NewTimer(time.Until(r.until))
	defer timer.Stop()
	select {
	case <-r.over:
		return true, nil
	case <-timer.C:
		return false, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}
