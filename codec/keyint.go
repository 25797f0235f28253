package codec

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// The first byte of an integer tells its sign and length. From intLow to
// below intHigh it is the integer itself, as a distance from intZero.
const (
	intZero = 0x80
	intLow  = 0x40 // -64
	intHigh = 0xF0 // 112, and one less than the first byte of one-byte numbers from there on
)

// AppendInt appends the ordered form of x: 1 to 9 bytes.
func AppendInt(dst []byte, x int64) []byte {
	switch {
	case x >= 0:
		return AppendUint(dst, uint64(x))
	case x >= intLow-intZero:
		return append(dst, byte(intZero+x))
	}
	n := byteLen(uint64(^x))
	return appendBig(append(dst, byte(intLow-n)), uint64(x), n)
}

// AppendUint appends the ordered form of x: that of [AppendInt], where both
// have the number.
func AppendUint(dst []byte, x uint64) []byte {
	if x < intHigh-intZero {
		return append(dst, byte(intZero+x))
	}
	n := byteLen(x)
	return appendBig(append(dst, byte(intHigh-1+n)), x, n)
}

// byteLen returns how many bytes x has without leading zeros, at least 1.
func byteLen(x uint64) int { return (bits.Len64(x|1) + 7) / 8 }

// appendBig appends the low n bytes of x, the highest first.
func appendBig(dst []byte, x uint64, n int) []byte {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], x)
	return append(dst, b[8-n:]...)
}

// ConsumeInt returns the ordered integer at the start of src and what follows
// it. The error matches [ErrCorrupt].
func ConsumeInt(src []byte) (x int64, rest []byte, err error) {
	u, neg, n := readInt(src, 0)
	if n == 0 {
		return 0, nil, errBadKey
	}
	if !neg && u > math.MaxInt64 {
		return 0, nil, errKeyRange
	}
	return int64(u), src[n:], nil
}

// ConsumeUint returns the ordered integer at the start of src and what follows
// it. The error matches [ErrCorrupt].
func ConsumeUint(src []byte) (x uint64, rest []byte, err error) {
	u, neg, n := readInt(src, 0)
	if n == 0 {
		return 0, nil, errBadKey
	}
	if neg {
		return 0, nil, errKeyRange
	}
	return u, src[n:], nil
}

// readInt reads the integer at the start of src, whose bytes are xor mask. If
// it is negative, x is its two's complement. n is its length, 0 where there is
// none in its one and shortest form.
func readInt(src []byte, mask byte) (x uint64, neg bool, n int) {
	if len(src) == 0 {
		return 0, false, 0
	}
	first := int(src[0] ^ mask)
	if first >= intLow && first < intHigh {
		v := int64(first - intZero)
		return uint64(v), v < 0, 1
	}
	n = first - (intHigh - 1)
	if first < intLow {
		n = intLow - first
	}
	if n > 8 || len(src) < 1+n {
		return 0, false, 0
	}
	for _, c := range src[1 : 1+n] {
		x = x<<8 | uint64(c^mask)
	}
	magnitude, least := x, uint64(intHigh-intZero)
	if first < intLow {
		x |= math.MaxUint64 << (8 * n)
		magnitude, least, neg = ^x, intZero-intLow, true
	}
	if magnitude < least || byteLen(magnitude) != n || neg && magnitude > math.MaxInt64 {
		return 0, false, 0
	}
	return x, neg, 1 + n
}
