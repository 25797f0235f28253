package backupfile

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"runtime"
)

// A Writer writes a file. Blocks are compressed beside the goroutine that fills
// them; w is written to in the caller's own, in Set, Delete and Close. After an
// error the file is lost, and every further call returns that error.
type Writer struct {
	w      io.Writer
	header Header
	err    error

	block    blockBuilder
	began    bool // there was an entry
	last     []byte
	pending  []*packing // blocks that are being compressed, in order
	free     []*packing
	parallel int

	off   int64
	hash  hash.Hash
	index indexBuilder
	info  Info
}

// packing is a block on its way to become a frame.
type packing struct {
	raw   []byte
	frame []byte
	sum   [32]byte
	last  []byte
	count int
	done  chan struct{}
}

// NewWriter returns a Writer of a file with a header, on w.
func NewWriter(w io.Writer, h Header) *Writer {
	x := &Writer{w: w, header: h, hash: sha256.New(), parallel: min(runtime.GOMAXPROCS(0), 8)}
	x.info.Header = h
	x.index.emit = x.emitIndex
	head := h.append(nil)
	x.hash.Write(head)
	x.write(head)
	return x
}

// Set adds a key with its value, behind all keys before.
func (w *Writer) Set(key, value []byte) error {
	if err := w.next(key); err != nil {
		return err
	}
	w.info.Entries++
	switch {
	case len(value) > maxValue:
		return w.fail(fmt.Errorf("backup file: the value of key %.40x has %d bytes, the most is %d", key, len(value), maxValue))
	case len(value) > blockSize:
		return w.setLong(key, value)
	}
	w.block.add(entry{key: key, value: value, tag: tagWhole})
	return w.filled()
}

// setLong adds a value in pieces, each in a block of its own.
func (w *Writer) setLong(key, value []byte) error {
	e := entry{key: key, tag: tagFirst, total: uint64(len(value))}
	for len(value) > 0 {
		n := min(len(value), blockSize)
		e.value, value = value[:n], value[n:]
		w.block.add(e)
		e.tag = tagMore
		if err := w.flush(); err != nil {
			return err
		}
	}
	return nil
}

// Delete adds a key that is gone, behind all keys before.
func (w *Writer) Delete(key []byte) error {
	if err := w.next(key); err != nil {
		return err
	}
	w.info.Deleted++
	w.block.add(entry{key: key, tag: tagDeleted})
	return w.filled()
}

// next checks the next key.
func (w *Writer) next(key []byte) error {
	switch {
	case w.err != nil:
		return w.err
	case len(key) > maxKey:
		return w.fail(fmt.Errorf("backup file: a key of %d bytes, the longest is %d", len(key), maxKey))
	case w.began && bytes.Compare(w.last, key) >= 0:
		return w.fail(fmt.Errorf("backup file: key %.40x comes after %.40x", key, w.last))
	}
	w.began = true
	w.last = append(w.last[:0], key...)
	return nil
}

func (w *Writer) fail(err error) error {
	w.err = err
	return err
}

// filled completes the block if it is full.
func (w *Writer) filled() error {
	if !w.block.full() {
		return nil
	}
	return w.flush()
}

// flush hands the block on to be compressed, having written the oldest of those
// that are.
func (w *Writer) flush() error {
	if len(w.pending) > w.parallel {
		if err := w.settle(); err != nil {
			return err
		}
	}
	p := w.spare()
	p.raw, w.block.raw = w.block.raw, p.raw
	p.last = append(p.last[:0], w.block.last...)
	p.count = w.block.entries
	w.block.reset(w.block.raw)
	w.pending = append(w.pending, p)
	go p.pack()
	return nil
}

func (w *Writer) spare() *packing {
	n := len(w.free)
	if n == 0 {
		return &packing{done: make(chan struct{}, 1)}
	}
	p := w.free[n-1]
	w.free = w.free[:n-1]
	return p
}

// pack compresses the block.
func (p *packing) pack() {
	p.frame = appendFrame(p.frame[:0], kindData, p.raw)
	p.sum = sha256.Sum256(p.frame)
	p.done <- struct{}{}
}

// settle waits for the oldest block and writes it.
func (w *Writer) settle() error {
	p := w.pending[0]
	<-p.done
	w.pending = append(w.pending[:0], w.pending[1:]...)
	w.free = append(w.free, p)
	c := child{key: p.last, off: w.off, size: uint32(len(p.frame)), count: uint64(p.count)}
	if err := w.writeFrame(p.frame, p.sum); err != nil {
		return err
	}
	return w.index.add(0, c)
}

// emitIndex writes an index block.
func (w *Writer) emitIndex(raw []byte) (off int64, size uint32, err error) {
	frame := appendFrame(nil, kindIndex, raw)
	off = w.off
	return off, uint32(len(frame)), w.writeFrame(frame, sha256.Sum256(frame))
}

func (w *Writer) writeFrame(frame []byte, sum [32]byte) error {
	w.hash.Write(sum[:])
	return w.write(frame)
}

func (w *Writer) write(b []byte) error {
	if w.err != nil {
		return w.err
	}
	n, err := w.w.Write(b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	w.off += int64(n)
	if err != nil {
		return w.fail(err)
	}
	return nil
}

var errWritten = errors.New("backup file: the file has been written")

// Close writes what is left, and the footer, and returns what the file is. It
// does not close the io.Writer.
func (w *Writer) Close() (Info, error) {
	if w.err != nil {
		return Info{}, w.err
	}
	if len(w.block.raw) > 0 {
		if err := w.flush(); err != nil {
			return Info{}, err
		}
	}
	for len(w.pending) > 0 {
		if err := w.settle(); err != nil {
			return Info{}, err
		}
	}
	root, levels, err := w.index.finish()
	if err != nil {
		return Info{}, err
	}
	f := footer{root: root, levels: levels, entries: w.info.Entries, deleted: w.info.Deleted, size: w.off + footerSize}
	w.hash.Write(f.appendHashed(nil))
	w.hash.Sum(f.hash[:0])
	if err := w.write(f.append(nil)); err != nil {
		return Info{}, err
	}
	w.info.Hash, w.info.Size, w.err = f.hash, f.size, errWritten
	return w.info, nil
}
