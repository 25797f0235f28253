package msgpack

import (
	"fmt"
	"math"
	"time"
)

// IsNil reports whether b starts with nil.
func IsNil(b []byte) bool { return len(b) > 0 && b[0] == codeNil }

// ConsumeNil takes a nil.
func ConsumeNil(b []byte) (rest []byte, err error) {
	if !IsNil(b) {
		return b, wrong(b, "nil")
	}
	return b[1:], nil
}

// ConsumeBool takes a bool.
func ConsumeBool(b []byte) (v bool, rest []byte, err error) {
	if len(b) > 0 && b[0]|1 == codeT {
		return b[0] == codeT, b[1:], nil
	}
	return false, b, wrong(b, "a bool")
}

// ConsumeInt takes an integer, which must fit.
func ConsumeInt(b []byte) (v int64, rest []byte, err error) {
	if len(b) > 0 && b[0] < fixMap {
		return int64(b[0]), b[1:], nil
	}
	return consumeInt(b)
}

func consumeInt(b []byte) (int64, []byte, error) {
	u, rest, err := consumeInteger(b)
	if err == nil && u > math.MaxInt64 && !isSigned(b[0]) {
		return 0, b, ErrRange
	}
	return int64(u), rest, err
}

// ConsumeUint takes an integer, which must not be negative.
func ConsumeUint(b []byte) (v uint64, rest []byte, err error) {
	if len(b) > 0 && b[0] < fixMap {
		return uint64(b[0]), b[1:], nil
	}
	return consumeUint(b)
}

func consumeUint(b []byte) (uint64, []byte, error) {
	u, rest, err := consumeInteger(b)
	if err == nil && u > math.MaxInt64 && isSigned(b[0]) {
		return 0, b, ErrRange
	}
	return u, rest, err
}

func isSigned(code byte) bool { return code >= int8c }

// consumeInteger takes an integer of any form, sign-extended where its form
// has a sign: then it is negative if the top bit is set.
func consumeInteger(b []byte) (uint64, []byte, error) {
	if len(b) == 0 {
		return 0, b, ErrTruncated
	}
	c := b[0]
	if c < fixMap || c >= negative {
		return uint64(int8(c)), b[1:], nil
	}
	if c < uint8c || c > int64c {
		return 0, b, wrong(b, "an integer")
	}
	if len(b) < int(fixedSize[c]) {
		return 0, b, ErrTruncated
	}
	switch c {
	case uint8c:
		return uint64(b[1]), b[2:], nil
	case uint16c:
		return uint64(be.Uint16(b[1:])), b[3:], nil
	case uint32c:
		return uint64(be.Uint32(b[1:])), b[5:], nil
	case int8c:
		return uint64(int8(b[1])), b[2:], nil
	case int16c:
		return uint64(int16(be.Uint16(b[1:]))), b[3:], nil
	case int32c:
		return uint64(int32(be.Uint32(b[1:]))), b[5:], nil
	}
	return be.Uint64(b[1:]), b[9:], nil
}

// ConsumeFloat takes a float of either width.
func ConsumeFloat(b []byte) (v float64, rest []byte, err error) {
	if len(b) >= 9 && b[0] == float64c {
		return math.Float64frombits(be.Uint64(b[1:])), b[9:], nil
	}
	f, rest, err := consumeFloat32(b)
	return float64(f), rest, err
}

// ConsumeFloat32 takes a float of either width, whose value must be that of a
// float32.
func ConsumeFloat32(b []byte) (v float32, rest []byte, err error) {
	if len(b) >= 9 && b[0] == float64c {
		f := math.Float64frombits(be.Uint64(b[1:]))
		if v = float32(f); float64(v) != f && f == f {
			return 0, b, ErrRange
		}
		return v, b[9:], nil
	}
	return consumeFloat32(b)
}

func consumeFloat32(b []byte) (float32, []byte, error) {
	if len(b) == 0 || b[0] != float32c && b[0] != float64c {
		return 0, b, wrong(b, "a float")
	}
	if len(b) < 5 || b[0] != float32c {
		return 0, b, ErrTruncated
	}
	return math.Float32frombits(be.Uint32(b[1:])), b[5:], nil
}

// ConsumeString takes a string and returns its bytes, which are part of b and
// have no room to grow.
func ConsumeString(b []byte) (s, rest []byte, err error) {
	if len(b) > 0 && b[0]&^31 == fixStr {
		if end := int(b[0]&31) + 1; end <= len(b) {
			return b[1:end:end], b[end:], nil
		}
		return nil, b, ErrTruncated
	}
	return consumeLong(b, str8, "a string")
}

// ConsumeBytes takes bytes, which are part of b and have no room to grow. They
// are never nil: an encoded nil is an error.
func ConsumeBytes(b []byte) (v, rest []byte, err error) {
	return consumeLong(b, bin8, "bytes")
}

