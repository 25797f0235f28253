package backupfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"sort"
)

// child is a block as an index block names it.
type child struct {
	key   []byte // the last one in it
	off   int64  // of its frame
	size  uint32 // of its frame
	count uint64 // how many entries begin in it, or in the blocks below it
}

// index is an index block as it is read.
type index struct {
	level    int // 1 is the level above the data
	children []child
	keyBytes int
}

// find returns the place of the first child whose last key is at or behind key.
func (x *index) find(key []byte) int {
	return sort.Search(len(x.children), func(i int) bool { return bytes.Compare(x.children[i].key, key) >= 0 })
}

var errIndex = errors.New("the index block makes no sense")

// parseIndex reads an index block of a level, which stands at off: it names
// blocks before it alone, in their order.
func parseIndex(raw []byte, level int, off int64) (*index, error) {
	if len(raw) < 2 || int(raw[0]) != level {
		return nil, errIndex
	}
	x := &index{level: level, children: make([]child, 0, len(raw)/24+1)}
	r := rawReader{rest: raw[1:]}
	var last child
	for len(r.rest) > 0 {
		c, ok := r.child()
		if !ok || c.off < max(headerSize, last.off+int64(last.size)) || c.off+int64(c.size) > off || bytes.Compare(last.key, c.key) > 0 {
			return nil, errIndex
		}
		x.children = append(x.children, c)
		last = c
	}
	x.keyBytes = r.keyBytes
	return x, nil
}

// child reads an entry of an index block.
func (r *rawReader) child() (c child, ok bool) {
	shared, unshared, ok := r.lengths()
	if !ok {
		return c, false
	}
	if c.key, ok = r.key(shared, unshared); !ok {
		return c, false
	}
	off, ok1 := r.uvarint(1 << 62)
	size, ok2 := r.uvarint(uint64(frameHead + maxPacked))
	count, ok3 := r.uvarint(1 << 62)
	c.off, c.size, c.count = int64(off), uint32(size), uint64(count)
	return c, ok1 && ok2 && ok3
}

// indexBuilder makes the index blocks over the blocks that it is told of. A
// block is complete when it is full, and is then told to the level above.
type indexBuilder struct {
	levels []indexLevel
	// emit writes a block of a level as a frame and returns its place and size.
	emit func(raw []byte) (off int64, size uint32, err error)
}

// indexLevel is the block of one level that is being made.
type indexLevel struct {
	raw      []byte
	only     child // the first child
	last     []byte
	children int
	keyBytes int
	count    uint64
}

// add notes a block of the level below level, counted from 0.
func (b *indexBuilder) add(level int, c child) error {
	if level == len(b.levels) {
		b.levels = append(b.levels, indexLevel{})
	}
	l := &b.levels[level]
	l.add(level, c)
	// With one child a block would have as many above it as there are below.
	if l.children < minChildren || len(l.raw) < blockSize && l.keyBytes < maxKeyBytes {
		return nil
	}
	return b.flush(level)
}

func (l *indexLevel) add(level int, c child) {
	shared := 0
	if l.children == 0 {
		l.raw = append(l.raw[:0], byte(level+1))
		l.only = c
		l.only.key = bytes.Clone(c.key)
	} else {
		shared = sharedPrefix(l.last, c.key)
	}
	l.raw = binary.AppendUvarint(l.raw, uint64(shared))
	l.raw = binary.AppendUvarint(l.raw, uint64(len(c.key)-shared))
	l.raw = append(l.raw, c.key[shared:]...)
	l.raw = binary.AppendUvarint(l.raw, uint64(c.off))
	l.raw = binary.AppendUvarint(l.raw, uint64(c.size))
	l.raw = binary.AppendUvarint(l.raw, c.count)
	l.last = append(l.last[:0], c.key...)
	l.children++
	l.keyBytes += len(c.key)
	l.count += c.count
}

// flush completes the block of a level.
func (b *indexBuilder) flush(level int) error {
	l := &b.levels[level]
	off, size, err := b.emit(l.raw)
	if err != nil {
		return err
	}
	c := child{key: l.last, off: off, size: size, count: l.count}
	l.children, l.keyBytes, l.count = 0, 0, 0
	return b.add(level+1, c)
}

// finish completes all levels and returns the topmost block, and how many levels
// there are.
func (b *indexBuilder) finish() (root child, levels int, err error) {
	for level := 0; level < len(b.levels); level++ {
		l := &b.levels[level]
		if level == len(b.levels)-1 && level > 0 && l.children == 1 {
			return l.only, level, nil
		}
		if l.children == 0 {
			continue
		}
		if err := b.flush(level); err != nil {
			return child{}, 0, err
		}
	}
	return child{}, 0, nil
}
