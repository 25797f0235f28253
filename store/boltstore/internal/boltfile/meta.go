package boltfile

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
)

const (
	magic         = 0xED0CDAED
	layoutVersion = 2
	metaSize      = 64
	minPageSize   = 1 << 10
	maxPageSize   = 1 << 24

	// noFreelist stands for the freelist of a file that has none.
	noFreelist = ^uint64(0)
)

var order = binary.NativeEndian

// Meta is what a meta page says.
type Meta struct {
	PageSize int
	Root     uint64 // the page with the buckets
	Freelist uint64 // its page
	Pages    uint64 // all are below
	Txid     uint64
}

// ReadMeta returns the newer meta page that is whole, and whether both are. The
// error matches ErrForeign or ErrDamaged.
func ReadMeta(f io.ReaderAt, size int64) (newest Meta, both bool, err error) {
	first, ok, known := readMeta(f, 0)
	if !ok {
		second, err := findSecond(f, size, known)
		return second, false, err
	}
	second, ok, _ := readMeta(f, int64(first.PageSize))
	if !ok || second.PageSize != first.PageSize {
		return first, false, nil
	}
	if second.Txid > first.Txid {
		first = second
	}
	return first, true, nil
}

// findSecond looks for the second meta page where the first, which says the size
// of a page, is not whole. A file that has the magic number somewhere is bbolt's.
func findSecond(f io.ReaderAt, size int64, known bool) (Meta, error) {
	for at := int64(minPageSize); at <= maxPageSize && at < size; at *= 2 {
		m, ok, magic := readMeta(f, at)
		if ok && int64(m.PageSize) == at {
			return m, nil
		}
		known = known || magic
	}
	if known {
		return Meta{}, damaged("neither meta page is whole")
	}
	return Meta{}, fmt.Errorf("no meta page: %w", ErrForeign)
}

// readMeta reads the meta page at an offset and says whether it is whole, and
// whether it has the magic number.
func readMeta(f io.ReaderAt, at int64) (m Meta, ok, known bool) {
	var buf [pageHeader + metaSize]byte
	if _, err := f.ReadAt(buf[:], at); err != nil {
		return m, false, false
	}
	b := buf[pageHeader:]
	if order.Uint32(b) != magic {
		return m, false, false
	}
	sum := fnv.New64a()
	sum.Write(b[:56])
	if order.Uint32(b[4:]) != layoutVersion || sum.Sum64() != order.Uint64(b[56:]) {
		return m, false, true
	}
	m = Meta{
		PageSize: int(order.Uint32(b[8:])),
		Root:     order.Uint64(b[16:]),
		Freelist: order.Uint64(b[32:]),
		Pages:    order.Uint64(b[40:]),
		Txid:     order.Uint64(b[48:]),
	}
	return m, m.PageSize >= minPageSize && m.PageSize <= maxPageSize, true
}
