package retry

import (
	"context"
	"sync/atomic"
	"time"
)

// A Gate holds commits back while one attempt runs alone. It does so for a
// time only, which is ample for an attempt like those before it: an attempt
// that waits for the commit of another transaction, perhaps one that its own
// function makes, would otherwise wait for ever.
type Gate struct {
	turn    chan struct{} // one token: who holds it runs alone
	holding atomic.Pointer[turn]
}

// turn is an attempt that runs alone.
type turn struct {
	over  chan struct{} // closed at its end
	until time.Time     // others go on after that in any case
}

// aloneKey marks the context of an attempt that runs alone in a gate.
type aloneKey struct{ gate *Gate }

// NewGate returns a gate in which nobody runs alone.
func NewGate() *Gate { return &Gate{turn: make(chan struct{}, 1)} }

// Wait returns once no other transaction runs alone, or has done so for too
// long. Each commit calls it with the context of its attempt. A commit that
// was past this point when the attempt began can still win against it; there
// are never more of these than goroutines, and the attempt is made again. The
// error is the context's.
func (g *Gate) Wait(ctx context.Context) error {
	for {
		t := g.holding.Load()
		if t == nil || ctx.Value(aloneKey{g}) != nil {
			return nil
		}
		if over, err := t.wait(ctx); !over || err != nil {
			return err
		}
	}
}

// enter waits for the turn to run alone, for hold at most. It returns the
// context to run with, and what ends the turn. Where another keeps its turn
// for too long the attempt runs without one.
func (g *Gate) enter(ctx context.Context, hold time.Duration) (inside context.Context, done func(), err error) {
	inside = context.WithValue(ctx, aloneKey{g}, true)
	for {
		select {
		case g.turn <- struct{}{}:
			return inside, g.acquire(hold), nil
		default:
		}
		t := g.holding.Load()
		if t == nil { // its holder is just coming or going
			if err := pause(ctx, 1); err != nil {
				return nil, nil, err
			}
			continue
		}
		over, err := t.wait(ctx)
		if err != nil {
			return nil, nil, err
		}
		if !over {
			return inside, func() {}, nil
		}
	}
}

// acquire begins a turn and returns what ends it.
func (g *Gate) acquire(hold time.Duration) (done func()) {
	t := &turn{over: make(chan struct{}), until: time.Now().Add(hold)}
	g.holding.Store(t)
	return func() {
		g.holding.Store(nil)
		close(t.over)
		<-g.turn
	}
}

// wait waits for the end of the turn, and reports false where it lasts too long.
func (t *turn) wait(ctx context.Context) (over bool, err error) {
	timer := time.NewTimer(time.Until(t.until))
	defer timer.Stop()
	select {
	case <-t.over:
		return true, nil
	case <-timer.C:
		return false, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}
