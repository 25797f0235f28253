package schema

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"

	"github.com/kivisdb/kivis/codec"
)

// An Incarnation is one life of a database. It is drawn when the database is
// created, and again when it is restored from a backup, which makes versions go
// back. So whatever outlives a process and speaks of a version carries the
// incarnation too: a page cursor, a position in the feed, a cache. The zero
// Incarnation is that of a database without one, which a release that knew none
// has made, and which has not been opened for writing since.
type Incarnation [16]byte

// NewIncarnation draws one.
func NewIncarnation() Incarnation {
	var i Incarnation
	rand.Read(i[:])
	return i
}

// String returns the incarnation in hexadecimal digits.
func (i Incarnation) String() string { return hex.EncodeToString(i[:]) }

// incarnationSpace is the space of table 0 that holds the incarnation.
const incarnationSpace = 5

// IncarnationKey returns the key under which a database keeps its incarnation.
func IncarnationKey() []byte {
	return codec.AppendUint(codec.AppendUint(nil, 0), incarnationSpace)
}

// Encode returns what is stored of the incarnation.
func (i Incarnation) Encode() []byte { return seal(i[:]) }

// DecodeIncarnation returns the incarnation that Encode encoded. The error
// matches [codec.ErrCorrupt].
func DecodeIncarnation(b []byte) (Incarnation, error) {
	b, err := unseal(b)
	if err != nil {
		return Incarnation{}, err
	}
	var i Incarnation
	if len(b) != len(i) {
		return i, fmt.Errorf("schema: catalog: %w: an incarnation of %d bytes", codec.ErrCorrupt, len(b))
	}
	copy(i[:], b)
	return i, nil
}
