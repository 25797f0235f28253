package boltfile

import (
	"bytes"
	"context"
	"fmt"
	"io"
)

// Visitor is shown what a file holds. The bytes are good during the call. An
// error ends the walk.
type Visitor struct {
	// Bucket is called with each bucket and its sequence number, before its
	// entries.
	Bucket func(name []byte, sequence uint64) error

	// Entry is called with each entry of a bucket, in the order of keys.
	Entry func(key, value []byte) error
}

// maxDepth is more levels than a tree of branches with two keys each can have.
const maxDepth = 64

// Walk reads the state of a file that m describes, and checks all of it but the
// bytes of keys and values, which it shows to visit. Nothing may change the pages
// of that state meanwhile. It calls progress, if that is not nil, now and then
// with the number of pages seen and to be seen, and ends when ctx does.
func Walk(ctx context.Context, f io.ReaderAt, m Meta, visit Visitor, progress func(done, total uint64)) error {
	w := &walk{ctx: ctx, f: f, meta: m, visit: visit, progress: progress}
	if m.Pages > uint64(1)<<40 {
		return damaged("the file says that it has %d pages", m.Pages)
	}
	w.claimed = make([]uint64, (m.Pages+63)/64)
	w.buffers = make([][]byte, maxDepth)
	if err := w.claim(0, 1); err != nil {
		return err
	}
	if err := w.buckets(); err != nil {
		return err
	}
	if err := w.freelist(); err != nil {
		return err
	}
	if w.done != m.Pages {
		return damaged("%d of %d pages are neither free nor in use", m.Pages-w.done, m.Pages)
	}
	return nil
}

// walk is a Walk in progress.
type walk struct {
	ctx      context.Context
	f        io.ReaderAt
	meta     Meta
	visit    Visitor
	progress func(done, total uint64)

	claimed []uint64 // a bit for each page that has been met
	done    uint64   // how many those are
	told    uint64   // how many they were at the last progress
	buffers [][]byte // a page for each level
	bucket  []byte   // the name of the one that is being read
}

// claim notes that the pages from id to last are in use, which none was.
func (w *walk) claim(id, last uint64) error {
	if last >= w.meta.Pages || last < id {
		return damaged("page %d is beyond the last one, %d", last, w.meta.Pages-1)
	}
	for ; id <= last; id++ {
		bit := uint64(1) << (id % 64)
		if w.claimed[id/64]&bit != 0 {
			return damaged("page %d is in use twice", id)
		}
		w.claimed[id/64] |= bit
		w.done++
	}
	return w.pause()
}

// pause reports progress and looks at the context, once in a thousand pages.
func (w *walk) pause() error {
	if w.done-w.told < 1024 && w.done != w.meta.Pages {
		return nil
	}
	w.told = w.done
	if w.progress != nil {
		w.progress(w.done, w.meta.Pages)
	}
	return context.Cause(w.ctx)
}

// read reads page id, of a level, with those that it goes on over.
func (w *walk) read(id uint64, level int) (page, error) {
	if level >= maxDepth {
		return page{}, damaged("page %d is too deep in its tree", id)
	}
	b, err := w.fill(level, id, 1)
	if err != nil {
		return page{}, err
	}
	p := parseHeader(b)
	if p.id != id {
		return page{}, damaged("page %d says that it is page %d", id, p.id)
	}
	if err := w.claim(id, id+p.overflow); err != nil || p.overflow == 0 {
		return p, err
	}
	p.data, err = w.fill(level, id, 1+p.overflow)
	return p, err
}

// fill reads n pages into the buffer of a level.
func (w *walk) fill(level int, id, n uint64) ([]byte, error) {
	size := int(n) * w.meta.PageSize
	if cap(w.buffers[level]) < size {
		w.buffers[level] = make([]byte, size)
	}
	b := w.buffers[level][:size]
	if _, err := w.f.ReadAt(b, int64(id)*int64(w.meta.PageSize)); err != nil {
		if err == io.EOF {
			return nil, damaged("page %d is beyond the end of the file", id)
		}
		return nil, fmt.Errorf("page %d: %w", id, err)
	}
	return b, nil
}

