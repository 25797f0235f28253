package record

import (
	"bytes"
	"fmt"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/internal/msgpack"
	"github.com/kivisdb/kivis/schema"
)

// AppendKey appends the primary key of the record with the body, for a table
// whose key is in its columns. It also returns where in dst the last part of
// the key begins. A NaN in the key is an error; then dst comes back as it was.
func AppendKey(dst []byte, tb *schema.Table, b Body) (key []byte, last int, err error) {
	start := len(dst)
	for i := range tb.Key.Parts {
		p := &tb.Key.Parts[i]
		from := len(dst)
		last = from
		v, err := b.Part(p)
		if err == nil {
			dst, err = p.Key.Transcode(dst, v)
		}
		if err == nil {
			err = p.Key.RefuseNaN(dst[from:])
		}
		if err != nil {
			return dst[:start], start, fmt.Errorf("key field %s: %w", p.Name, err)
		}
	}
	return dst, last, nil
}

// CheckKeySize returns ErrKeyTooLarge for a key tuple that is too long.
func CheckKeySize(tuple []byte) error {
	if len(tuple) <= MaxKey {
		return nil
	}
	return fmt.Errorf("%w: the primary key takes %d bytes, at most %d are allowed", ErrKeyTooLarge, len(tuple), MaxKey)
}

// ContentKey returns the value of the key column of a table whose key is the
// digest of the other columns, in dst's memory.
func ContentKey(dst []byte, tb *schema.Table, b Body) []byte {
	sum := codec.Digest(b.Bytes, b.Offs, tb.Layout, tb.Key.AutoColumn)
	return AppendBytes(dst, sum[:])
}

// Drawn reports whether the generated part of b's key is set, not zero.
func Drawn(tb *schema.Table, b Body) bool {
	var buf [40]byte
	c := tb.Key.AutoColumn
	return !bytes.Equal(b.Column(c), codec.AppendZero(buf[:0], tb.Columns[c].Type, tb.Layout))
}

// AppendID appends the value of a column that holds the id.
func AppendID(dst []byte, id uint64) []byte { return msgpack.AppendUint(dst, id) }

// AppendBytes appends the value of a column that holds an array of bytes.
func AppendBytes(dst, b []byte) []byte { return msgpack.AppendBytes(dst, b) }

// ID returns the id in the value of a column, or 0 for a negative one, which
// no sequence draws.
func ID(value []byte) uint64 {
	id, _, err := msgpack.ConsumeUint(value)
	if err != nil {
		return 0
	}
	return id
}

// MaxID returns the largest id that a column of integers takes.
func MaxID(t codec.Type) uint64 {
	bits := t.Bits
	if t.Kind == codec.Int {
		bits--
	}
	return ^uint64(0) >> (64 - bits)
}
