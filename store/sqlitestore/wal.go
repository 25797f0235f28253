package sqlitestore

import (
	"encoding/binary"
	"math"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/kivisdb/kivis/store/sqlitestore/internal/walfile"
)

const (
	frameSize = walfile.FrameSize + pageSize

	// maxRun is how many bytes of frames wait to be written as one.
	maxRun = 256 << 10
)

// walFile is a log. The frames of a transaction are written to it as one. What this
// process has written it reads from memory: a connection forgets its pages whenever
// another one has committed, and wants the newest again. What another process has
// left has its checksums compared whenever it is read, which SQLite does once, so
// that damage gets nowhere, with a new checksum the least.
type walFile struct {
	*tracked
	frames *frames
	own    int64 // from here on frames may be of a transaction that this connection has not ended

	run    []byte // frames that are not written yet
	at     int64  // where they begin
	head   bool   // they end with a frame's header
	commit bool   // which ends a transaction
	direct bool   // a page was written over, so its checksum follows in the end
}

// frameAt returns the number, from 0, of the frame with n bytes at an offset as its
// page.
func frameAt(n int, off int64) (int, bool) {
	off -= walfile.HeaderSize + walfile.FrameSize
	return int(off / frameSize), n == pageSize && off >= 0 && off%frameSize == 0
}

// ReadAt implements vfs.File.
func (f *walFile) ReadAt(p []byte, off int64) (int, error) {
	number, page := frameAt(len(p), off)
	if page && f.frames.get(number, p) {
		return len(p), nil
	}
	if err := f.flush(); err != nil {
		return 0, err
	}
	n, err := f.File.ReadAt(p, off)
	if page && n == len(p) && off < f.own && !f.sound(p, off-walfile.FrameSize) {
		return 0, sqlite3.IOERR_DATA
	}
	return n, err
}

// sound says whether a page has the checksum that is in its frame's header.
func (f *walFile) sound(page []byte, head int64) bool {
	var h, last [walfile.FrameSize]byte
	if _, err := f.File.ReadAt(h[:], head); err != nil {
		return false
	}
	// The sum goes on from that of the frame before, or of the log's header: either
	// ends with it.
	from := head - frameSize
	if head == walfile.HeaderSize {
		from = walfile.HeaderSize - walfile.FrameSize
	}
	if _, err := f.File.ReadAt(last[:], from); err != nil {
		return false
	}
	return walfile.FrameSum(binary.LittleEndian, walfile.SumAt(last[16:]), h[:], page) == walfile.SumAt(h[16:])
}

// WriteAt implements vfs.File. SQLite writes a frame's header, then its page. Within
// a transaction it may write a page over, and then the headers from there on once
// more, behind the last frame: from then on all is written as it comes.
func (f *walFile) WriteAt(p []byte, off int64) (n int, err error) {
	number, page := frameAt(len(p), off)
	head := len(p) == walfile.FrameSize && off >= walfile.HeaderSize
	switch {
	case off == 0:
		f.frames.forget()
		f.direct = false
	case head:
		f.begin(p, off)
	case page:
		f.frames.set(number, p)
	}
	if follows := f.head && off == f.at+int64(len(f.run)); page && !follows {
		f.direct = true
	}
	if f.direct || !head && !page {
		if err := f.flush(); err != nil {
			return 0, err
		}
		n, err := f.File.WriteAt(p, off)
		return n, fileError(err)
	}
	return len(p), f.add(p, off, head)
}

// begin notes the header of a frame. One that is the last of its transaction says
// so.
func (f *walFile) begin(head []byte, off int64) {
	f.own = min(f.own, off)
	f.commit = binary.BigEndian.Uint32(head[4:]) != 0
	if f.commit {
		f.own = math.MaxInt64
	}
}

// add adds a part of a frame to those that are not written yet, and writes them once
// a transaction has ended, for others see its frames from then on.
func (f *walFile) add(p []byte, off int64, head bool) error {
	if off != f.at+int64(len(f.run)) {
		if err := f.flush(); err != nil {
			return err
		}
		f.at = off
	}
	f.run = append(f.run, p...)
	f.head = head
	if !head && (f.commit || len(f.run) >= maxRun) {
		return f.flush()
	}
	return nil
}

// flush writes what is not written yet. Where it fails the transaction does, too.
func (f *walFile) flush() error {
	run, at := f.run, f.at
	f.at += int64(len(run))
	f.run, f.head = run[:0], false
	if len(run) == 0 {
		return nil
	}
	_, err := f.File.WriteAt(run, at)
	return fileError(err)
}

// Truncate implements vfs.File.
func (f *walFile) Truncate(size int64) error {
	if err := f.flush(); err != nil {
		return err
	}
	return fileError(f.File.Truncate(size))
}

// Sync implements vfs.File.
func (f *walFile) Sync(flags vfs.SyncFlag) error {
	if err := f.flush(); err != nil {
		return err
	}
	return f.File.Sync(flags)
}

// Size implements vfs.File.
func (f *walFile) Size() (int64, error) {
	if err := f.flush(); err != nil {
		return 0, err
	}
	return f.File.Size()
}
