package live

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"

	"github.com/kivisdb/kivis/schema"
)

// A Position is a place in the feed of a database.
type Position struct {
	After uint64 // all that was committed up to this version has been told
	In    uint64 // and of this later version the keys up to Key; 0 for none
	Key   []byte
}

// Compare orders positions: -1 where p is before q.
func (p Position) Compare(q Position) int {
	return cmp.Or(cmp.Compare(p.After, q.After), cmp.Compare(p.In, q.In), bytes.Compare(p.Key, q.Key))
}

// ErrBadPosition: a text is no position.
var ErrBadPosition = errors.New("it is not a position that a database gave")

const positionVersion = 1

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Text returns the position, in a database's incarnation, as text: base64url of
// a version byte, the incarnation, the two versions as varints, the key, and a
// CRC-32C of what is before it.
func (p Position) Text(life schema.Incarnation) string {
	b := make([]byte, 0, 1+len(life)+2*binary.MaxVarintLen64+len(p.Key)+4)
	b = append(append(b, positionVersion), life[:]...)
	b = binary.AppendUvarint(binary.AppendUvarint(b, p.After), p.In)
	b = append(b, p.Key...)
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
	return base64.RawURLEncoding.EncodeToString(b)
}

// ParsePosition returns the position that Text gave, and the incarnation of the
// database that it is of, or ErrBadPosition.
func ParsePosition(text string) (p Position, life schema.Incarnation, err error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	n := len(b) - 4
	if err != nil || n < 1+len(life) || b[0] != positionVersion || binary.BigEndian.Uint32(b[n:]) != crc32.Checksum(b[:n], castagnoli) {
		return p, life, ErrBadPosition
	}
	rest := b[1+copy(life[:], b[1:]) : n]
	for _, v := range []*uint64{&p.After, &p.In} {
		used := 0
		if *v, used = binary.Uvarint(rest); used <= 0 {
			return Position{}, life, ErrBadPosition
		}
		rest = rest[used:]
	}
	if len(rest) > 0 {
		p.Key = rest
	}
	return p, life, nil
}
