package cache

import (
	"bytes"

	"github.com/google/btree"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/occ"
)

// intervals is a set of keys: disjoint intervals that do not touch. One that has
// been published never changes again, so it is read without a lock.
type intervals struct {
	tree *btree.BTreeG[interval]
}

// interval is [lo, hi). The bound lo owns its memory.
type interval struct {
	lo occ.Entry
	hi []byte // nil: no upper bound
}

// intervalDegree is small, since a change copies the nodes on its way.
const intervalDegree = 8

func newIntervals() *intervals {
	return &intervals{btree.NewG(intervalDegree, func(a, b interval) bool { return occ.Less(a.lo, b.lo) })}
}

// len returns how many intervals there are.
func (s *intervals) len() int { return s.tree.Len() }

// at returns the interval that holds key.
func (s *intervals) at(key []byte) (iv interval, ok bool) {
	s.tree.DescendLessOrEqual(interval{lo: occ.Pivot(key)}, func(found interval) bool {
		iv, ok = found, under(key, found.hi)
		return false
	})
	return iv, ok
}

// below returns the interval that holds the keys just below hi, nil being no
// bound.
func (s *intervals) below(hi []byte) (iv interval, ok bool) {
	visit := func(found interval) bool {
		if hi != nil && bytes.Equal(found.lo.Key(), hi) {
			return true
		}
		iv, ok = found, covers(found.hi, hi)
		return false
	}
	if hi == nil {
		s.tree.Descend(visit)
	} else {
		s.tree.DescendLessOrEqual(interval{lo: occ.Pivot(hi)}, visit)
	}
	return iv, ok
}

// after returns the first interval that begins above key.
func (s *intervals) after(key []byte) (iv interval, ok bool) {
	s.tree.AscendGreaterOrEqual(interval{lo: occ.Pivot(key)}, func(found interval) bool {
		if bytes.Equal(found.lo.Key(), key) {
			return true
		}
		iv, ok = found, true
		return false
	})
	return iv, ok
}

// before returns the last interval that begins below hi, nil being no bound.
func (s *intervals) before(hi []byte) (iv interval, ok bool) {
	visit := func(found interval) bool {
		if hi != nil && bytes.Equal(found.lo.Key(), hi) {
			return true
		}
		iv, ok = found, true
		return false
	}
	if hi == nil {
		s.tree.Descend(visit)
	} else {
		s.tree.DescendLessOrEqual(interval{lo: occ.Pivot(hi)}, visit)
	}
	return iv, ok
}

// gap returns the first range, at or above lo, that the set does not hold.
func (s *intervals) gap(lo []byte) (r store.Range, ok bool) {
	if iv, found := s.at(lo); found {
		if iv.hi == nil {
			return r, false
		}
		lo = iv.hi
	}
	r.Lo = lo
	if next, found := s.after(lo); found {
		r.Hi = next.lo.Key()
	}
	return r, true
}

// all calls visit with each interval, in order, until it returns false.
func (s *intervals) all(visit func(lo, hi []byte) bool) {
	s.tree.Ascend(func(iv interval) bool { return visit(iv.lo.Key(), iv.hi) })
}

// under says whether key is below an upper bound.
func under(key, hi []byte) bool { return hi == nil || bytes.Compare(key, hi) < 0 }

// covers says whether the upper bound a is not below the upper bound b.
func covers(a, b []byte) bool { return a == nil || b != nil && bytes.Compare(a, b) >= 0 }

// lower returns the lower of two upper bounds.
func lower(a, b []byte) []byte {
	if covers(a, b) {
		return b
	}
	return a
}

// behind returns the first key after key.
func behind(key []byte) []byte { return append(key[:len(key):len(key)], 0) }

// A draft is a set of intervals in the making. It remembers which intervals are
// new, and which are gone, by where they begin.
type draft struct {
	intervals
	touched map[string]struct{}
}

// draft returns a draft that begins with what s has. There is one at a time.
func (s *intervals) draft() *draft { return &draft{intervals{s.tree.Clone()}, nil} }

// changes returns where the intervals begin that are new, or gone: nowhere, if there is
// no draft.
func (d *draft) changes() map[string]struct{} {
	if d == nil {
		return nil
	}
	return d.touched
}

func (d *draft) touch(iv interval) {
	if d.touched == nil {
		d.touched = make(map[string]struct{})
	}
	d.touched[string(iv.lo.Key())] = struct{}{}
}

func (d *draft) put(lo, hi []byte) {
	iv := interval{occ.NewTombstone(lo), hi}
	d.tree.ReplaceOrInsert(iv)
	d.touch(iv)
}

func (d *draft) remove(iv interval) {
	d.tree.Delete(iv)
	d.touch(iv)
}

// add adds [lo, hi), which is not empty.
func (d *draft) add(lo, hi []byte) {
	if iv, ok := d.at(lo); ok && covers(iv.hi, hi) {
		return
	}
	if iv, ok := d.touching(lo); ok {
		lo = iv.lo.Key()
	}
	for {
		iv, ok := d.from(lo)
		if !ok || hi != nil && bytes.Compare(iv.lo.Key(), hi) > 0 {
			break
		}
		if !covers(hi, iv.hi) {
			hi = iv.hi
		}
		d.remove(iv)
	}
	d.put(lo, bytes.Clone(hi))
}

// touching returns the interval that holds lo or ends there.
func (d *draft) touching(lo []byte) (iv interval, ok bool) {
	d.tree.DescendLessOrEqual(interval{lo: occ.Pivot(lo)}, func(found interval) bool {
		iv, ok = found, found.hi == nil || bytes.Compare(found.hi, lo) >= 0
		return false
	})
	return iv, ok
}

// from returns the first interval that begins at key or above.
func (d *draft) from(key []byte) (iv interval, ok bool) {
	d.tree.AscendGreaterOrEqual(interval{lo: occ.Pivot(key)}, func(found interval) bool {
		iv, ok = found, true
		return false
	})
	return iv, ok
}

// cut takes [lo, hi) out.
func (d *draft) cut(lo, hi []byte) {
	if iv, ok := d.at(lo); ok {
		d.remove(iv)
		if bytes.Compare(iv.lo.Key(), lo) < 0 {
			d.put(iv.lo.Key(), bytes.Clone(lo))
		}
		if hi != nil && !covers(hi, iv.hi) {
			d.put(hi, iv.hi)
		}
	}
	for {
		iv, ok := d.from(lo)
		if !ok || !under(iv.lo.Key(), hi) {
			return
		}
		d.remove(iv)
		if hi != nil && !covers(hi, iv.hi) {
			d.put(hi, iv.hi)
		}
	}
}

// has says whether key is in the set.
func (s *intervals) has(key []byte) bool {
	_, ok := s.at(key)
	return ok
}
