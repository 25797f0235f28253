package pebblestore

import "github.com/cockroachdb/pebble/v2"

// applier is the goroutine that hands batches to the engine, one at a time. It may
// not come back from there; see [collapse].
type applier struct {
	s    *Store
	work chan *pebble.Batch
	done chan applied
}

// applied is what has become of a batch, and a snapshot of what the engine has.
type applied struct {
	snap *snapshot
	err  error
}

func newApplier(s *Store) *applier {
	a := &applier{s: s, work: make(chan *pebble.Batch), done: make(chan applied, 1)}
	go func() {
		for b := range a.work {
			a.done <- a.try(b)
		}
	}()
	return a
}

// try commits a batch. Pebble syncs with Options.NoSync, too: it is the file that
// knows how, and without Pebble would keep the data to itself for a while.
func (a *applier) try(b *pebble.Batch) (r applied) {
	defer a.s.caught(&r.err)
	if r.err = a.s.engineError("commit", a.s.db.Apply(b, pebble.Sync)); r.err != nil {
		return r
	}
	r.snap, r.err = a.s.newSnapshot()
	return r
}

// apply commits a batch and returns a snapshot with it, or why the engine has ended.
func (a *applier) apply(b *pebble.Batch) (*snapshot, error) {
	select {
	case a.work <- b:
	case <-a.s.collapse.ended:
		return nil, a.s.collapse.err()
	}
	select {
	case r := <-a.done:
		return r.snap, r.err
	case <-a.s.collapse.ended:
		return nil, a.s.collapse.err()
	}
}

// end ends the goroutine, if it can be.
func (a *applier) end() { close(a.work) }
