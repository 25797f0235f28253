package cache

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/occ"
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
	writes, known, err := s.advance(ctx, tx)
	if err != nil {
		tx.Discard()
		return err
	}
	s.publish(newView(s, tx), s.told(writes, known))
	s.doubt.Store(false)
	s.hist.checked.Store(began)
	return nil
}

// advance has the layers follow to what tx sees, and returns what was written since, and
// whether that is known.
func (s *Store) advance(ctx context.Context, tx store.Tx) (writes []write, known bool, err error) {
	from, to := s.current.Load().as.version, tx.Version()
	writes, stashed := s.stashed(from, to)
	life, err := s.lifeOf(tx, writes, stashed)
	if err != nil {
		return nil, false, err
	}
	if life != s.life || to < from {
		return nil, false, s.restart(life, to)
	}
	if !stashed {
		writes, err = s.written(ctx, from, to)
	}
	switch {
	case errors.Is(err, store.ErrGap):
		return nil, false, s.restart(life, to)
	case err != nil:
		return nil, false, err
	}
	if err := s.complete(tx, writes); err != nil {
		return nil, false, err
	}
	s.hist.note(to, writes)
	for _, l := range s.layers {
		if l.behind {
			if err := s.catchUpOne(l, tx); err != nil {
				return nil, false, err
			}
			continue
		}
		l.apply(to, writes)
	}
	return writes, true, nil
}

// stashed returns what was written after one version, up to the next, and whether the
// stash has it. The origin has told of each of its versions, so nothing is missing.
func (s *Store) stashed(from, to uint64) ([]write, bool) {
	if to != from+1 {
		return nil, false
	}
	changes := s.stash.take(to)
	if changes == nil {
		return nil, false
	}
	writes := make([]write, len(changes))
	for i, c := range changes {
		writes[i] = write{c.Key, to, c.Value == nil, c.Value}
	}
	return writes, true
}

var incarnationKey = schema.IncarnationKey()

// lifeOf returns the incarnation of the database that tx sees. That of an embedded
// origin stays as it is while nobody writes it: it is not read again where it is known
// what was written.
func (s *Store) lifeOf(tx store.Tx, writes []write, known bool) (schema.Incarnation, error) {
	wrote := func(w write) bool { return bytes.Equal(w.key, incarnationKey) }
	if known && s.embedded && !s.doubt.Load() && !slices.ContainsFunc(writes, wrote) {
		return s.life, nil
	}
	return incarnationOf(tx)
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

// publish makes next the newest view, and with it its version, up to which keys were
// written; nil where it is not known which.
func (s *Store) publish(next *view, keys *occ.Overlay) {
	old := s.current.Load()
	s.core.Follow(next.as.version, time.Now(), keys, func([]uint64) { s.current.Store(next) })
	old.release()
	if next.pinned() {
		s.idler.begin(s)
	}
}

// nothing is what a core is told that has no watches: the origin has them, and says who
// conflicts.
var nothing = new(occ.Overlay)

// told returns what the core is told of writes: the keys, or nil where they are not known.
func (s *Store) told(writes []write, known bool) *occ.Overlay {
	switch {
	case !s.watches:
		return nothing
	case !known:
		return nil
	}
	keys := new(occ.Overlay)
	for i := range writes {
		keys.Put(occ.Pivot(writes[i].key))
	}
	return keys
}
