package codec

import (
	"encoding/hex"
	"strconv"
	"time"
)

// Format returns the value of the part of type k at the start of src as text
// for a reader, and what follows the part. Strings are quoted; bytes are
// hexadecimal, and sixteen of them in an array like a UUID; a tuple stands in
// parentheses. The error matches [ErrCorrupt].
func (k *KeyType) Format(src []byte) (text string, rest []byte, err error) {
	dst, n := k.appendFormat(nil, src, 0)
	if n < 0 {
		return "", nil, errBadKey
	}
	return string(dst), src[n:], nil
}

// appendFormat appends the text of the part at the start of src, whose bytes
// are xor mask before k itself descends. n is the part's length, or -1 where
// there is none.
func (k *KeyType) appendFormat(dst, src []byte, mask byte) (text []byte, n int) {
	mask ^= k.mask()
	if k.Ptr {
		value, ok := readPtr(src, mask)
		if !ok {
			return dst, -1
		}
		if !value {
			return append(dst, "nil"...), 1
		}
		if dst, n = k.appendFormatValue(dst, src[1:], mask); n >= 0 {
			n++
		}
		return dst, n
	}
	return k.appendFormatValue(dst, src, mask)
}

// appendFormatValue is appendFormat without pointer and direction.
func (k *KeyType) appendFormatValue(dst, src []byte, mask byte) (text []byte, n int) {
	if k.Kind == Struct {
		return k.appendFormatParts(dst, src, mask)
	}
	if n = k.measureValue(src, mask); n < 0 {
		return dst, -1
	}
	switch k.Kind {
	case Bool:
		dst = strconv.AppendBool(dst, src[0]^mask != intZero)
	case Int, Uint, Duration:
		dst = k.appendFormatInt(dst, src, mask)
	case Float:
		f, _ := readFloat(src, mask)
		dst = strconv.AppendFloat(dst, f, 'g', -1, 64)
	case String, Bytes:
		end, escapes, _ := readString(src, mask)
		s := appendText(nil, src[:end], escapes, mask)
		if k.Kind == String {
			dst = strconv.AppendQuote(dst, string(s))
		} else {
			dst = hex.AppendEncode(append(dst, "0x"...), s)
		}
	case Own, OwnBinary, OwnText:
		end, escapes, _ := readString(src, mask)
		dst = k.appendOwnText(dst, appendText(nil, src[:end], escapes, mask))
	case ByteArray:
		dst = appendFormatArray(dst, src[:n], mask)
	case Time:
		t, _ := readTime(src, mask)
		dst = t.AppendFormat(dst, time.RFC3339Nano)
	}
	return dst, n
}

func (k *KeyType) appendFormatParts(dst, src []byte, mask byte) (text []byte, sum int) {
	dst = append(dst, '(')
	for i := range k.Parts {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		var n int
		if dst, n = k.Parts[i].appendFormat(dst, src[sum:], mask); n < 0 {
			return dst, -1
		}
		sum += n
	}
	return append(dst, ')'), sum
}

func (k *KeyType) appendFormatInt(dst, src []byte, mask byte) []byte {
	x, neg, _ := readInt(src, mask)
	switch {
	case k.Kind == Duration:
		return append(dst, time.Duration(x).String()...)
	case neg:
		return strconv.AppendInt(dst, int64(x), 10)
	}
	return strconv.AppendUint(dst, x, 10)
}

func appendFormatArray(dst, src []byte, mask byte) []byte {
	array := appendText(nil, src, 0, 0)
	if mask != 0 {
		complement(array, 0)
	}
	if len(array) != 16 {
		return hex.AppendEncode(append(dst, "0x"...), array)
	}
	for i, c := range array {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, []byte{c})
	}
	return dst
}
