package schema

import (
	"fmt"
	"math"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/internal/msgpack"
)

// What the catalog stores is msgpack: maps with names as keys, so that a tool
// reads it without this package.

// A wireReader takes values one after the other, and keeps the first error.
type wireReader struct {
	b   []byte
	err error
}

// wireValue takes one value as consume does.
func wireValue[T any](r *wireReader, consume func([]byte) (T, []byte, error)) (v T) {
	if r.err == nil {
		v, r.b, r.err = consume(r.b)
	}
	return v
}

func (r *wireReader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: "+format, append([]any{codec.ErrCorrupt}, args...)...)
	}
}

// number takes an integer of at most 32 bits.
func (r *wireReader) number() uint32 {
	v := r.number64()
	if v > math.MaxUint32 {
		r.fail("the number %d is too large", v)
		return 0
	}
	return uint32(v)
}

// number64 takes an integer of up to 64 bits.
func (r *wireReader) number64() uint64 { return wireValue(r, msgpack.ConsumeUint) }

func (r *wireReader) bool() bool { return wireValue(r, msgpack.ConsumeBool) }

func (r *wireReader) text() string { return string(wireValue(r, msgpack.ConsumeString)) }

// each takes a map, and calls value for each key to take what follows it.
// value reports whether it knows the key.
func (r *wireReader) each(value func(name string) bool) {
	for n := wireValue(r, msgpack.ConsumeMapLen); n > 0 && r.err == nil; n-- {
		name := r.text()
		if r.err == nil && !value(name) {
			r.fail("unknown name %q", name)
		}
	}
}

// list takes an array, and calls value to take each of its values.
func (r *wireReader) list(value func()) {
	for n := wireValue(r, msgpack.ConsumeArrayLen); n > 0 && r.err == nil; n-- {
		value()
	}
}

// numbers takes an array of numbers.
func (r *wireReader) numbers() (list []uint32) {
	r.list(func() { list = append(list, r.number()) })
	return list
}
