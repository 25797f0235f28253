package boltfile

import "bytes"

const (
	pageHeader = 16
	elemSize   = 16 // of a leaf and of a branch alike

	flagBranch   = 0x01
	flagLeaf     = 0x02
	flagFreelist = 0x10

	elemBucket = 0x01 // in the flags of a leaf's element
)

// page is a page with those it goes on over, or one inside of a value.
type page struct {
	id       uint64
	flags    uint16
	count    int
	overflow uint64
	data     []byte // with the header
}

func parseHeader(b []byte) page {
	return page{
		id:       order.Uint64(b),
		flags:    order.Uint16(b[8:]),
		count:    int(order.Uint16(b[10:])),
		overflow: uint64(order.Uint32(b[12:])),
		data:     b,
	}
}

// elem is an element of a leaf or, with a child, of a branch.
type elem struct {
	key, value []byte
	flags      uint32
	child      uint64
}

// head is the entry of an element in the list at the beginning of a page.
type head struct {
	pos, key, value uint64 // where it is, from the entry on, and the lengths
	flags           uint32
	child           uint64
}

func (p page) head(i int) head {
	b := p.data[pageHeader+elemSize*i:]
	if p.flags == flagBranch {
		return head{
			pos: uint64(order.Uint32(b)), key: uint64(order.Uint32(b[4:])),
			child: order.Uint64(b[8:]),
		}
	}
	return head{
		flags: order.Uint32(b), pos: uint64(order.Uint32(b[4:])),
		key: uint64(order.Uint32(b[8:])), value: uint64(order.Uint32(b[12:])),
	}
}

// elems calls visit with each element of a leaf or branch, and returns how many
// bytes the page has in use. It checks that the elements lie one after the other
// behind their list, and that keys ascend.
func (p page) elems(visit func(e elem) error) (used int, err error) {
	next := pageHeader + elemSize*p.count
	if next > len(p.data) {
		return 0, damaged("page %d says that it has %d elements, which do not fit", p.id, p.count)
	}
	var last []byte
	for i := range p.count {
		h := p.head(i)
		if uint64(next) != uint64(pageHeader+elemSize*i)+h.pos || h.key+h.value > uint64(len(p.data)-next) {
			return 0, damaged("page %d: element %d of %d is not where it should be", p.id, i, p.count)
		}
		e := elem{flags: h.flags, child: h.child}
		e.key, next = p.data[next:next+int(h.key)], next+int(h.key)
		e.value, next = p.data[next:next+int(h.value)], next+int(h.value)
		if len(e.key) == 0 || i > 0 && bytes.Compare(last, e.key) >= 0 {
			return 0, damaged("page %d: element %d of %d is out of order", p.id, i, p.count)
		}
		last = e.key
		if err := visit(e); err != nil {
			return 0, err
		}
	}
	return next, nil
}
