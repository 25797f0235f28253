package badgerstore

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/kivisdb/kivis/store"
)

// Every key in Badger begins with the byte of a space.
const (
	spaceMeta  = 0x01 // the store's own keys, below
	spacePad   = 0x02 // zeros: see maintain.go
	spaceIndex = 0x03 // user key -> head of its blob
	spaceChunk = 0x04 // blob id, chunk number -> bytes
	spaceUser  = 0x05 // user key -> value
	spaceLog   = 0x06 // key of the feed's log -> value
)

// The store's own keys. They are the first ones of all, and seldom written, so
// that the newest entry of each is in the first block of its table: inspect has
// checked that one before Open relies on it.
var (
	openKey  = []byte{spaceMeta, 0} // first part of a version that has several -> the version before
	sealKey  = []byte{spaceMeta, 1} // in its last part
	stampKey = []byte{spaceMeta, 2} // in versions up to which others may be dropped
)

// maxKey is the longest user key: Badger's limit, less the space.
const maxKey = 65000 - 1

// appendKey appends the engine's key of a user key.
func appendKey(dst []byte, space byte, key []byte) []byte {
	return append(append(dst, space), key...)
}

// span is a range of the keys of a space as the engine has them.
type span struct {
	buf    []byte // backs the others
	lo, hi []byte
	prefix []byte // that every key of the range has
}

// spanOf returns the engine's form of r, a range of the user's keys, in the memory
// of buf if it suffices.
func spanOf(buf []byte, r store.Range) span { return spanIn(buf, spaceUser, r) }

// spanIn is spanOf in a space.
func spanIn(buf []byte, space byte, r store.Range) span {
	buf = slices.Grow(buf[:0], len(r.Lo)+len(r.Hi)+2)
	buf = appendKey(buf, space, r.Lo)
	n := len(buf)
	if r.Hi == nil {
		buf = append(buf, space+1)
	} else {
		buf = appendKey(buf, space, r.Hi)
	}
	s := span{buf: buf, lo: buf[:n:n], hi: buf[n:]}
	s.prefix = s.lo[:sharedPrefix(s.lo, s.hi)]
	switch {
	case len(s.prefix) == 0:
		s.prefix = s.lo[:1] // hi is the next space, which no key of this one begins with
	case !r.Reverse:
		s.prefix = tighten(s.lo, s.hi, len(s.prefix))
	}
	return s
}

// tighten returns the longest prefix of lo that every key in [lo, hi) has, of
// which n bytes are known. A range made from a prefix ends at the next one, so
// lo and hi alone share a byte too few. Not for a reverse scan: it begins by
// seeking hi, and Badger calls an iterator that stands outside of its prefix
// at its end.
func tighten(lo, hi []byte, n int) []byte {
	for n < len(lo) && !bytes.HasPrefix(hi, lo[:n+1]) && endsPrefix(lo[:n+1], hi) {
		n++
	}
	return lo[:n]
}

// endsPrefix says whether no key from hi on has the prefix and none below hi
// that is beyond it is missed: hi is the first key after all those of prefix.
func endsPrefix(prefix, hi []byte) bool {
	n := len(prefix)
	for n > 0 && prefix[n-1] == 0xFF {
		n--
	}
	if n == 0 || len(hi) != n {
		return false
	}
	return bytes.Equal(prefix[:n-1], hi[:n-1]) && hi[n-1] == prefix[n-1]+1
}

func sharedPrefix(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// blobID names the pieces of one big value for good: the version that wrote it
// and its number therein.
type blobID [12]byte

func newBlobID(version uint64, n int) (id blobID) {
	binary.BigEndian.PutUint64(id[:], version)
	binary.BigEndian.PutUint32(id[8:], uint32(n))
	return id
}

// appendChunkKey appends the key of piece i.
func appendChunkKey(dst []byte, id blobID, i int) []byte {
	dst = append(append(dst, spaceChunk), id[:]...)
	return binary.BigEndian.AppendUint32(dst, uint32(i))
}
