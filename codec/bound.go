package codec

import "bytes"

// PrefixEnd returns the smallest key that is greater than every key with the
// prefix, or nil where none is: the keys with the prefix are the range from it
// to PrefixEnd. It does not change prefix.
func PrefixEnd(prefix []byte) []byte { return AppendPrefixEnd(nil, prefix) }

// AppendPrefixEnd is [PrefixEnd] for a caller with room in dst. Where there is
// no such key it appends nothing, so the result is dst; where there is one it
// appends at least one byte.
func AppendPrefixEnd(dst, prefix []byte) []byte {
	n := len(prefix)
	for n > 0 && prefix[n-1] == 0xFF {
		n--
	}
	if n == 0 {
		return dst
	}
	dst = append(dst, prefix[:n]...)
	dst[len(dst)-1]++
	return dst
}

// Next returns the smallest key that is greater than key. It does not change
// key.
func Next(key []byte) []byte { return append(bytes.Clone(key), 0) }
