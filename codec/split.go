package codec

import (
	"fmt"

	"github.com/kivisdb/kivis/internal/msgpack"
)

// Split returns where each of the n fields of body starts, and where the last
// one ends, which must be the end of body. The offsets are in the memory of
// offs. It is safe for any bytes; an error matches [ErrCorrupt].
func Split(body []byte, n int, offs []uint32) ([]uint32, error) {
	offs, err := SplitFirst(body, n, offs)
	if err == nil && int(offs[n]) != len(body) {
		return offs[:0], errTrailing
	}
	return offs, err
}

// SplitFirst is [Split] for the first n fields of a body that may have more:
// what follows them is not looked at.
func SplitFirst(body []byte, n int, offs []uint32) ([]uint32, error) {
	offs = offs[:0]
	rest := body
	for i := range n {
		offs = append(offs, uint32(len(body)-len(rest)))
		var err error
		if rest, err = msgpack.Skip(rest); err != nil {
			return offs[:0], fmt.Errorf("field %d of %d: %w", i+1, n, err)
		}
	}
	return append(offs, uint32(len(body)-len(rest))), nil
}

var nilValue = []byte{msgpack.Nil}

// IsNil reports whether value, one msgpack value, is nil.
func IsNil(value []byte) bool { return msgpack.IsNil(value) }

// Select returns the value that path leads to from value, a nested struct: each
// step is the position of a field. A nil on the way, of a pointer to a struct,
// gives nil. The result is part of value. An error matches [ErrCorrupt].
func Select(value []byte, path []int) ([]byte, error) {
	for _, i := range path {
		if msgpack.IsNil(value) {
			return nilValue, nil
		}
		var err error
		if value, err = enter(value, i); err != nil {
			return nil, err
		}
	}
	return first(value)
}

// enter returns what starts with field i of value, a nested struct.
func enter(value []byte, i int) (rest []byte, err error) {
	n, rest, err := msgpack.ConsumeArrayLen(value)
	if err != nil {
		return nil, err
	}
	if i >= n {
		return nil, fmt.Errorf("%w: a struct of %d fields, want one with field %d", ErrCorrupt, n, i+1)
	}
	for range i {
		if rest, err = msgpack.Skip(rest); err != nil {
			return nil, err
		}
	}
	return rest, nil
}

// first returns the first value of b.
func first(b []byte) ([]byte, error) {
	rest, err := msgpack.Skip(b)
	n := len(b) - len(rest)
	return b[:n:n], err
}

// Elements calls fn for each element of value, an array, or for each key, if it
// is a map; nil has none. An error of fn ends it and is returned; other errors
// match [ErrCorrupt].
func Elements(value []byte, fn func(elem []byte) error) error {
	if msgpack.IsNil(value) {
		return nil
	}
	isMap := false
	n, rest, err := msgpack.ConsumeArrayLen(value)
	if err != nil {
		isMap = true
		if n, rest, err = msgpack.ConsumeMapLen(value); err != nil {
			return err
		}
	}
	for range n {
		elem, err := first(rest)
		if err != nil {
			return err
		}
		if err := fn(elem); err != nil {
			return err
		}
		rest = rest[len(elem):]
		if isMap {
			if rest, err = msgpack.Skip(rest); err != nil {
				return err
			}
		}
	}
	return nil
}
