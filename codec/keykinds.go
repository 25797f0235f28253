package codec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

var (
	errBadKey   = fmt.Errorf("%w: a key part is damaged", ErrCorrupt)
	errKeyRange = fmt.Errorf("%w: a number in a key is out of range", ErrCorrupt)
	errNaN      = errors.New("NaN cannot be in a primary key")
	errTime     = errors.New("a stored time must be in the years 1 to 9999")
)

// AppendBool appends the ordered form of v: that of the integer 0 or 1.
func AppendBool(dst []byte, v bool) []byte {
	if v {
		return append(dst, intZero+1)
	}
	return append(dst, intZero)
}

// Strings and bytes: a zero byte becomes 00 FF, and the end is 00 01.
const (
	strZero   = 0x00
	strEscape = 0xFF
	strEnd    = 0x01
)

// AppendString appends the ordered form of s.
func AppendString[T string | []byte](dst []byte, s T) []byte {
	start := len(dst)
	dst = append(slices.Grow(dst, len(s)+2), s...)
	return append(escape(dst, start), strZero, strEnd)
}

// escape escapes the zero bytes of dst from start on.
func escape(dst []byte, start int) []byte {
	first := bytes.IndexByte(dst[start:], strZero)
	if first < 0 {
		return dst
	}
	zeros := bytes.Count(dst[start+first:], []byte{strZero})
	from := len(dst)
	dst = slices.Grow(dst, zeros)[:from+zeros]
	for to := len(dst); to > from; {
		from, to = from-1, to-1
		if dst[from] == strZero {
			dst[to] = strEscape
			to--
		}
		dst[to] = dst[from]
	}
	return dst
}

// readString measures the string at the start of src, whose bytes are xor
// mask: its first end bytes are its escaped text, with so many escapes, and
// it takes up n bytes. n is 0 where there is none.
func readString(src []byte, mask byte) (end, escapes, n int) {
	for {
		i := bytes.IndexByte(src[end:], strZero^mask)
		if i < 0 || end+i+1 >= len(src) {
			return 0, 0, 0
		}
		end += i
		switch src[end+1] ^ mask {
		case strEnd:
			return end, escapes, end + 2
		case strEscape:
			escapes++
			end += 2
		default:
			return 0, 0, 0
		}
	}
}

// appendText appends what text, the escaped text of a string xor mask, is.
func appendText(dst, text []byte, escapes int, mask byte) []byte {
	if escapes == 0 && mask == 0 {
		return append(dst, text...)
	}
	dst = slices.Grow(dst, len(text)-escapes)
	for i := 0; i < len(text); i++ {
		c := text[i] ^ mask
		dst = append(dst, c)
		if c == strZero {
			i++ // the escape after it
		}
	}
	return dst
}

// Floats: the bits of a float64, made to order as numbers without a sign. All
// NaNs are keyNaN; -0 is 0.
const (
	keyFloatLen = 8
	signBit     = 1 << 63
	keyNaN      = 0xFFF8 << 48 // above +Inf
)

// AppendFloat appends the ordered form of f: 8 bytes. -0 is appended as 0, and
// every NaN as the same, which comes after +Inf.
func AppendFloat(dst []byte, f float64) []byte {
	return binary.BigEndian.AppendUint64(dst, orderedBits(f))
}

func orderedBits(f float64) uint64 {
	bits := math.Float64bits(f)
	switch {
	case f != f:
		return keyNaN
	case f == 0:
		return signBit
	case bits&signBit != 0:
		return ^bits
	}
	return bits | signBit
}

// readFloat reads the float at the start of src, whose bytes are xor mask, and
// reports whether there is one.
func readFloat(src []byte, mask byte) (f float64, ok bool) {
	if len(src) < 8 {
		return 0, false
	}
	u := binary.BigEndian.Uint64(src) ^ wide(mask)
	if u&signBit != 0 {
		f = math.Float64frombits(u &^ signBit)
	} else {
		f = math.Float64frombits(^u)
	}
	return f, orderedBits(f) == u
}

// wide returns mask in each byte.
func wide(mask byte) uint64 { return uint64(mask) * (math.MaxUint64 / 0xFF) }

// Times: five bytes of seconds since the year 1 with the top bit set, four of
// nanoseconds.
const (
	keyTimeLen  = 9
	timeTop     = 1 << 39
	unixYear1   = -62135596800
	timeSeconds = 253402300800 - unixYear1 // from the year 1 to 10000
)

// AppendTime appends the ordered form of the instant t: 9 bytes. It fails
// outside of the years 1 to 9999 in UTC.
func AppendTime(dst []byte, t time.Time) ([]byte, error) {
	sec := t.Unix() - unixYear1
	if sec < 0 || sec >= timeSeconds {
		return dst, errTime
	}
	dst = appendBig(dst, uint64(sec)|timeTop, 5)
	return binary.BigEndian.AppendUint32(dst, uint32(t.Nanosecond())), nil
}

// readTime reads the time at the start of src, whose bytes are xor mask, and
// reports whether there is one.
func readTime(src []byte, mask byte) (t time.Time, ok bool) {
	if len(src) < keyTimeLen {
		return t, false
	}
	sec := (binary.BigEndian.Uint64(src)^wide(mask))>>24 ^ timeTop
	nsec := binary.BigEndian.Uint32(src[5:]) ^ uint32(wide(mask))
	if sec >= timeSeconds || nsec > 999_999_999 {
		return t, false
	}
	return time.Unix(int64(sec)+unixYear1, int64(nsec)).UTC(), true
}

// Pointers: nil is one byte, and any other value comes after another.
const (
	ptrNil   = 0x00
	ptrValue = 0x01
)

// readPtr reads the first byte of a pointer's part, xor mask. It reports
// whether a value follows, and whether the byte is one of the two.
func readPtr(src []byte, mask byte) (value, ok bool) {
	if len(src) == 0 {
		return false, false
	}
	c := src[0] ^ mask
	return c == ptrValue, c <= ptrValue
}

// complement makes dst descend from start on.
func complement(dst []byte, start int) {
	for i := start; i < len(dst); i++ {
		dst[i] = ^dst[i]
	}
}
