package cache

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// follow has the layers follow the origin at least to the version head.
//
// The order is: the origin's transaction is begun; what was written up to its
// version is noted; each layer takes it in; the version is published.
func (s *Store) follow(ctx context.Context, head uint64) error {
	select {
	case s.following <- struct{}{}:
		defer func() { <-s.following }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.isAt(head) {
		return nil
	}
	return s.step(ctx)
}

// step has the layers follow the origin to its newest version, with following
// held.
func (s *Store) step(ctx context.Context) error {
	began := time.Now().UnixNano()
	tx, err := s.origin.Begin(context.WithoutCancel(ctx), false)
	if err != nil {
		return err
	}
	keys, err := s.advance(ctx, tx)
	if err != nil {
		tx.Discard()
		return err
	}
	s.publish(newView(s, tx), keys)
	s.doubt.Store(false)
	s.hist.checked.Store(began)
	return nil
}

// advance has the layers follow to what tx sees, and returns the keys that were
// written since, or nil where it is not known which.
func (s *Store) advance(ctx context.Context, tx store.Tx) (iter.Seq[[]byte], error) {
	from, to := s.current.Load().as.version, tx.Version()
	life, err := incarnationOf(tx)
	if err != nil {
		return nil, err
	}
	if life != s.life || to < from {
		return nil, s.restart(life, to)
	}
	writes, err := s.written(ctx, from, to)
	switch {
	case errors.Is(err, store.ErrGap):
		return nil, s.restart(life, to)
	case err != nil:
		return nil, err
	}
	if err := s.complete(tx, writes); err != nil {
		return nil, err
	}
	s.hist.note(to, writes)
	for _, l := range s.layers {
		if l.behind {
			if err := s.catchUpOne(l, tx); err != nil {
				return nil, err
			}
			continue
		}
		l.apply(to, writes)
	}
	return keysOf(writes), nil
}

// restart has the layers know nothing, as of a version: what came before it is
// not known, or was never so.
func (s *Store) restart(life schema.Incarnation, version uint64) error {
	s.life = life
	s.hist.init(version)
	s.core.EndWriters(store.ErrConflict)
	for _, l := range s.layers {
		l.reset(mark{life: life, position: version})
	}
	return nil
}

// written returns what was written after one version, up to another: of each key
// the last write.
func (s *Store) written(ctx context.Context, from, to uint64) ([]write, error) {
	if from == to {
		return nil, nil
	}
	var writes []write
	index := map[string]int{}
	add := func(w write) {
		i, ok := index[string(w.key)]
		if !ok {
			index[string(w.key)] = len(writes)
			writes = append(writes, w)
			return
		}
		writes[i] = w
	}
	err := s.feeder.Changes(ctx, from, func(c store.Commit) bool {
		if c.Version > to {
			return false
		}
		values := s.stash.take(c.Version)
		for _, w := range c.Writes {
			add(write{w.Key, c.Version, w.Deleted, values.of(w.Key)})
		}
		return true
	})
	return writes, err
}

// maxComplete is how many values are read while somebody waits for the layers to
// follow. Of more changes, a layer lets go, and copies them by and by.
const maxComplete = 4096

// complete adds the values of what layers keep, where nobody has told them.
func (s *Store) complete(tx store.Tx, writes []write) error {
	var want []int
	for i := range writes {
		if w := &writes[i]; !w.deleted && w.value == nil && s.wanted(w.key) {
			want = append(want, i)
		}
	}
	if len(want) == 0 || len(want) > maxComplete {
		return nil
	}
	keys, values := make([][]byte, len(want)), make([][]byte, len(want))
	for i, at := range want {
		keys[i] = writes[at].key
	}
	if err := tx.GetMany(keys, values); err != nil {
		return err
	}
	for i, at := range want {
		writes[at].value = values[i]
	}
	return nil
}

// wanted says whether a layer keeps key.
func (s *Store) wanted(key []byte) bool {
	return slices.ContainsFunc(s.layers, func(l *layer) bool { return l.wants(key) })
}

// publish makes next the newest view, and with it its version, up to which keys
// were written.
func (s *Store) publish(next *view, keys iter.Seq[[]byte]) {
	old := s.current.Load()
	swap := func([]uint64) { s.current.Store(next) }
	if s.watches {
		s.core.PublishOthers(next.as.version, keys, swap)
	} else {
		s.core.Publish(next.as.version, swap)
	}
	old.stop()
	old.release()
	if next.pinned() {
		next.watch()
	}
}

func keysOf(writes []write) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for i := range writes {
			if !yield(writes[i].key) {
				return
			}
		}
	}
}

// watch has a view let go of the origin when nobody has used it for a while, so
// that the origin need not keep the version for nobody.
func (v *view) watch() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.stopped {
		v.timer = time.AfterFunc(idle, v.expire)
	}
}

// stop ends what watch began.
func (v *view) stop() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stopped = true
	if v.timer != nil {
		v.timer.Stop()
	}
}

func (v *view) expire() {
	select {
	case v.s.following <- struct{}{}:
		defer func() { <-v.s.following }()
	default:
		v.watch()
		return
	}
	if v.s.current.Load() != v {
		return
	}
	dropped := false
	v.s.core.Publish(v.as.version, func([]uint64) {
		if v.refs.Load() == 1 {
			v.s.current.Store(unpinned(v.s, v.as.version))
			dropped = true
		}
	})
	if dropped {
		v.release()
	} else {
		v.watch()
	}
}
