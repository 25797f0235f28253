package backupfile

import (
	"container/list"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
)

// cached is about how many bytes of memory the blocks take that the files of a
// chain keep at hand together.
const cached = 8 << 20

// A File is a file that is read in place. It is safe for concurrent use.
type File struct {
	r    io.ReaderAt
	info Info
	foot footer

	mu     sync.Mutex
	most   int // bytes of memory
	used   int
	blocks map[int64]*list.Element // of *loaded, by the place of the frame
	recent list.List               // the block used last in front
}

// loaded is a block in memory.
type loaded struct {
	off  int64
	node any // *block or *index
	size int // in memory
}

// Open returns the file in r, having read its header and footer. It has the
// methods of r say how long it is, Size or Stat, or else finds out.
func Open(r io.ReaderAt) (*File, error) {
	size, err := sizeOf(r)
	if err != nil {
		return nil, err
	}
	f := &File{r: r, most: cached, blocks: make(map[int64]*list.Element)}
	head := make([]byte, min(size, headerSize))
	if err := readAt(r, head, 0); err != nil {
		return nil, err
	}
	if len(head) < headerSize {
		return nil, damaged(0, fmt.Sprintf("a file of %d bytes is too short for a backup", size))
	}
	if f.info.Header, err = parseHeader(head); err != nil {
		return nil, err
	}
	if size < headerSize+footerSize {
		return nil, damaged(size, "it does not end as a backup does: it was cut")
	}
	foot := make([]byte, footerSize)
	if err := readAt(r, foot, size-footerSize); err != nil {
		return nil, err
	}
	if f.foot, err = parseFooter(foot, size); err != nil {
		return nil, err
	}
	f.info.Hash, f.info.Entries, f.info.Deleted, f.info.Size = f.foot.hash, f.foot.entries, f.foot.deleted, size
	if f.info.Whole() && f.info.Deleted > 0 {
		return nil, damaged(size-footerSize, "keys are deleted in a whole backup")
	}
	return f, nil
}

// Info returns what the file says of itself. Only Verify knows whether it is
// true.
func (f *File) Info() Info { return f.info }

// sizeOf returns how many bytes there are in r.
func sizeOf(r io.ReaderAt) (int64, error) {
	switch s := r.(type) {
	case interface{ Size() int64 }:
		return s.Size(), nil
	case interface{ Stat() (fs.FileInfo, error) }:
		info, err := s.Stat()
		if err != nil {
			return 0, err
		}
		if info.Mode().IsRegular() {
			return info.Size(), nil
		}
	}
	return probeSize(r)
}

// probeSize finds out how many bytes there are in r by reading some.
func probeSize(r io.ReaderAt) (int64, error) {
	lo, hi := int64(0), int64(1) // there are at least lo
	for {
		ok, err := hasByte(r, hi-1)
		if err != nil {
			return 0, err
		}
		if !ok {
			break
		}
		if lo = hi; hi > 1<<60 {
			return 0, errors.New("backup file: it has no end")
		}
		hi *= 2
	}
	for lo < hi-1 { // and fewer than hi
		mid := lo + (hi-lo)/2
		ok, err := hasByte(r, mid-1)
		if err != nil {
			return 0, err
		}
		if ok {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo, nil
}

// hasByte reports whether r has a byte at off.
func hasByte(r io.ReaderAt, off int64) (bool, error) {
	n, err := r.ReadAt(make([]byte, 1), off)
	if n == 1 {
		return true, nil
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return false, nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return false, err
}

// readAt fills b from off on.
func readAt(r io.ReaderAt, b []byte, off int64) error {
	n, err := r.ReadAt(b, off)
	switch {
	case n == len(b):
		return nil
	case err == nil || errors.Is(err, io.EOF):
		return damaged(off+int64(n), "the file ends here")
	}
	return fmt.Errorf("backup file: %w", err)
}

// indexAt returns the index block that c names.
func (f *File) indexAt(c *child, level int) (*index, error) {
	if x, ok := f.recall(c.off).(*index); ok && x.level == level {
		return x, nil
	}
	raw, err := f.load(c, kindIndex)
	if err != nil {
		return nil, err
	}
	x, err := parseIndex(raw, level, c.off)
	if err != nil {
		return nil, damaged(c.off, err.Error())
	}
	f.keep(c.off, x, memoryOf(raw, len(x.children), x.keyBytes))
	return x, nil
}

// blockAt returns the data block that c names.
func (f *File) blockAt(c *child) (*block, error) {
	if b, ok := f.recall(c.off).(*block); ok {
		return b, nil
	}
	raw, err := f.load(c, kindData)
	if err != nil {
		return nil, err
	}
	b, err := parseBlock(raw)
	if err != nil {
		return nil, damaged(c.off, err.Error())
	}
	if string(b.last()) != string(c.key) {
		return nil, damaged(c.off, "the block is not the one that the index names")
	}
	f.keep(c.off, b, memoryOf(raw, len(b.entries), b.keyBytes))
	return b, nil
}

// load reads the frame that c names and returns its block.
func (f *File) load(c *child, kind byte) ([]byte, error) {
	end := f.foot.size - footerSize
	if c.off < headerSize || c.off > end || int64(c.size) > min(end-c.off, int64(frameHead+maxPacked)) {
		return nil, damaged(c.off, "the index leads out of the file")
	}
	frame := make([]byte, c.size)
	if err := readAt(f.r, frame, c.off); err != nil {
		return nil, err
	}
	return openFrame(frame, kind, c.off)
}

// recall returns the block whose frame is at off, if it is at hand.
func (f *File) recall(off int64) any {
	f.mu.Lock()
	defer f.mu.Unlock()
	e := f.blocks[off]
	if e == nil {
		return nil
	}
	f.recent.MoveToFront(e)
	return e.Value.(*loaded).node
}

// memoryOf returns about how many bytes a block takes with its keys written out.
func memoryOf(raw []byte, entries, keyBytes int) int { return len(raw) + 64*entries + keyBytes }

// keep puts a block with those at hand, in the place of the ones that have not
// been used for longest.
func (f *File) keep(off int64, node any, size int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.blocks[off] != nil {
		return
	}
	f.blocks[off] = f.recent.PushFront(&loaded{off, node, size})
	f.used += size
	for f.used > f.most && f.recent.Len() > 1 {
		oldest := f.recent.Remove(f.recent.Back()).(*loaded)
		delete(f.blocks, oldest.off)
		f.used -= oldest.size
	}
}
