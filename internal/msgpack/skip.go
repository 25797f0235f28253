package msgpack

import "fmt"

// fixedSize is how many bytes a value takes, by its first byte, not counting
// the values inside it; 0 where the first byte does not say.
var fixedSize = makeFixedSize()

func makeFixedSize() (size [256]uint8) {
	for c := range size {
		switch {
		case c >= fixStr && c < codeNil:
			size[c] = uint8(1 + c&31)
		case c < codeNil, c >= negative:
			size[c] = 1
		case c >= uint8c && c <= uint64c:
			size[c] = 1 + 1<<(c-uint8c)
		case c >= int8c && c <= int64c:
			size[c] = 1 + 1<<(c-int8c)
		case c >= fixExt1 && c < str8:
			size[c] = 2 + 1<<(c-fixExt1)
		}
	}
	size[codeNil], size[codeF], size[codeT] = 1, 1, 1
	size[float32c], size[float64c] = 5, 9
	size[array16], size[map16] = 3, 3
	size[array32], size[map32] = 5, 5
	return size
}

// Skip takes one value of any kind, and all that is in it. It does not recur,
// however deep the value is.
func Skip(b []byte) (rest []byte, err error) {
	rest = b
	for pending := uint64(1); pending > 0; pending-- {
		n, inner, err := measure(rest)
		if err != nil {
			return b, err
		}
		rest = rest[n:]
		pending += inner
	}
	return rest, nil
}

// measure returns how many bytes the value that starts b takes, all of which
// are there, not counting the values inside it, whose number is inner.
func measure(b []byte) (n int, inner uint64, err error) {
	if len(b) == 0 {
		return 0, 0, ErrTruncated
	}
	c := b[0]
	n = int(fixedSize[c])
	if n == 0 {
		rest, err := skipLong(b)
		return len(b) - len(rest), 0, err
	}
	if len(b) < n {
		return 0, 0, ErrTruncated
	}
	if c >= fixMap && c < fixStr || c >= array16 && c <= map32 {
		inner = countInner(b)
	}
	return n, inner, nil
}

// skipLong takes a value whose length follows its first byte.
func skipLong(b []byte) (rest []byte, err error) {
	switch c := b[0]; {
	case c == never:
		return b, fmt.Errorf("%w: %#x starts no value", ErrCorrupt, c)
	case c >= ext8 && c <= ext32:
		_, _, rest, err = ConsumeExt(b)
	case c >= str8:
		_, rest, err = consumeLong(b, str8, "a string")
	default:
		_, rest, err = consumeLong(b, bin8, "bytes")
	}
	return rest, err
}

// countInner returns the number of values inside the array or map that starts
// b, whose start is there in full.
func countInner(b []byte) uint64 {
	switch c := b[0]; {
	case c < fixArray:
		return 2 * uint64(c&15)
	case c < fixStr:
		return uint64(c & 15)
	case c == array16:
		return uint64(be.Uint16(b[1:]))
	case c == array32:
		return uint64(be.Uint32(b[1:]))
	case c == map16:
		return 2 * uint64(be.Uint16(b[1:]))
	}
	return 2 * uint64(be.Uint32(b[1:]))
}

// SkipDepth is [Skip], but a value with more than depth arrays and maps inside
// each other is an error: what is to be read by recursion must pass it first.
func SkipDepth(b []byte, depth int) (rest []byte, err error) {
	n, inner, err := measure(b)
	if err != nil {
		return b, err
	}
	rest = b[n:]
	if inner > 0 && depth == 0 {
		return b, errDeep
	}
	for ; inner > 0; inner-- {
		if rest, err = SkipDepth(rest, depth-1); err != nil {
			return rest, err
		}
	}
	return rest, nil
}
