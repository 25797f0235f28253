package query

import (
	"bytes"
	"time"

	"github.com/kivisdb/kivis/codec"
)

// Records hold instants of the years 1 to 9999. A predicate may ask for others:
// they are before or after all that there is, as an integer may be out of a
// field's range. The parts that stand for them are no instants, and are taken
// out of the sets that they make.
var (
	beforeTimes = bytes.Repeat([]byte{0x00}, timeSize)
	afterTimes  = bytes.Repeat([]byte{0xFF}, timeSize)

	firstTime = instant(time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC))
	lastTime  = instant(time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC))
)

// timeSize is how long the part of an instant is.
const timeSize = 9

// instant returns the part of an instant that a record can hold.
func instant(t time.Time) []byte {
	b, err := codec.AppendTime(nil, t)
	if err != nil {
		panic(err) // unreachable: it is in the years 1 to 9999
	}
	return b
}

// appendInstant appends the part of any instant.
func appendInstant(dst []byte, t time.Time) []byte {
	out, err := codec.AppendTime(dst, t)
	switch {
	case err == nil:
		return out
	case t.Year() < 1:
		return append(dst, beforeTimes...)
	}
	return append(dst, afterTimes...)
}

// TimeLiteral returns any instant as a literal of a type, which is Time or a
// pointer to it. One out of the years 1 to 9999, which no record can hold, is
// before or after all of theirs.
func TimeLiteral(typ *codec.KeyType, t time.Time) Literal {
	var exact []byte
	if typ.Ptr {
		exact = append(exact, 1)
	}
	return Literal{Type: typ, Exact: appendInstant(exact, t)}
}

// clampInstant makes the part of an instant at the end of b, within a tuple, the
// nearest one that a record can hold.
func clampInstant(b []byte) {
	last := b[len(b)-timeSize:]
	switch {
	case bytes.Equal(last, beforeTimes):
		copy(last, firstTime)
	case bytes.Equal(last, afterTimes):
		copy(last, lastTime)
	}
}

// isOutside reports whether the part of an instant, of a pointer if ptr, stands
// for one that no record can hold, and whether that is after all of them.
func isOutside(part []byte, ptr bool) (after, ok bool) {
	value := part[min(asInt(ptr), len(part)):]
	after = bytes.Equal(value, afterTimes)
	return after, after || bytes.Equal(value, beforeTimes)
}

// hasOutside reports whether one of the operand's parts stands for an instant
// that no record can hold.
func (o *operand) hasOutside(parts [][]byte) bool {
	if o.key.Kind != codec.Time {
		return false
	}
	for _, p := range parts {
		if _, ok := isOutside(p, o.key.Ptr); ok {
			return true
		}
	}
	return false
}

// clampInstants returns the set without the parts that stand for instants out
// of range: what begins or ends at one does so where instants do.
func (o *operand) clampInstants(set spans) spans {
	var out spans
	for _, x := range set {
		x.lo, x.hi = o.clampEndpoint(x.lo), o.clampEndpoint(x.hi)
		switch {
		case x.empty():
		case o.key.Ptr && x.hi.compare(some.lo) == 0:
			out = append(out, pointOf([]byte{0})) // nil alone is left
		default:
			out = append(out, x)
		}
	}
	return out
}

// clampEndpoint returns the endpoint, or where instants begin or end.
func (o *operand) clampEndpoint(c endpoint) endpoint {
	after, ok := isOutside(c.v, o.key.Ptr)
	all := everything
	if o.key.Ptr {
		all = some
	}
	switch {
	case !ok:
		return c
	case after:
		return all.hi
	}
	return all.lo
}
