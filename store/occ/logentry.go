package occ

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/kivisdb/kivis/store"
)

// The feed's log has keys of its own, apart from the user's:
//
//	00                        -> the state
//	01 [version] [part]       -> keys that a version wrote
//
// version is 8 bytes, part 4, big-endian. A commit has as many parts as its keys
// need. Each value begins with the number of its form and ends in a CRC-32C of
// key and value; docs/format.md has the rest.
const (
	logStateKey = 0x00
	logEntryKey = 0x01
	logKeySize  = 1 + 8 + 4
	logSumSize  = 4
	logForm     = 1

	// logPart is where a part ends: beyond its first key that reaches it.
	logPart = 32 << 10
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// logState is what the log says of itself.
type logState struct {
	on       bool
	boundary uint64        // all that came after it is in the log, if on
	from     uint64        // entries up to here have been deleted
	keep     time.Duration // the bounds, if on
	max      int64
}

// logEnd is after all entries.
var logEnd = []byte{logEntryKey + 1}

// logMore is where a part says whether another one follows.
const logMore = 1

// logHead begins each part.
type logHead struct {
	before uint64 // the version of the entry before, or one that is told no more
	time   int64  // of the commit, in nanoseconds of Unix time
	offset uint64 // how many bytes all parts before this one have had, ever
	more   bool   // another part of the commit follows
}

// logKey returns the key of a part.
func logKey(version uint64, part uint32) []byte {
	key := binary.BigEndian.AppendUint64([]byte{logEntryKey}, version)
	return binary.BigEndian.AppendUint32(key, part)
}

// splitLogKey is the reverse of logKey.
func splitLogKey(key []byte) (version uint64, part uint32, err error) {
	if len(key) != logKeySize || key[0] != logEntryKey {
		return 0, 0, logDamage("has the key %x", key)
	}
	return binary.BigEndian.Uint64(key[1:]), binary.BigEndian.Uint32(key[9:]), nil
}

func logDamage(format string, args ...any) error {
	return fmt.Errorf("store: the feed's log "+format+": %w", append(args, store.ErrCorrupt)...)
}

// sealLog appends the checksum to a value.
func sealLog(key, value []byte) []byte {
	return binary.BigEndian.AppendUint32(value, sumOfLog(key, value))
}

func sumOfLog(key, value []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, value)
}

// openLog returns what sealLog was given, without the number of the form.
func openLog(key, sealed []byte) ([]byte, error) {
	n := len(sealed) - logSumSize
	if n < 1 || sumOfLog(key, sealed[:n]) != binary.BigEndian.Uint32(sealed[n:]) {
		return nil, logDamage("has an entry, %x, without its checksum", key)
	}
	if sealed[0] != logForm {
		return nil, fmt.Errorf("store: the feed's log has an entry of form %d, want %d: a newer release has written it", sealed[0], logForm)
	}
	return sealed[1:n], nil
}

// encode returns the state's value.
func (s *logState) encode() []byte {
	b := []byte{logForm, 0}
	if s.on {
		b[1] = 1
	}
	for _, n := range []uint64{s.boundary, s.from, uint64(s.keep), uint64(s.max)} {
		b = binary.AppendUvarint(b, n)
	}
	return sealLog([]byte{logStateKey}, b)
}

// decodeState is the reverse of encode.
func decodeState(sealed []byte) (s logState, err error) {
	b, err := openLog([]byte{logStateKey}, sealed)
	if err != nil {
		return s, err
	}
	in := logReader{b: b}
	s.on = in.byte() == 1
	s.boundary, s.from = in.uvarint(), in.uvarint()
	s.keep, s.max = time.Duration(in.uvarint()), int64(in.uvarint())
	if in.bad || len(in.b) > 0 {
		return s, logDamage("has a state of %d bytes", len(sealed))
	}
	return s, nil
}

func (h *logHead) append(dst []byte) []byte {
	flags := byte(0)
	if h.more {
		flags = 1
	}
	dst = append(dst, logForm, flags)
	dst = binary.AppendUvarint(dst, h.before)
	dst = binary.AppendVarint(dst, h.time)
	return binary.AppendUvarint(dst, h.offset)
}

// appendWrite appends a key, less what it shares with the one before it.
func appendWrite(dst, before []byte, e Entry) []byte {
	key, shared := e.Key(), 0
	for shared < min(len(before), len(key)) && before[shared] == key[shared] {
		shared++
	}
	dst = binary.AppendUvarint(dst, uint64(shared))
	dst = binary.AppendUvarint(dst, uint64(len(key)-shared)<<endShift|uint64(doneTo(e)))
	return append(dst, key[shared:]...)
}

// logDecoder reads parts. What it returns shares its memory and never changes.
type logDecoder struct{ arena []byte }

// part returns a part's head, and its writes appended to dst.
func (d *logDecoder) part(key, sealed []byte, dst []store.Write) (h logHead, _ []store.Write, err error) {
	h, in, err := decodeHead(key, sealed)
	if err != nil {
		return h, dst, err
	}
	var last []byte
	for len(in.b) > 0 && !in.bad {
		shared, n := in.uvarint(), in.uvarint()
		rest := in.take(n >> endShift)
		if in.bad || shared > uint64(len(last)) {
			in.bad = true
			break
		}
		from := len(d.arena)
		d.arena, from = appendShared(d.arena, from, last[:shared]...)
		d.arena, from = appendShared(d.arena, from, rest...)
		last = d.arena[from:len(d.arena):len(d.arena)]
		dst = append(dst, writeOf(last, uint32(n)))
	}
	if in.bad {
		return h, dst, logDamage("has an entry, %x, that cannot be read", key)
	}
	return h, dst, nil
}

// decodeHead returns a part's head, and what follows it.
func decodeHead(key, sealed []byte) (h logHead, in logReader, err error) {
	b, err := openLog(key, sealed)
	if err != nil {
		return h, in, err
	}
	in.b = b
	h.more = in.byte() == 1
	h.before, h.time, h.offset = in.uvarint(), in.varint(), in.uvarint()
	if in.bad {
		return h, in, logDamage("has an entry, %x, that cannot be read", key)
	}
	return h, in, nil
}

// logReader takes a value apart.
type logReader struct {
	b   []byte
	bad bool // it has ended too early
}

func (r *logReader) byte() byte {
	if b := r.take(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

func (r *logReader) take(n uint64) []byte {
	if r.bad || n > uint64(len(r.b)) {
		r.bad = true
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *logReader) uvarint() uint64 {
	x, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return x
}

func (r *logReader) varint() int64 {
	x, n := binary.Varint(r.b)
	if n <= 0 {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return x
}
