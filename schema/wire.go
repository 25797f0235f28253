package schema

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/kivisdb/kivis/codec"
)

// What the catalog stores is msgpack: maps with names as keys, so that a tool
// reads it without this package. These are the few forms that it needs.

func appendMapLen(dst []byte, n int) []byte   { return appendLen(dst, n, 0x80, 16, 0xDE) }
func appendArrayLen(dst []byte, n int) []byte { return appendLen(dst, n, 0x90, 16, 0xDC) }

// appendLen appends a length in the short form, or in one of 16 or 32 bits.
func appendLen(dst []byte, n int, short byte, limit int, long byte) []byte {
	switch {
	case n < limit:
		return append(dst, short|byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(dst, long), uint16(n))
	}
	return binary.BigEndian.AppendUint32(append(dst, long+1), uint32(n))
}

func appendText(dst []byte, s string) []byte {
	if len(s) >= 32 && len(s) <= math.MaxUint8 {
		dst = append(dst, 0xD9, byte(len(s)))
	} else {
		dst = appendLen(dst, len(s), 0xA0, 32, 0xDA)
	}
	return append(dst, s...)
}

func appendNumber(dst []byte, v uint64) []byte {
	switch {
	case v < 0x80:
		return append(dst, byte(v))
	case v <= math.MaxUint8:
		return append(dst, 0xCC, byte(v))
	case v <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(dst, 0xCD), uint16(v))
	case v <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(dst, 0xCE), uint32(v))
	}
	return binary.BigEndian.AppendUint64(append(dst, 0xCF), v)
}

func appendBool(dst []byte, v bool) []byte {
	if v {
		return append(dst, 0xC3)
	}
	return append(dst, 0xC2)
}

// A wireReader takes values one after the other, and keeps the first error.
type wireReader struct {
	b   []byte
	err error
}

func (r *wireReader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: "+format, append([]any{codec.ErrCorrupt}, args...)...)
	}
	r.b = nil
}

// take takes n bytes. It returns nil where there are not so many.
func (r *wireReader) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.fail("the catalog ends early")
		return nil
	}
	b := r.b[:n:n]
	r.b = r.b[n:]
	return b
}

// uint takes an unsigned integer of so many bytes.
func (r *wireReader) uint(size int) uint64 {
	var wide [8]byte
	copy(wide[8-size:], r.take(size))
	return binary.BigEndian.Uint64(wide[:])
}

// head takes the first byte of a value.
func (r *wireReader) head() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0xC1 // what msgpack never uses
}

// number takes an integer of at most 32 bits.
func (r *wireReader) number() uint32 {
	var v uint64
	switch h := r.head(); {
	case h < 0x80:
		return uint32(h)
	case h >= 0xCC && h <= 0xCF:
		v = r.uint(1 << (h - 0xCC))
	default:
		r.fail("a number is missing")
	}
	if v > math.MaxUint32 {
		r.fail("the number %d is too large", v)
		return 0
	}
	return uint32(v)
}

// number64 takes an integer of up to 64 bits.
func (r *wireReader) number64() uint64 {
	if len(r.b) > 0 && r.b[0] == 0xCF {
		r.take(1)
		return r.uint(8)
	}
	return uint64(r.number())
}

func (r *wireReader) bool() bool {
	h := r.head()
	if h != 0xC2 && h != 0xC3 {
		r.fail("a boolean is missing")
	}
	return h == 0xC3
}

func (r *wireReader) text() string {
	n := 0
	switch h := r.head(); {
	case h&0xE0 == 0xA0:
		n = int(h & 0x1F)
	case h >= 0xD9 && h <= 0xDB:
		n = int(r.uint(1 << (h - 0xD9)))
	default:
		r.fail("a text is missing")
	}
	return string(r.take(n))
}

// length takes the head of a map or array.
func (r *wireReader) length(short, long byte) int {
	switch h := r.head(); {
	case h&0xF0 == short:
		return int(h & 0x0F)
	case h == long:
		return int(r.uint(2))
	case h == long+1:
		return int(r.uint(4))
	}
	r.fail("a list is missing")
	return 0
}

// each takes a map, and calls value for each key to take what follows it.
// value reports whether it knows the key.
func (r *wireReader) each(value func(name string) bool) {
	for n := r.length(0x80, 0xDE); n > 0 && r.err == nil; n-- {
		name := r.text()
		if r.err == nil && !value(name) {
			r.fail("unknown name %q", name)
		}
	}
}

// list takes an array, and calls value to take each of its values.
func (r *wireReader) list(value func()) {
	for n := r.length(0x90, 0xDC); n > 0 && r.err == nil; n-- {
		value()
	}
}

// numbers takes an array of numbers.
func (r *wireReader) numbers() (list []uint32) {
	r.list(func() { list = append(list, r.number()) })
	return list
}

// wireValue takes one value that another package reads.
func wireValue[T any](r *wireReader, consume func([]byte) (T, []byte, error)) (v T) {
	if r.err == nil {
		v, r.b, r.err = consume(r.b)
	}
	return v
}
