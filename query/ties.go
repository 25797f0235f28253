package query

import (
	"bytes"
	"fmt"
	"slices"
)

// maxFlip is how many entries that tie are held to be turned round; a group of
// more is read once more, the other way.
const maxFlip = 128

// A tieOrder gives the items of a scan, with those that tie in the order brought
// into the order of their keys.
type tieOrder struct {
	r    *Rows
	in   *scan
	held itemBuffer
	i    int // the next held item
	perm []int

	ahead  item // of the scan, the first of the next group
	isNext bool // ahead is one
	group  []byte
	direct *scan // reads a large group the other way: turned, while it does
	turned scan

	posGroup []byte // the group of the position to go on from
	check    bool   // the current group is that one
}

func (r *Rows) newTieOrder(a *accessPath) *tieOrder {
	m := &tieOrder{r: r, in: r.newScan(a)}
	if r.plan.after != nil && len(a.bounds) > 0 {
		p := planner{boundQuery: r.plan.boundQuery}
		if at, _, same := p.positionIn(a, a.bounds[0]); same {
			m.posGroup = at
		}
	}
	return m
}

func (m *tieOrder) next(it *item) bool {
	for m.r.err == nil {
		switch {
		case m.direct != nil:
			if m.direct.next(it) {
				if m.passes(it.key) {
					return true
				}
				continue
			}
			m.direct.close()
			m.direct = nil
		case m.i < len(m.perm):
			m.held.get(m.perm[m.i], it)
			m.i++
			if m.passes(it.key) {
				return true
			}
		case !m.fill():
			return false
		}
	}
	return false
}

// passes reports whether a record comes after the position, if its group is
// the position's.
func (m *tieOrder) passes(key []byte) bool {
	if !m.check {
		return true
	}
	p := m.r.plan
	c := bytes.Compare(key, p.after.Key)
	if c == 0 {
		return p.inclusive()
	}
	return (c > 0) != p.keyDesc
}

// fill holds the next group, and brings it into order.
func (m *tieOrder) fill() bool {
	if !m.isNext && !m.in.next(&m.ahead) {
		return false
	}
	m.isNext = true
	m.group = append(m.group[:0], m.groupOf(&m.ahead)...)
	m.check = m.posGroup != nil && bytes.Equal(m.group, m.posGroup)
	m.held.reset()
	m.perm, m.i = m.perm[:0], 0
	for m.isNext && bytes.Equal(m.groupOf(&m.ahead), m.group) {
		m.held.add(&m.ahead)
		if !m.fits() {
			return m.r.err == nil
		}
		m.isNext = m.in.next(&m.ahead)
	}
	m.arrange()
	return m.r.err == nil
}

// groupOf returns with what the store keys of the item's group begin.
func (m *tieOrder) groupOf(it *item) []byte {
	k := m.in.cur.Key()
	n := 0
	if it.tuple != nil {
		if m.in.a.match.group <= len(it.ends) {
			return k[:m.in.prefix+it.ends[m.in.a.match.group-1]]
		}
		n = it.ends[len(it.ends)-1]
	}
	rest := k[m.in.prefix+n:]
	for i := range m.in.a.match.group - m.in.a.c.keyAt() {
		next, err := m.r.plan.table.Key.Parts[i].Key.Skip(rest)
		if err != nil {
			break // the record is damaged, and found to be so
		}
		rest = next
	}
	return k[:len(k)-len(rest)]
}

// fits reports whether the group can still be held. If not, it is read the
// other way, or the query fails.
func (m *tieOrder) fits() bool {
	how := m.in.a.match.ties
	if how == tiesSort {
		if m.held.size() > MaxSortBytes {
			m.r.fail(fmt.Errorf("%w: records that tie in the order, over %d MB", ErrSortTooLarge, MaxSortBytes>>20))
			return false
		}
		return true
	}
	if len(m.held.items) <= maxFlip {
		return true
	}
	turned := *m.in.a
	turned.match.reverse = !turned.match.reverse
	end := endOf(bytes.Clone(m.group))
	group := byteRange{later(m.in.rng.lo, bytes.Clone(m.group)), earlier(m.in.rng.hi, end)}
	turned.ranges = []byteRange{m.clipped(group)}
	m.turned.reset()
	m.r.setScan(&m.turned, &turned)
	m.direct = &m.turned
	m.held.reset()
	m.isNext = false
	return m.skip(end)
}

// clipped leaves of the range of the position's group what comes after it, or
// all where the key does not follow what the group has in common.
func (m *tieOrder) clipped(rng byteRange) byteRange {
	p := m.r.plan
	if !m.check {
		return rng
	}
	at := append(bytes.Clone(m.group), p.after.Key...)
	switch {
	case m.in.a.c.index == nil:
		at = append(p.table.Prefix(0), p.after.Key...)
	case m.in.a.match.group != m.in.a.c.keyAt():
		return rng
	}
	if p.keyDesc {
		rng.hi = earlier(rng.hi, append(at, 0))
	} else {
		rng.lo = later(rng.lo, at)
	}
	return rng
}

// skip has the scan go on behind the group, and returns false.
func (m *tieOrder) skip(end []byte) bool {
	rng := m.in.rng
	if m.in.a.match.reverse {
		rng.hi = bytes.Clone(m.group)
	} else if rng.lo = end; end == nil {
		rng.hi = rng.lo
	}
	if rng.lo == nil || rng.hi != nil && bytes.Compare(rng.lo, rng.hi) >= 0 {
		m.in.close()
		return false
	}
	m.in.open(rng)
	return false
}

// arrange brings the held items into the order of their keys.
func (m *tieOrder) arrange() {
	for i := range m.held.items {
		m.perm = append(m.perm, i)
	}
	if m.in.a.match.ties == tiesFlip {
		slices.Reverse(m.perm)
		return
	}
	slices.SortFunc(m.perm, func(i, j int) int {
		c := bytes.Compare(m.held.key(i), m.held.key(j))
		if m.r.plan.keyDesc {
			return -c
		}
		return c
	})
}

func (m *tieOrder) close() {
	m.in.close()
	if m.direct != nil {
		m.direct.close()
	}
}
