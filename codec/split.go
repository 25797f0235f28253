package codec

import (
	"fmt"
	"slices"

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

// Element is the step of a path into the elements of a list: those of a slice or
// an array, or the values of a map. A path has one at most.
const Element = -1

// Select returns the value that path leads to from value, a nested struct: each
// step is the position of a field. A nil on the way, of a pointer to a struct,
// gives nil. A step into elements ends it: the result is the list, for
// [ElementsAt]. It is part of value. An error matches [ErrCorrupt].
func Select(value []byte, path []int) ([]byte, error) {
	for _, i := range path {
		if i == Element {
			break
		}
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
func Elements(value []byte, fn func(elem []byte) error) error { return ElementsAt(value, nil, fn) }

// ElementsAt is [Elements] of the list that [Select] has found by path. Where that
// steps into elements, and be it the values of a map, fn is called for what the
// rest of the path leads to from each.
func ElementsAt(list []byte, path []int, fn func(elem []byte) error) error {
	if msgpack.IsNil(list) {
		return nil
	}
	at := slices.Index(path, Element)
	n, rest, isMap, err := consumeListLen(list)
	for ; n > 0 && err == nil; n-- {
		if isMap && at >= 0 {
			if rest, err = msgpack.Skip(rest); err != nil {
				return err
			}
		}
		var elem []byte
		if elem, err = first(rest); err != nil {
			return err
		}
		rest = rest[len(elem):]
		if at >= 0 {
			if elem, err = Select(elem, path[at+1:]); err != nil {
				return err
			}
		}
		if err = fn(elem); err == nil && isMap && at < 0 {
			rest, err = msgpack.Skip(rest)
		}
	}
	return err
}

// consumeListLen takes the length of an array or a map.
func consumeListLen(b []byte) (n int, rest []byte, isMap bool, err error) {
	if n, rest, err = msgpack.ConsumeArrayLen(b); err != nil {
		isMap = true
		n, rest, err = msgpack.ConsumeMapLen(b)
	}
	return n, rest, isMap, err
}

// consumeCount takes the start of an array that must have n values, which are
// called what.
func consumeCount(b []byte, n int, what string) (rest []byte, err error) {
	got, rest, err := msgpack.ConsumeArrayLen(b)
	if err != nil {
		return b, err
	}
	if got != n {
		return b, fmt.Errorf("%w: found %d %s, want %d", ErrCorrupt, got, what, n)
	}
	return rest, nil
}