// consumeLong takes what follows a length of 8, 16 or 32 bits, where code is
// the one for 8 bits.
func consumeLong(b []byte, code byte, want string) (v, rest []byte, err error) {
	if len(b) == 0 || b[0]-code > 2 {
		return nil, b, wrong(b, want)
	}
	head := 1 + 1<<(b[0]-code)
	if len(b) < head {
		return nil, b, ErrTruncated
	}
	var n uint64
	switch head {
	case 2:
		n = uint64(b[1])
	case 3:
		n = uint64(be.Uint16(b[1:]))
	default:
		n = uint64(be.Uint32(b[1:]))
	}
	if n > uint64(len(b)-head) {
		return nil, b, ErrTruncated
	}
	end := head + int(n)
	return b[head:end:end], b[end:], nil
}

// ConsumeArrayLen takes the start of an array, and returns how many values
// follow: never more than there are bytes.
func ConsumeArrayLen(b []byte) (n int, rest []byte, err error) {
	if len(b) > 0 && b[0]&^15 == fixArray {
		n, rest = int(b[0]&15), b[1:]
	} else if n, rest, err = consumeCount(b, array16, "an array"); err != nil {
		return 0, b, err
	}
	if n > len(rest) {
		return 0, b, ErrTruncated
	}
	return n, rest, nil
}

// ConsumeMapLen takes the start of a map, and returns how many keys and values
// follow: never more pairs than there are pairs of bytes.
func ConsumeMapLen(b []byte) (n int, rest []byte, err error) {
	if len(b) > 0 && b[0]&^15 == fixMap {
		n, rest = int(b[0]&15), b[1:]
	} else if n, rest, err = consumeCount(b, map16, "a map"); err != nil {
		return 0, b, err
	}
	if n > len(rest)/2 {
		return 0, b, ErrTruncated
	}
	return n, rest, nil
}

// consumeCount takes a count of 16 or 32 bits, where code is the one for 16. A
// count that no int can hold is cut to one that no slice can have.
func consumeCount(b []byte, code byte, want string) (int, []byte, error) {
	switch {
	case len(b) == 0 || b[0]|1 != code|1:
		return 0, b, wrong(b, want)
	case b[0] == code && len(b) >= 3:
		return int(be.Uint16(b[1:])), b[3:], nil
	case b[0] == code+1 && len(b) >= 5:
		return int(min(uint64(be.Uint32(b[1:])), math.MaxInt)), b[5:], nil
	}
	return 0, b, ErrTruncated
}

// ConsumeExt takes an extension, and returns its type and its bytes, which are
// part of b.
func ConsumeExt(b []byte) (typ int8, data, rest []byte, err error) {
	if len(b) == 0 {
		return 0, nil, b, ErrTruncated
	}
	head, n := 2, uint64(0)
	switch c := b[0]; {
	case c >= fixExt1 && c < str8:
		n = 1 << (c - fixExt1)
	case c >= ext8 && c <= ext32:
		head = 2 + 1<<(c-ext8)
	default:
		return 0, nil, b, wrong(b, "an extension")
	}
	if len(b) < head {
		return 0, nil, b, ErrTruncated
	}
	for _, x := range b[1 : head-1] {
		n = n<<8 | uint64(x)
	}
	if n > uint64(len(b)-head) {
		return 0, nil, b, ErrTruncated
	}
	end := head + int(n)
	return int8(b[head-1]), b[head:end:end], b[end:], nil
}

// The instants that a time may be, in seconds since 1970: the years 1 to 9999.
const (
	MinSecond = -62135596800
	MaxSecond = 253402300799
)

// ConsumeTime takes an instant, which it returns in UTC. It must lie in the
// years 1 to 9999.
func ConsumeTime(b []byte) (t time.Time, rest []byte, err error) {
	if len(b) >= 10 && b[0] == fixExt8 && b[1] == timeExt {
		if u := be.Uint64(b[2:]); u>>34 < 1e9 {
			return time.Unix(int64(u&(1<<34-1)), int64(u>>34)).UTC(), b[10:], nil
		}
	}
	return consumeTime(b)
}

func consumeTime(b []byte) (t time.Time, rest []byte, err error) {
	typ, data, rest, err := ConsumeExt(b)
	if err != nil {
		if len(b) > 0 && err != ErrTruncated {
			err = wrong(b, "a time")
		}
		return t, b, err
	}
	if typ != -1 {
		return t, b, fmt.Errorf("%w: found extension %d, want a time", ErrCorrupt, typ)
	}
	var sec int64
	var ns uint64
	switch len(data) {
	case 4:
		sec = int64(be.Uint32(data))
	case 8:
		u := be.Uint64(data)
		sec, ns = int64(u&(1<<34-1)), u>>34
	case 12:
		sec, ns = int64(be.Uint64(data[4:])), uint64(be.Uint32(data))
	default:
		return t, b, fmt.Errorf("%w: a time of %d bytes", ErrCorrupt, len(data))
	}
	if ns >= 1e9 || sec < MinSecond || sec > MaxSecond {
		return t, b, fmt.Errorf("%w: a time beyond the years 1 to 9999", ErrCorrupt)
	}
	return time.Unix(sec, int64(ns)).UTC(), rest, nil
}
