package query

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
)

// errPosition is returned for bytes that are no position.
var errPosition = errors.New("not a position")

// AppendPosition appends a position in a form that [ParsePosition] reads.
func AppendPosition(dst []byte, p *Position) []byte {
	after := byte(0)
	if p.After {
		after = 1
	}
	dst = append(dst, after, byte(len(p.Parts)))
	for _, part := range p.Parts {
		dst = append(binary.AppendUvarint(dst, uint64(len(part))), part...)
	}
	return append(dst, p.Key...)
}

// ParsePosition returns the position that b is. It does not share memory with
// b, and checks no more than its form: only a position that is known to come
// from a query should be given to it.
func ParsePosition(b []byte) (*Position, error) {
	if len(b) < 2 || b[0] > 1 {
		return nil, errPosition
	}
	p := &Position{After: b[0] == 1}
	n := int(b[1])
	b = append([]byte(nil), b[2:]...)
	for range n {
		size, k := binary.Uvarint(b)
		if k <= 0 || size > uint64(len(b)-k) {
			return nil, errPosition
		}
		end := k + int(size)
		p.Parts, b = append(p.Parts, b[k:end:end]), b[end:]
	}
	p.Key = b
	return p, nil
}

// Shape identifies what is asked for: the table, the predicate with its values
// and the order, whatever fields and indexes are called. Limit, Offset, After,
// Using and what is wanted of the records do not count, and a [Func] by its
// place only.
func (p *Plan) Shape() [32]byte {
	h := shaper{sha256.New()}
	h.number(int(p.table.ID))
	h.node(p.root)
	h.number(len(p.order))
	for _, t := range p.order {
		h.operand(t.on)
		h.bool(t.desc != p.back)
	}
	h.bool(p.keyDesc != p.back)
	return [32]byte(h.Sum(nil))
}

// A shaper hashes the parts of a query, each so that its end is known.
type shaper struct{ hash.Hash }

func (h shaper) number(n int) {
	h.Write(binary.AppendVarint(nil, int64(n)))
}

func (h shaper) bytes(b []byte) {
	h.number(len(b))
	h.Write(b)
}

func (h shaper) bool(b bool) { h.number(asInt(b)) }

func (h shaper) node(n *node) {
	h.number(int(n.kind))
	h.bool(n.not)
	switch n.kind {
	case nodeAnd, nodeOr:
		h.number(len(n.kids))
		for _, k := range n.kids {
			h.node(k)
		}
	case nodeSet, nodeText, nodeNil:
		h.operand(n.on)
		h.bytes(n.text)
		h.number(len(n.set))
		for _, s := range n.set {
			h.cut(s.lo)
			h.cut(s.hi)
		}
	}
}

func (h shaper) cut(c endpoint) {
	h.bytes(c.v)
	h.bool(c.after)
	h.bool(c.partial)
}

// operand hashes which field it is by its ids in the catalog.
func (h shaper) operand(on *operand) {
	h.bool(on.whole)
	h.bool(on.each)
	h.bool(on.fold)
	if on.column < 0 {
		h.number(-1)
		h.number(on.keyPart)
		return
	}
	c := &on.table.Columns[on.column]
	h.number(int(c.ID))
	h.number(len(on.path))
	for _, i := range on.path {
		h.number(i)
	}
}
