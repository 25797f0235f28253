package cache

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/kivisdb/kivis/store"
)

// What is kept under names. A layer that outlives the process, and may forget,
// does not forget what lies in the ranges that are kept; what it does not know of
// them is copied, as an archive copies everything.

// pinKey is where the local store of a layer has the ranges that are kept under a
// name, which follows.
var pinKey = []byte{0, 1}

// pins are the ranges that a layer keeps.
type pins struct {
	byName map[string][]store.Range
	all    *intervals // of all names
}

// with returns p with the ranges of a name replaced; nil has the name gone.
func (p *pins) with(name string, ranges []store.Range) *pins {
	next := &pins{byName: make(map[string][]store.Range), all: newIntervals()}
	if p != nil {
		for n, rs := range p.byName {
			next.byName[n] = rs
		}
	}
	delete(next.byName, name)
	if ranges != nil {
		next.byName[name] = ranges
	}
	d := next.all.draft()
	for _, rs := range next.byName {
		for _, r := range rs {
			if under(r.Lo, r.Hi) {
				d.add(bytes.Clone(r.Lo), bytes.Clone(r.Hi))
			}
		}
	}
	next.all = &d.intervals
	return next
}

// pinned returns the ranges that l keeps, or nil.
func (l *layer) pinned() *intervals {
	if p := l.pins.Load(); p != nil && p.all.len() > 0 {
		return p.all
	}
	return nil
}

// wants says whether l is to know key, and does.
func (l *layer) wants(key []byte) bool {
	kept := l.pinned()
	return (l.archive || kept != nil && kept.has(key)) && l.known.Load().has(key)
}

// missing returns the first range that l is to know and does not.
func (l *layer) missing() (r store.Range, ok bool) {
	known := l.known.Load()
	if l.archive {
		return known.gap(nil)
	}
	if kept := l.pinned(); kept != nil {
		kept.all(func(lo, hi []byte) bool {
			if r, ok = known.gap(lo); ok {
				r.Hi = lower(r.Hi, hi)
				ok = under(r.Lo, hi)
			}
			return !ok
		})
	}
	return r, ok
}

// unpinned calls visit with the parts of [lo, hi) that nothing is kept of.
func (l *layer) unpinned(lo, hi []byte, visit func(lo, hi []byte)) {
	kept := l.pinned()
	if kept == nil {
		visit(lo, hi)
		return
	}
	for {
		r, ok := kept.gap(lo)
		if !ok || !under(r.Lo, hi) {
			return
		}
		end := lower(r.Hi, hi)
		visit(r.Lo, end)
		if covers(end, hi) {
			return
		}
		lo = end
	}
}

// keepsAll says whether l keeps all of [lo, hi).
func (l *layer) keepsAll(lo, hi []byte) bool {
	if l.archive {
		return true
	}
	all := true
	l.unpinned(lo, hi, func(_, _ []byte) { all = false })
	return all
}

// pin keeps ranges under a name, nil being none any more, and forgets what is no
// longer kept.
func (l *layer) pin(name string, ranges []store.Range) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken != nil {
		return l.broken
	}
	was := l.pins.Load()
	next := was.with(name, ranges)
	c, err := l.begin()
	if err != nil {
		return err
	}
	l.pins.Store(next)
	c.err = savePin(c.tx, name, ranges)
	if was != nil {
		was.all.all(func(lo, hi []byte) bool {
			l.unpinned(lo, hi, c.forget)
			return c.err == nil
		})
	}
	if err := c.commit(nil, nil, false); err != nil {
		l.pins.Store(was)
		return err
	}
	l.wake()
	return nil
}

// savePin writes the ranges of a name, or deletes them.
func savePin(tx store.Tx, name string, ranges []store.Range) error {
	key := append(bytes.Clone(pinKey), name...)
	if ranges == nil {
		return tx.Delete(key)
	}
	return tx.Set(key, seal(nil, key, encodeRanges(ranges)))
}

// encodeRanges returns the bounds of ranges: of each its lower bound, after its
// length, and its upper one, after its length and 1, or 0 for none.
func encodeRanges(ranges []store.Range) (b []byte) {
	for _, r := range ranges {
		b = append(binary.AppendUvarint(b, uint64(len(r.Lo))), r.Lo...)
		if r.Hi == nil {
			b = binary.AppendUvarint(b, 0)
			continue
		}
		b = append(binary.AppendUvarint(b, uint64(len(r.Hi))+1), r.Hi...)
	}
	return b
}

// decodeRanges is the way back, and says whether b is sound.
func decodeRanges(b []byte) (ranges []store.Range, ok bool) {
	ranges = []store.Range{}
	take := func(less uint64) (v []byte, ok bool) { // nil where the length says that there is none
		n, size := binary.Uvarint(b)
		if size <= 0 {
			return nil, false
		}
		b = b[size:]
		if n < less {
			return nil, true
		}
		if n -= less; n > uint64(len(b)) {
			return nil, false
		}
		v, b = append([]byte{}, b[:n]...), b[n:]
		return v, true
	}
	for len(b) > 0 {
		lo, sound := take(0)
		if !sound {
			return nil, false
		}
		hi, sound := take(1)
		if !sound {
			return nil, false
		}
		ranges = append(ranges, store.Range{Lo: lo, Hi: hi})
	}
	return ranges, true
}

// loadPins reads what is kept. What is damaged is not.
func (l *layer) loadPins(tx store.Tx) error {
	c, err := tx.Scan(store.Range{Lo: pinKey, Hi: []byte{0, 2}})
	if err != nil {
		return err
	}
	defer c.Close()
	for c.Next() {
		b, err := unseal(c.Key(), c.Value())
		if err != nil {
			continue
		}
		if ranges, ok := decodeRanges(b); ok {
			l.pins.Store(l.pins.Load().with(string(c.Key()[len(pinKey):]), ranges))
		}
	}
	return c.Err()
}

var errKeepsNothing = fmt.Errorf("cache: no layer of this stack outlives the process; give it a Persistent one: %w", errors.ErrUnsupported)

// keepers returns the layers that keep what is asked to be, and whether one keeps
// everything.
func (s *Store) keepers() (list []*layer, everything bool) {
	for _, l := range s.layers {
		switch {
		case l.archive:
			everything = true
		case l.keeps:
			list = append(list, l)
		}
	}
	return list, everything
}

// keepRanges has the layers keep ranges under a name.
func (s *Store) keepRanges(name string, ranges []store.Range) error {
	list, _ := s.keepers()
	for _, l := range list {
		if err := l.pin(name, ranges); err != nil {
			return err
		}
		l.copies.Do(func() { s.workers.Go(func() { s.copy(l) }) })
	}
	return nil
}

// isKept says whether something is kept under a name.
func (s *Store) isKept(name string) bool {
	list, everything := s.keepers()
	return everything || slices.ContainsFunc(list, func(l *layer) bool {
		p := l.pins.Load()
		return p != nil && p.byName[name] != nil
	})
}

// settled returns once what the layers are to know is there.
func (s *Store) settled(ctx context.Context) error {
	for _, l := range s.layers {
		if l.archive || l.pinned() != nil {
			if err := s.copied(ctx, l); err != nil {
				return err
			}
		}
	}
	return nil
}
