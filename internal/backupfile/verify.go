package backupfile

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
)

// Verify reads the whole file and returns an error that matches
// store.ErrCorrupt where any byte of it is not what the writer wrote. progress
// may be nil; it is told of the bytes that have been read.
func (f *File) Verify(ctx context.Context, progress func(bytes int64)) error {
	end := f.foot.size - footerSize
	v := &verification{
		file: f, end: end, progress: progress, hash: sha256.New(),
		in: bufio.NewReaderSize(io.NewSectionReader(f.r, headerSize, end-headerSize), 1<<18), off: headerSize,
	}
	v.hash.Write(f.info.Header.append(nil))
	v.index.emit = v.indexBlock
	for v.more() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := v.next(); err != nil {
			return err
		}
	}
	return v.finish()
}

// verification is a Verify. It makes the index anew from the data blocks, and
// compares it with the one in the file.
type verification struct {
	file     *File
	in       *bufio.Reader
	off, end int64
	frame    []byte
	hash     hash.Hash
	progress func(int64)

	index   indexBuilder
	began   bool
	last    []byte // key
	want    uint64 // bytes of a value that are yet to come
	entries uint64
	deleted uint64
}

// more reports whether a data block comes next; the last index blocks come behind
// all of them.
func (v *verification) more() bool {
	if v.off >= v.end {
		return false
	}
	kind, err := v.in.Peek(1)
	return err != nil || kind[0] != kindIndex
}

// next reads a data block, and the index blocks that it completes.
func (v *verification) next() error {
	at := v.off
	if err := v.read(); err != nil {
		return err
	}
	raw, err := openFrame(v.frame, kindData, at)
	if err != nil {
		return err
	}
	b, err := parseBlock(raw)
	if err != nil {
		return damaged(at, err.Error())
	}
	n, err := v.entriesOf(b)
	if err != nil {
		return damaged(at, err.Error())
	}
	if v.progress != nil {
		v.progress(v.off)
	}
	return v.index.add(0, child{key: b.last(), off: at, size: uint32(len(v.frame)), count: n})
}

// read reads the next frame.
func (v *verification) read() error {
	v.frame = append(v.frame[:0], make([]byte, frameHead)...)
	if v.end-v.off < frameHead {
		return damaged(v.off, "a block is cut")
	}
	if _, err := io.ReadFull(v.in, v.frame); err != nil {
		return v.failed(err)
	}
	n, err := packedSize(v.frame, v.off)
	if err != nil {
		return err
	}
	if v.end-v.off < int64(frameHead+n) {
		return damaged(v.off, "a block is cut")
	}
	v.frame = append(v.frame, make([]byte, n)...)
	if _, err := io.ReadFull(v.in, v.frame[frameHead:]); err != nil {
		return v.failed(err)
	}
	sum := sha256.Sum256(v.frame)
	v.hash.Write(sum[:])
	v.off += int64(len(v.frame))
	return nil
}

func (v *verification) failed(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return damaged(v.off, "the file ends here")
	}
	return fmt.Errorf("backup file: %w", err)
}

// entriesOf checks that a block follows those before, and returns how many
// entries begin in it.
func (v *verification) entriesOf(b *block) (n uint64, err error) {
	for i := range b.entries {
		e := &b.entries[i]
		if (v.want > 0) != (e.tag == tagMore) {
			return 0, fmt.Errorf("a value's pieces do not come one after the other")
		}
		if e.tag == tagMore {
			if !bytes.Equal(e.key, v.last) || uint64(len(e.value)) > v.want {
				return 0, fmt.Errorf("a value goes on with another's piece")
			}
			v.want -= uint64(len(e.value))
			continue
		}
		if v.began && bytes.Compare(v.last, e.key) >= 0 {
			return 0, fmt.Errorf("keys are out of order")
		}
		n++
		v.note(e)
	}
	return n, nil
}

// note takes in an entry that begins.
func (v *verification) note(e *entry) {
	v.began = true
	v.last = append(v.last[:0], e.key...)
	switch e.tag {
	case tagDeleted:
		v.deleted++
		return
	case tagFirst:
		v.want = e.total - uint64(len(e.value))
	}
	v.entries++
}

// indexBlock compares the next block with an index block that has to come here.
func (v *verification) indexBlock(want []byte) (off int64, size uint32, err error) {
	off = v.off
	if err := v.read(); err != nil {
		return 0, 0, err
	}
	raw, err := openFrame(v.frame, kindIndex, off)
	if err != nil {
		return 0, 0, err
	}
	if !bytes.Equal(raw, want) {
		return 0, 0, damaged(off, "the index is not the one of the data")
	}
	return off, uint32(len(v.frame)), nil
}

// finish reads the index blocks at the end and compares the footer.
func (v *verification) finish() error {
	root, levels, err := v.index.finish()
	if err != nil {
		return err
	}
	foot := v.file.foot
	v.hash.Write(foot.appendHashed(nil))
	switch {
	case v.off != v.end || levels != foot.levels || root.off != foot.root.off || root.size != foot.root.size:
		return damaged(v.off, "the index is not the one of the data")
	case v.want > 0:
		return damaged(v.off, "a value ends too early")
	case v.entries != foot.entries || v.deleted != foot.deleted:
		return damaged(v.end, "the footer counts other entries")
	case !bytes.Equal(v.hash.Sum(nil), foot.hash[:]):
		return damaged(v.end, "the hash of the whole is another")
	}
	return nil
}

// Verify reads all files, as [File.Verify] does; progress is told of the bytes
// of all of them.
func (c *Chain) Verify(ctx context.Context, progress func(bytes int64)) error {
	before := int64(0)
	for i, f := range c.files {
		told := progress
		if progress != nil {
			told = func(n int64) { progress(before + n) }
		}
		if err := f.Verify(ctx, told); err != nil {
			return c.inFile(i, len(c.files), err)
		}
		before += f.info.Size
	}
	return nil
}
