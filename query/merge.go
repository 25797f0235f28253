package query

import "bytes"

// A concat gives the items of streams, one after the other.
type concat struct {
	ins []stream
	r   *Rows
}

func (c *concat) next(it *item) bool {
	for c.r.read < len(c.ins) && c.r.err == nil {
		if c.ins[c.r.read].next(it) {
			return true
		}
		c.ins[c.r.read].close()
		c.r.read++
	}
	return false
}

func (c *concat) close() {
	for _, in := range c.ins[c.r.read:] {
		in.close()
	}
}

// A merger gives the items of streams that come in the same order, in that
// order, and each record once.
type merger struct {
	r     *Rows
	lanes []*lane
	heap  []*lane // the lane with the least item first
	begun bool
	last  []byte // the sort key of the item given last
}

// A lane is one stream of a merger, and its current item.
type lane struct {
	in    stream
	keyer *sortKeys
	it    item
	buf   []byte
}

// advance goes to the lane's next item.
func (l *lane) advance(r *Rows) bool {
	if !l.in.next(&l.it) {
		return false
	}
	var ok bool
	l.buf, ok = l.keyer.append(r, l.buf[:0], &l.it)
	l.it.sort = l.buf
	return ok
}

func (m *merger) next(it *item) bool {
	for m.step() {
		top := m.heap[0]
		if m.last != nil && bytes.Equal(top.it.sort, m.last) {
			continue // the same record, from another lane
		}
		m.last = append(m.last[:0], top.it.sort...)
		*it = top.it
		return true
	}
	return false
}

// step makes the first item that has not been given the top of the heap.
func (m *merger) step() bool {
	if !m.begun {
		m.begun = true
		for _, l := range m.lanes {
			if l.advance(m.r) {
				m.heap = append(m.heap, l)
			} else {
				l.in.close()
			}
		}
		for i := len(m.heap)/2 - 1; i >= 0; i-- {
			m.sink(i)
		}
		return m.r.err == nil && len(m.heap) > 0
	}
	if len(m.heap) == 0 {
		return false
	}
	if !m.heap[0].advance(m.r) {
		m.heap[0].in.close()
		n := len(m.heap) - 1
		m.heap[0] = m.heap[n]
		m.heap = m.heap[:n]
	}
	m.sink(0)
	return m.r.err == nil && len(m.heap) > 0
}

// sink moves the i-th lane of the heap to where it belongs.
func (m *merger) sink(i int) {
	for {
		least := i
		for _, child := range [2]int{2*i + 1, 2*i + 2} {
			if child < len(m.heap) && bytes.Compare(m.heap[child].it.sort, m.heap[least].it.sort) < 0 {
				least = child
			}
		}
		if least == i {
			return
		}
		m.heap[i], m.heap[least] = m.heap[least], m.heap[i]
		i = least
	}
}

func (m *merger) close() {
	for _, l := range m.lanes {
		l.in.close()
	}
}
