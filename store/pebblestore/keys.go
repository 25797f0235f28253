package pebblestore

import (
	"bytes"
	"encoding/binary"

	"github.com/cockroachdb/pebble/v2"

	"github.com/kivisdb/kivis/store"
)

// Every key in Pebble begins with the byte of a space.
const (
	spaceMeta = 0x01 // the store's own
	spaceUser = 0x02 // user key -> value
	spaceLog  = 0x03 // key of the feed's log -> value
)

// versionKey has the version, of which each commit writes a new one.
var versionKey = []byte{spaceMeta, 'v'}

// maxKey is the longest user key.
const maxKey = 1 << 16

// setVersion writes a version.
func setVersion(b *pebble.Batch, version uint64) error {
	return b.Set(versionKey, binary.BigEndian.AppendUint64(nil, version), nil)
}

// appendKey appends the engine's key of a user key.
func appendKey(dst, key []byte) []byte { return append(append(dst, spaceUser), key...) }

// boundsOf returns a range of a space as the engine has it.
func boundsOf(space byte, g store.Range) (lo, hi []byte) {
	buf := make([]byte, 0, len(g.Lo)+len(g.Hi)+2)
	buf = append(append(buf, space), g.Lo...)
	n := len(buf)
	if g.Hi == nil {
		buf = append(buf, space+1)
	} else {
		buf = append(append(buf, space), g.Hi...)
	}
	lo, hi = buf[:n:n], buf[n:]
	if bytes.Compare(lo, hi) > 0 {
		hi = lo // an inverted range is empty
	}
	return lo, hi
}