// buckets reads the root, and every bucket in it.
func (w *walk) buckets() error {
	if w.meta.Root < 2 {
		return damaged("the root is page %d", w.meta.Root)
	}
	return w.tree(w.meta.Root, 0, nil, func(e elem) error {
		if e.flags != elemBucket {
			return damaged("the root has an element that is not a bucket")
		}
		w.bucket = append(w.bucket[:0], e.key...)
		if len(e.value) < bucketHeader {
			return damaged("the head of bucket %q is cut", w.bucket)
		}
		if err := w.visit.Bucket(w.bucket, order.Uint64(e.value[8:])); err != nil {
			return err
		}
		return w.inBucket(e.value)
	})
}

const bucketHeader = 16 // the root's page, or 0 where the bucket follows; the sequence number

func (w *walk) inBucket(b []byte) error {
	root, rest := order.Uint64(b), b[bucketHeader:]
	if root != 0 {
		if len(rest) != 0 {
			return damaged("bucket %q is both here and elsewhere", w.bucket)
		}
		return w.tree(root, 1, nil, w.entry)
	}
	if len(rest) < pageHeader {
		return damaged("bucket %q has no page", w.bucket)
	}
	p := parseHeader(rest)
	if p.id != 0 || p.overflow != 0 || p.flags != flagLeaf {
		return damaged("the page in bucket %q is none", w.bucket)
	}
	used, err := p.elems(w.entry)
	if err == nil && used != len(rest) {
		return damaged("bucket %q has bytes that belong to nothing", w.bucket)
	}
	return err
}

// entry is called with each element of a leaf.
func (w *walk) entry(e elem) error {
	if e.flags != 0 {
		return damaged("bucket %q has an element with the flags %d", w.bucket, e.flags)
	}
	return w.visit.Entry(e.key, e.value)
}

// tree reads the tree below page id, whose first key is first if that is not nil,
// and calls leaf with the elements of its leaves.
func (w *walk) tree(id uint64, level int, first []byte, leaf func(elem) error) error {
	p, err := w.read(id, level)
	if err != nil {
		return err
	}
	visit := leaf
	switch {
	case p.flags == flagBranch && p.count > 0:
		visit = func(e elem) error { return w.tree(e.child, level+1, e.key, leaf) }
	case p.flags != flagLeaf:
		return damaged("page %d, of the kind %#x with %d elements, is in a tree", id, p.flags, p.count)
	}
	if first != nil {
		visit = startsWith(first, visit)
		if p.count == 0 {
			return damaged("page %d is empty", id)
		}
	}
	_, err = p.elems(visit)
	return err
}

// startsWith is visit, but checks the key of the first element.
func startsWith(first []byte, visit func(elem) error) func(elem) error {
	begun := false
	return func(e elem) error {
		if !begun && !bytes.Equal(e.key, first) {
			return damaged("the page with %x begins with %x", first, e.key)
		}
		begun = true
		return visit(e)
	}
}

// freelist reads the pages that are in no tree.
func (w *walk) freelist() error {
	if w.meta.Freelist == noFreelist {
		return fmt.Errorf("the file has no freelist: %w", ErrForeign)
	}
	p, err := w.read(w.meta.Freelist, 0)
	if err != nil {
		return err
	}
	if p.flags != flagFreelist {
		return damaged("page %d is not the freelist", p.id)
	}
	ids, n := p.data[pageHeader:], uint64(p.count)
	if p.count == 0xFFFF {
		n, ids = order.Uint64(ids), ids[8:]
	}
	if n > uint64(len(ids)/8) {
		return damaged("the freelist says that it has %d pages, which do not fit", n)
	}
	for i := range n {
		id := order.Uint64(ids[8*i:])
		if err := w.claim(id, id); err != nil {
			return err
		}
	}
	return nil
}
