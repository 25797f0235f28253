package cache

import (
	"errors"
	"sync"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/occ"
)

var (
	_ occ.Reader    = (*reader)(nil)
	_ store.Counter = (*reader)(nil)
)

// reader reads one version: from the first layer that knows, or else from the
// origin, and has the layers before it keep what it has read.
type reader struct {
	s *Store
	v *view
}

var readers = sync.Pool{New: func() any { return new(reader) }}

// Close implements [occ.Reader].
func (r *reader) Close() {
	r.v.release()
	*r = reader{}
	readers.Put(r)
}

// Get implements [occ.Reader].
func (r *reader) Get(key []byte) ([]byte, error) {
	value, at, a := r.s.ask(key, r.v.as)
	if a == unknown {
		return r.fetch(key)
	}
	if at > 0 {
		r.s.keep(at, single(key, value, r.v.as))
	}
	if a == absent {
		return nil, store.ErrNotFound
	}
	return value, nil
}

// ask asks the layers for a key, and says which has answered.
func (s *Store) ask(key []byte, m moment) (value []byte, at int, a answer) {
	for i, l := range s.layers {
		if value, a = l.get(key, m); a != unknown {
			l.hits.Add(1)
			return value, i, a
		}
		l.misses.Add(1)
	}
	return nil, len(s.layers), unknown
}

// nearest asks the nearest layer alone. That it does not know is no miss yet: all of
// them are asked then.
func (s *Store) nearest(key []byte, m moment) (value []byte, a answer) {
	if len(s.layers) == 0 {
		return nil, unknown
	}
	if value, a = s.layers[0].get(key, m); a != unknown {
		s.layers[0].hits.Add(1)
	}
	return value, a
}

// fetch reads a key of the origin.
func (r *reader) fetch(key []byte) ([]byte, error) {
	value, first, err := r.v.get(key)
	if first && (err == nil || errors.Is(err, store.ErrNotFound)) {
		r.s.keep(len(r.s.layers), single(key, value, r.v.as))
	}
	return value, err
}

// single is the filling that one key is, a nil value meaning that it is absent.
func single(key, value []byte, m moment) *filling {
	f := &filling{lo: key, hi: behind(key), whole: value == nil, as: m}
	if value != nil {
		f.entries = []entry{{key, value}}
	}
	return f
}

// keep has the layers before one keep what was read from that.
func (s *Store) keep(before int, f *filling) {
	for _, l := range s.layers[:before] {
		l.fill(f)
	}
}

// GetMany implements [occ.Reader].
func (r *reader) GetMany(keys, values [][]byte) error {
	var missing []int
	for i, key := range keys {
		value, at, a := r.s.ask(key, r.v.as)
		if a == unknown {
			missing = append(missing, i)
			continue
		}
		values[i] = value
		if at > 0 {
			r.s.keep(at, single(key, value, r.v.as))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return r.fetchMany(keys, values, missing)
}

func (r *reader) fetchMany(keys, values [][]byte, missing []int) error {
	asked, found := make([][]byte, len(missing)), make([][]byte, len(missing))
	for i, at := range missing {
		asked[i] = keys[at]
	}
	if err := r.v.getMany(asked, found); err != nil {
		return err
	}
	for i, at := range missing {
		values[at] = found[i]
	}
	for i, key := range asked {
		r.s.keep(len(r.s.layers), single(key, found[i], r.v.as))
	}
	return nil
}

// Scan implements [occ.Reader].
func (r *reader) Scan(rg store.Range) (store.Cursor, error) {
	return newCursor(r, rg), nil
}

// Count implements [store.Counter]. It fills nothing: a count has no values.
func (r *reader) Count(rg store.Range) (int, error) {
	sum := 0
	for rg.Hi == nil || string(rg.Lo) < string(rg.Hi) {
		n, rest, more, err := r.countSome(rg)
		if err != nil {
			return 0, err
		}
		sum += n
		if !more {
			break
		}
		rg.Lo = rest
	}
	return sum, nil
}

// countSome counts the beginning of a range, and returns where the rest begins.
func (r *reader) countSome(rg store.Range) (n int, rest []byte, more bool, err error) {
	for _, l := range r.s.layers {
		p, ok := l.piece(rg, r.v.as)
		if !ok {
			continue
		}
		p.cur.Close()
		n, err := store.Count(p.tx, l.rangeOf(p.r))
		p.tx.Discard()
		if err != nil {
			l.fail(err)
			continue
		}
		return n, p.r.Hi, !covers(p.r.Hi, rg.Hi), nil
	}
	part := rg
	part.Hi = r.s.nextKnown(rg)
	n, err = r.v.count(part)
	return n, part.Hi, !covers(part.Hi, rg.Hi), err
}
