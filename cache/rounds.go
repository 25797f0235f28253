package cache

import (
	"context"
	"sync"

	"github.com/kivisdb/kivis/store"
)

// rounds asks the origin for its newest version, once for all who want to know. A
// request tells those who came before it was sent. Who comes while it is under
// way waits for the next: its answer may be older than a commit that has returned
// before they came.
type rounds struct {
	mu      sync.Mutex
	running bool
	next    *round
}

// round is a request that has not been sent.
type round struct {
	done    chan struct{}
	version uint64
	err     error
}

func (r *rounds) head(ctx context.Context, f store.Feeder) (uint64, error) {
	mine := r.join(f)
	select {
	case <-mine.done:
		return mine.version, mine.err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// join returns a round that has not been sent yet, and has it sent as soon as none
// is under way.
func (r *rounds) join(f store.Feeder) *round {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.next == nil {
		r.next = &round{done: make(chan struct{})}
	}
	mine := r.next
	if !r.running {
		r.running, r.next = true, nil
		go r.run(mine, f)
	}
	return mine
}

// run sends a round, and then those for which somebody has come meanwhile.
func (r *rounds) run(now *round, f store.Feeder) {
	for now != nil {
		now.version, now.err = f.Head(context.Background())
		close(now.done)
		r.mu.Lock()
		now, r.next = r.next, nil
		r.running = now != nil
		r.mu.Unlock()
	}
}
