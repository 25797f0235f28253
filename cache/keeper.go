package cache

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/kivisdb/kivis/store"
)

var _ store.Keeper = (*Store)(nil)

// finds are the functions that say what is to be kept, by name.
type finds struct {
	mu   sync.Mutex
	list map[string]*find
}

// find is one of them. Its runs follow each other.
//
// Invariant: while written is open, the layers keep what the function reads.
type find struct {
	s    *Store
	name string
	run  func(context.Context) ([]store.Range, uint64, error)

	ctx  context.Context // ends at Forget, at Close, and where another takes its place
	stop context.CancelFunc

	mu      sync.Mutex
	written <-chan struct{} // closed when something in its ranges has been written
	unwatch func()
	ran     chan struct{} // closed, and replaced, after each run
	ranges  []store.Range // of the last run that went well
	err     error         // of the last run
}

// Keep implements [store.Keeper]: in the persistent layers. An archive keeps
// everything anyhow.
func (s *Store) Keep(ctx context.Context, name string, run func(context.Context) ([]store.Range, uint64, error)) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	if list, everything := s.keepers(); len(list) == 0 && !everything {
		return errKeepsNothing
	}
	f := &find{s: s, name: name, run: run, ran: make(chan struct{})}
	f.ctx, f.stop = context.WithCancel(s.open)
	err := f.once(ctx)
	if err != nil && !(errors.Is(err, store.ErrUnreachable) && s.isKept(name)) {
		f.end()
		return err
	}
	s.finds.put(f)
	if err == nil {
		err = f.keep(f.ranges) // another of the name may have run meanwhile
	}
	s.workers.Go(f.again)
	if errors.Is(err, store.ErrUnreachable) || f.ctx.Err() != nil {
		return nil
	}
	return err
}

// Forget implements [store.Keeper].
func (s *Store) Forget(name string) error {
	if err := s.usable(context.Background()); err != nil {
		return err
	}
	s.finds.drop(name)
	return s.keepRanges(name, nil)
}

// put has f take the place of another of its name.
func (fs *finds) put(f *find) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if old := fs.list[f.name]; old != nil {
		old.stop()
	}
	if fs.list == nil {
		fs.list = make(map[string]*find)
	}
	fs.list[f.name] = f
}

func (fs *finds) drop(name string) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if old := fs.list[name]; old != nil {
		old.stop()
		delete(fs.list, name)
	}
}

// settled returns once each function has run after all that is written now, with
// the error of one that cannot.
func (fs *finds) settled(ctx context.Context) error {
	fs.mu.Lock()
	list := slices.Collect(maps.Values(fs.list))
	fs.mu.Unlock()
	for _, f := range list {
		if err := f.settled(ctx); err != nil {
			return err
		}
	}
	return nil
}

// once runs the function and keeps what it has read. The watch stands before it is
// asked what was written since, and the ranges are kept before it can be marked.
func (f *find) once(ctx context.Context) error {
	ranges, version, err := f.run(ctx)
	var written <-chan struct{}
	var unwatch func()
	if err == nil {
		written, unwatch = f.s.Watch(ranges, version)
		err = f.keep(ranges)
	}
	if err == nil {
		f.ranges = ranges
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
	if unwatch != nil {
		if f.unwatch != nil {
			f.unwatch()
		}
		f.written, f.unwatch = written, unwatch
	}
	close(f.ran)
	f.ran = make(chan struct{})
	return err
}

// keep keeps the ranges, unless f has been ended meanwhile.
func (f *find) keep(ranges []store.Range) error {
	f.s.finds.mu.Lock()
	defer f.s.finds.mu.Unlock()
	if err := f.ctx.Err(); err != nil {
		return err
	}
	if ranges == nil {
		ranges = []store.Range{}
	}
	return f.s.keepRanges(f.name, ranges)
}

// again runs the function whenever what it has read is written, until f ends.
func (f *find) again() {
	defer f.end()
	for {
		f.mu.Lock()
		written, failed := f.written, f.err != nil
		f.mu.Unlock()
		if failed {
			f.s.pause(retry)
		} else {
			select {
			case <-written:
			case <-f.ctx.Done():
			}
		}
		if f.ctx.Err() != nil {
			return
		}
		_ = f.once(f.ctx) // noted in f
	}
}

func (f *find) end() {
	f.stop()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.unwatch != nil {
		f.unwatch()
	}
}

// settled returns once the function has run after all that is written now.
func (f *find) settled(ctx context.Context) error {
	for {
		f.mu.Lock()
		written, ran, err := f.written, f.ran, f.err
		f.mu.Unlock()
		if err != nil {
			return err
		}
		select {
		case <-written:
		default:
			return nil
		}
		select {
		case <-ran:
		case <-ctx.Done():
			return ctx.Err()
		case <-f.ctx.Done():
			return nil // it is no longer wanted
		}
	}
}
