package remotetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/kivisdb/kivis/store"
)

// Faults say what becomes of requests. Probabilities are from 0 to 1.
type Faults struct {
	Delay     time.Duration // at random up to so long, before and after
	Lose      float64       // the request does not arrive
	LoseReply float64       // it is carried out, and the reply does not arrive
	Repeat    float64       // it is carried out again later on
	Cut       bool          // nothing arrives, which is known at once
}

// network is what lies between a store and the engine.
type network struct {
	mu     sync.Mutex
	rnd    *rand.Rand
	faults Faults
	calls  map[string]int
	before func(call string)
}

// Fail sets what becomes of requests from here on, by the numbers of a seed.
func (b *Backend) Fail(f Faults, seed uint64) {
	n := &b.network
	n.mu.Lock()
	defer n.mu.Unlock()
	n.faults, n.rnd = f, rand.New(rand.NewPCG(seed, 0))
}

// Before has f called before each request is carried out, with its method's name.
func (b *Backend) Before(f func(call string)) {
	b.network.mu.Lock()
	defer b.network.mu.Unlock()
	b.network.before = f
}

// Calls returns how many requests there were, by method, since the last time.
func (b *Backend) Calls() map[string]int {
	n := &b.network
	n.mu.Lock()
	defer n.mu.Unlock()
	calls := n.calls
	n.calls = nil
	return calls
}

// fate is what becomes of one request.
type fate struct {
	there, back   time.Duration
	lost, noReply bool
	again         time.Duration // 0: it is not repeated
	cut           bool
	before        func(call string)
}

// decide draws a fate.
func (n *network) decide(call string) fate {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.calls == nil {
		n.calls = map[string]int{}
	}
	n.calls[call]++
	f := fate{cut: n.faults.Cut, before: n.before}
	if n.rnd == nil {
		return f
	}
	if d := n.faults.Delay; d > 0 {
		f.there, f.back = time.Duration(n.rnd.Int64N(int64(d))), time.Duration(n.rnd.Int64N(int64(d)))
	}
	f.lost, f.noReply = n.rnd.Float64() < n.faults.Lose, n.rnd.Float64() < n.faults.LoseReply
	if n.rnd.Float64() < n.faults.Repeat {
		f.again = 1 + 4*f.back
	}
	return f
}

// call carries a request out, or not, or twice.
func (n *network) call(ctx context.Context, name string, do func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f := n.decide(name)
	if f.cut {
		return fmt.Errorf("remotetest: %s: the network is cut: %w", name, store.ErrUnreachable)
	}
	time.Sleep(f.there)
	if f.before != nil {
		f.before(name)
	}
	if f.lost {
		return lost(name)
	}
	err := do()
	if f.again > 0 && name == "Commit" { // others would write to what was returned
		time.AfterFunc(f.again, func() { do() })
	}
	time.Sleep(f.back)
	if f.noReply {
		return lost(name)
	}
	return err
}

// lost is what a caller sees who gets no reply.
func lost(name string) error {
	if name == "Commit" {
		return fmt.Errorf("remotetest: %s: no reply", name)
	}
	return fmt.Errorf("remotetest: %s: no reply: %w", name, store.ErrUnreachable)
}
