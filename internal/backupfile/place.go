package backupfile

import "fmt"

// place is a place in a file: before or behind all entries, or at one. It
// follows the index down to a data block and an entry in that.
type place struct {
	file  *File
	path  []step // from the root down to the level above the data
	block *block // nil before the first move, and behind either end
	off   int64  // of the block
	pos   int    // of the entry
}

// step is an index block on the way down, and which child the way goes on to.
type step struct {
	index *index
	pos   int
}

// entry returns the entry at the place.
func (p *place) entry() *entry { return &p.block.entries[p.pos] }

// end moves out of the file.
func (p *place) end() { p.block, p.path = nil, p.path[:0] }

// seek moves to the first entry at or behind key; ok is false where there is
// none.
func (p *place) seek(key []byte) (ok bool, err error) {
	p.end()
	at := &p.file.foot.root
	for level := p.file.foot.levels; level > 0; level-- {
		x, err := p.file.indexAt(at, level)
		if err != nil {
			return false, err
		}
		pos := x.find(key)
		if pos == len(x.children) {
			if level == p.file.foot.levels {
				p.end()
				return false, nil
			}
			return false, damaged(at.off, "the index block ends before the key that is said to be its last")
		}
		p.path = append(p.path, step{x, pos})
		at = &x.children[pos]
	}
	if len(p.path) == 0 {
		return false, nil
	}
	if err := p.enter(); err != nil {
		return false, err
	}
	if p.pos = p.block.find(key); p.pos < len(p.block.entries) {
		return true, nil
	}
	return p.nextOwn()
}

// enter loads the data block that the path leads to.
func (p *place) enter() (err error) {
	leaf := &p.path[len(p.path)-1]
	c := &leaf.index.children[leaf.pos]
	p.block, err = p.file.blockAt(c)
	p.off = c.off
	return err
}

// next moves to the next entry.
func (p *place) next() (ok bool, err error) {
	last := p.entry().key
	if p.pos++; p.pos < len(p.block.entries) {
		return true, nil
	}
	if ok, err = p.nextOwn(); ok && string(p.entry().key) <= string(last) {
		return false, damaged(p.off, "keys are out of order")
	}
	return ok, err
}

// nextOwn moves to the first entry that begins in a block behind this one.
func (p *place) nextOwn() (ok bool, err error) {
	for {
		if ok, err = p.step(1); !ok {
			return false, err
		}
		if p.pos = p.block.own(); p.pos < len(p.block.entries) {
			return true, nil
		}
	}
}

// prev moves to the entry before.
func (p *place) prev() (ok bool, err error) {
	last := p.entry().key
	if p.pos--; p.pos >= p.block.own() {
		return true, nil
	}
	if ok, err = p.prevOwn(); ok && string(p.entry().key) >= string(last) {
		return false, damaged(p.off, "keys are out of order")
	}
	return ok, err
}

// prevOwn moves to the last entry that begins in a block before this one.
func (p *place) prevOwn() (ok bool, err error) {
	for {
		if ok, err = p.step(-1); !ok {
			return false, err
		}
		if p.pos = len(p.block.entries) - 1; p.pos >= p.block.own() {
			return true, nil
		}
	}
}

// last moves to the last entry.
func (p *place) last() (ok bool, err error) {
	p.end()
	if err := p.descend(-1); err != nil || p.block == nil {
		return false, err
	}
	if p.pos = len(p.block.entries) - 1; p.pos >= p.block.own() {
		return true, nil
	}
	return p.prevOwn()
}

// step moves to the next data block in a direction, 1 or -1. Blocks come in the
// order of their places, so that this ends in any file.
func (p *place) step(by int) (ok bool, err error) {
	from := p.off
	for n := len(p.path); n > 0; n-- {
		s := &p.path[n-1]
		if s.pos += by; s.pos < 0 || s.pos == len(s.index.children) {
			continue
		}
		p.path = p.path[:n]
		if err := p.descend(by); err != nil {
			return false, err
		}
		if (p.off > from) != (by > 0) || p.off == from {
			return false, damaged(p.off, "blocks are out of order")
		}
		return true, nil
	}
	p.end()
	return false, nil
}

// descend completes the path down to the data, by first children where by is 1
// and by last ones where it is -1, and loads the block there.
func (p *place) descend(by int) error {
	for level := p.file.foot.levels - len(p.path); level > 0; level-- {
		at := &p.file.foot.root
		if n := len(p.path); n > 0 {
			at = &p.path[n-1].index.children[p.path[n-1].pos]
		}
		x, err := p.file.indexAt(at, level)
		if err != nil {
			return err
		}
		pos := 0
		if by < 0 {
			pos = len(x.children) - 1
		}
		p.path = append(p.path, step{x, pos})
	}
	if len(p.path) == 0 {
		return nil
	}
	return p.enter()
}

// value returns the whole value of the entry, which never changes, nil for a
// deletion.
func (p *place) value() ([]byte, error) {
	e := p.entry()
	switch e.tag {
	case tagDeleted:
		return nil, nil
	case tagWhole:
		return e.value, nil
	}
	return p.assemble(e)
}

// assemble returns a value that lies in several blocks. Its memory grows as its
// pieces come.
func (p *place) assemble(first *entry) ([]byte, error) {
	q := place{file: p.file, path: append([]step(nil), p.path...), block: p.block, off: p.off}
	value := append([]byte(nil), first.value...)
	for uint64(len(value)) < first.total {
		ok, err := q.step(1)
		if err != nil {
			return nil, err
		}
		if !ok || q.block.own() == 0 {
			return nil, damaged(p.off, "a value ends too early")
		}
		more := &q.block.entries[0]
		if string(more.key) != string(first.key) || uint64(len(value)+len(more.value)) > first.total {
			return nil, damaged(q.off, "a value goes on with another's piece")
		}
		value = append(value, more.value...)
	}
	return value, nil
}

// rank returns how many entries come before key.
func (f *File) rank(key []byte) (n uint64, err error) {
	at := &f.foot.root
	for level := f.foot.levels; level > 0; level-- {
		x, err := f.indexAt(at, level)
		if err != nil {
			return 0, err
		}
		pos := x.find(key)
		for i := range x.children[:pos] {
			n += x.children[i].count
		}
		if pos == len(x.children) {
			return n, nil
		}
		at = &x.children[pos]
	}
	if f.foot.levels == 0 {
		return 0, nil
	}
	b, err := f.blockAt(at)
	if err != nil {
		return 0, err
	}
	n += uint64(b.find(key) - b.own())
	if n > f.foot.entries+f.foot.deleted {
		return 0, damaged(at.off, fmt.Sprintf("the index counts %d entries, the footer %d", n, f.foot.entries+f.foot.deleted))
	}
	return n, nil
}
