// Package walfile reads a write-ahead log of SQLite's by itself, and tells whether
// it is sound. SQLite takes a log to end where a checksum is wrong, whatever comes
// after, and one whose header is damaged for no log at all.
//
// A log is a header and frames. A frame is a header of its own and a page. The last
// frame of a transaction says so, with the number of pages that the database then
// has. The checksum of a frame goes on from that of the frame before, and frames
// repeat two numbers of the header, the salts, so that those which an earlier log
// has left in the file are not taken for its own.
//
// What makes damage visible is that at most one transaction can have been under way
// when the power failed: what lies behind the sound part, and has the salts, may be
// the rest of that one and no more.
package walfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

var (
	// ErrDamaged: there is more in the log than can be read of it.
	ErrDamaged = errors.New("damaged")
	// ErrNone: the file holds no log.
	ErrNone = errors.New("no log")
)

const (
	// HeaderSize is how many bytes the header of a log takes.
	HeaderSize = 32
	// FrameSize is how many bytes of a frame precede its page.
	FrameSize = 24

	magic   = 0x377f0682 // the last bit says that checksums are big-endian
	version = 3007000
)

// Log is what a log adds to its database.
type Log struct {
	// Frames says at which byte of the file the newest committed content of a
	// page begins, by the number of the page.
	Frames map[uint32]int64

	// Pages is how many pages the database has, as of the last commit; 0 where
	// there is none.
	Pages uint32

	// Lost says that frames behind the last commit are of a transaction that did
	// not end, or of commits that cannot be read.
	Lost bool
}

// Read reads a log of so many bytes. Each transaction writes the page everyCommit
// exactly once. Where ErrDamaged is returned so is the sound part.
func Read(r io.ReaderAt, size int64, pageSize int, everyCommit uint32) (Log, error) {
	log := Log{Frames: map[uint32]int64{}}
	var head [HeaderSize]byte
	n, err := r.ReadAt(head[:], 0)
	switch {
	case err != nil && err != io.EOF:
		return log, err
	case n < len(head) || head == [HeaderSize]byte{}:
		return log, ErrNone
	}
	h, err := parseHeader(head, pageSize)
	if err != nil {
		return log, err
	}
	return log, h.readFrames(r, size, everyCommit, &log)
}

// header is what the frames of a log are held against.
type header struct {
	order    binary.ByteOrder // of checksums
	salts    [8]byte
	sum      [2]uint32
	pageSize int
}

func parseHeader(b [HeaderSize]byte, pageSize int) (header, error) {
	m := binary.BigEndian.Uint32(b[:])
	h := header{order: orderOf(m), pageSize: pageSize, salts: [8]byte(b[16:24])}
	h.sum = Sum(h.order, [2]uint32{}, b[:24])
	switch {
	case m&^1 != magic, h.sum != SumAt(b[24:]):
		return h, fmt.Errorf("its header does not have its checksum: %w", ErrDamaged)
	case binary.BigEndian.Uint32(b[4:]) != version:
		return h, fmt.Errorf("it is of version %d, want %d: %w", binary.BigEndian.Uint32(b[4:]), version, ErrDamaged)
	case binary.BigEndian.Uint32(b[8:]) != uint32(pageSize):
		return h, fmt.Errorf("its pages have %d bytes, want %d: %w", binary.BigEndian.Uint32(b[8:]), pageSize, ErrDamaged)
	}
	return h, nil
}

func orderOf(magic uint32) binary.ByteOrder {
	if magic&1 == 1 {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// Order returns the order of bytes in which the sums of a log are made, by its
// header.
func Order(header []byte) binary.ByteOrder { return orderOf(binary.BigEndian.Uint32(header)) }

// SumAt returns the checksum that begins b.
func SumAt(b []byte) [2]uint32 {
	return [2]uint32{binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])}
}

// Sum returns the checksum of b, whose length is a multiple of 8, that goes on from
// another.
func Sum(order binary.ByteOrder, sum [2]uint32, b []byte) [2]uint32 {
	if order == binary.LittleEndian { // which the compiler makes fast
		for ; len(b) >= 8; b = b[8:] {
			sum[0] += binary.LittleEndian.Uint32(b) + sum[1]
			sum[1] += binary.LittleEndian.Uint32(b[4:]) + sum[0]
		}
		return sum
	}
	for ; len(b) >= 8; b = b[8:] {
		sum[0] += binary.BigEndian.Uint32(b) + sum[1]
		sum[1] += binary.BigEndian.Uint32(b[4:]) + sum[0]
	}
	return sum
}

// FrameSum returns the checksum of a frame that follows one with the sum before.
func FrameSum(order binary.ByteOrder, before [2]uint32, head, page []byte) [2]uint32 {
	return Sum(order, Sum(order, before, head[:8]), page)
}

// frame is what the header of a frame says.
type frame struct {
	page   uint32
	commit uint32 // the pages of the database, in the last frame of a transaction
	ours   bool   // it has the salts
}

func (h *header) frame(b []byte) frame {
	return frame{
		page:   binary.BigEndian.Uint32(b),
		commit: binary.BigEndian.Uint32(b[4:]),
		ours:   [8]byte(b[8:16]) == h.salts,
	}
}

// readFrames reads all frames. Those of a transaction count once its last is sound.
func (h *header) readFrames(r io.ReaderAt, size int64, everyCommit uint32, log *Log) error {
	step := int64(FrameSize + h.pageSize)
	b := make([]byte, step)
	pending := map[uint32]int64{}
	var rest rest
	sound := true
	for at := int64(HeaderSize); at+step <= size; at += step {
		if _, err := r.ReadAt(b, at); err != nil {
			return err
		}
		f := h.frame(b)
		sum := FrameSum(h.order, h.sum, b, b[FrameSize:])
		sound = sound && f.ours && f.page != 0 && sum == SumAt(b[16:])
		if !sound {
			rest.add(f, everyCommit)
			continue
		}
		h.sum = sum
		pending[f.page] = at + FrameSize
		rest.add(f, everyCommit)
		if f.commit != 0 {
			for page, at := range pending {
				log.Frames[page] = at
			}
			clear(pending)
			log.Pages, rest = f.commit, restOfNone
		}
	}
	log.Lost = rest.frames > 0
	return rest.check()
}

// rest is what lies behind the last commit that is sound.
type rest struct{ frames, commits, marks int }

var restOfNone rest

func (r *rest) add(f frame, everyCommit uint32) {
	if !f.ours {
		return
	}
	r.frames++
	if f.commit != 0 {
		r.commits++
	}
	if f.page == everyCommit {
		r.marks++
	}
}

// check returns an error if it is more than one transaction.
func (r rest) check() error {
	if r.commits <= 1 && r.marks <= 1 {
		return nil
	}
	return fmt.Errorf("%d commits or more lie behind what is sound: %w", max(r.commits, r.marks), ErrDamaged)
}
