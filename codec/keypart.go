package codec

import "time"

// Skip returns what follows the part of type k at the start of src. It reads
// the part as closely as decoding does, except that it takes folded strings on
// trust: the error matches [ErrCorrupt].
func (k *KeyType) Skip(src []byte) (rest []byte, err error) {
	n := k.measure(src, 0)
	if n < 0 {
		return nil, errBadKey
	}
	return src[n:], nil
}

// measure returns the length of the part at the start of src, whose bytes are
// xor mask before k itself descends, or -1 where there is none.
func (k *KeyType) measure(src []byte, mask byte) int {
	mask ^= k.mask()
	if !k.Ptr {
		return k.measureValue(src, mask)
	}
	value, ok := readPtr(src, mask)
	if !ok {
		return -1
	}
	if !value {
		return 1
	}
	n := k.measureValue(src[1:], mask)
	if n < 0 {
		return -1
	}
	return 1 + n
}

// mask returns what the bytes of a part that stands by itself are xored with.
func (k *KeyType) mask() byte {
	if k.Desc {
		return 0xFF
	}
	return 0
}

// measureValue is measure without pointer and direction.
func (k *KeyType) measureValue(src []byte, mask byte) int {
	n, ok := 0, false
	switch k.Kind {
	case Bool:
		if x, neg, size := readInt(src, mask); !neg && x <= 1 {
			n, ok = size, size > 0
		}
	case Int, Uint, Duration:
		_, _, n = readInt(src, mask)
		ok = n > 0
	case Float:
		_, ok = readFloat(src, mask)
		n = keyFloatLen
	case String, Bytes, Own, OwnBinary, OwnText:
		_, _, n = readString(src, mask)
		ok = n > 0
	case ByteArray:
		n, ok = k.Len, 0 <= k.Len && k.Len <= len(src)
	case Time:
		_, ok = readTime(src, mask)
		n = keyTimeLen
	case Struct:
		return k.measureParts(src, mask)
	}
	if !ok {
		return -1
	}
	return n
}

func (k *KeyType) measureParts(src []byte, mask byte) int {
	sum := 0
	for i := range k.Parts {
		n := k.Parts[i].measure(src[sum:], mask)
		if n < 0 {
			return -1
		}
		sum += n
	}
	return sum
}

// AppendZero appends the part for the zero value: nil, where k is a pointer.
func (k *KeyType) AppendZero(dst []byte) []byte {
	start := len(dst)
	if k.Ptr {
		dst = append(dst, ptrNil)
	} else {
		dst = k.appendZeroValue(dst)
	}
	if k.Desc {
		complement(dst, start)
	}
	return dst
}

func (k *KeyType) appendZeroValue(dst []byte) []byte {
	switch k.Kind {
	case Bool, Int, Uint, Duration:
		return AppendInt(dst, 0)
	case Float:
		return AppendFloat(dst, 0)
	case String, Bytes:
		return AppendString(dst, "")
	case OwnBinary, OwnText:
		return AppendString(dst, "")
	case Own:
		return k.appendZeroOwn(dst)
	case ByteArray:
		return append(dst, make([]byte, max(k.Len, 0))...)
	case Time:
		dst, _ = AppendTime(dst, time.Time{}) // the year 1 is in range
	case Struct:
		for i := range k.Parts {
			dst = k.Parts[i].AppendZero(dst)
		}
	}
	return dst
}
