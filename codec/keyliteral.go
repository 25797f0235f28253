package codec

import (
	"errors"
	"slices"
)

var errFolded = errors.New("a folded string cannot be made exact again")

// AppendLiteral appends a literal, which is a part of type k.Base() and
// nothing more, in the form of k: folded, and complemented, where k says so.
// For a pointer the literal is a pointer's too: see [KeyType.AppendDeref]. The
// error matches [ErrCorrupt]; then the result is dst as it was.
func (k *KeyType) AppendLiteral(dst, exact []byte) ([]byte, error) {
	return k.appendWhole(dst, exact, k.mask())
}

// AppendDeref is [KeyType.AppendLiteral] for a part that is a pointer and a
// literal that is not: it appends the part for a pointer to that value.
func (k *KeyType) AppendDeref(dst, exact []byte) ([]byte, error) {
	if !k.Ptr {
		return k.AppendLiteral(dst, exact)
	}
	start, mask, value := len(dst), k.mask(), pointedTo(k)
	dst, err := value.appendWhole(append(dst, ptrValue^mask), exact, mask)
	if err != nil {
		return dst[:start], err
	}
	return dst, nil
}

// appendWhole appends exact, of which nothing may be left over, in the form
// of k with the mask given.
func (k *KeyType) appendWhole(dst, exact []byte, mask byte) ([]byte, error) {
	start := len(dst)
	dst, rest, err := k.adapt(dst, exact, mask)
	if err != nil || len(rest) > 0 {
		return dst[:start], errBadKey
	}
	return dst, nil
}

// adapt appends the part of type k.Base() at the start of src in the form of
// k, xor mask, which counts k's own direction.
func (k *KeyType) adapt(dst, src []byte, mask byte) (out, rest []byte, err error) {
	if k.Ptr {
		value, ok := readPtr(src, 0)
		if !ok {
			return dst, nil, errBadKey
		}
		dst, src = append(dst, src[0]^mask), src[1:]
		if !value {
			return dst, src, nil
		}
	}
	if k.Kind == Struct {
		return k.adaptParts(dst, src, mask)
	}
	n := k.measureValue(src, 0)
	if n < 0 {
		return dst, nil, errBadKey
	}
	start := len(dst)
	if k.Fold {
		dst = refold(dst, src[:n])
	} else {
		dst = append(dst, src[:n]...)
	}
	if mask != 0 {
		complement(dst, start)
	}
	return dst, src[n:], nil
}

func (k *KeyType) adaptParts(dst, src []byte, mask byte) (out, rest []byte, err error) {
	for i := range k.Parts {
		part := &k.Parts[i]
		if dst, src, err = part.adapt(dst, src, mask^part.mask()); err != nil {
			return dst, nil, err
		}
	}
	return dst, src, nil
}

// refold appends part, which is all of an exact string's, folded.
func refold(dst, part []byte) []byte {
	end, escapes, _ := readString(part, 0)
	if escapes == 0 {
		return appendFoldedBytes(dst, part[:end])
	}
	return appendFoldedBytes(dst, appendText(nil, part[:end], escapes, 0))
}

// AppendExact undoes [KeyType.AppendLiteral]: it appends what part, which is a
// part of type k and nothing more, is as one of type k.Base(). It fails where k
// is folded, and with an error that matches [ErrCorrupt] where part is not of
// type k; then the result is dst as it was.
func (k *KeyType) AppendExact(dst, part []byte) ([]byte, error) {
	if k.folded() {
		return dst, errFolded
	}
	n := k.measure(part, 0)
	if n != len(part) {
		return dst, errBadKey
	}
	return k.appendExact(dst, part, 0), nil
}

// folded reports whether k or any of its parts is folded.
func (k *KeyType) folded() bool {
	return k.Fold || slices.ContainsFunc(k.Parts, func(part KeyType) bool { return part.folded() })
}

// appendExact appends part, which was measured, as one of type k.Base(). Its
// bytes are xor mask before k itself descends.
func (k *KeyType) appendExact(dst, part []byte, mask byte) []byte {
	mask ^= k.mask()
	if k.Kind == Struct {
		if k.Ptr {
			dst, part = append(dst, part[0]^mask), part[1:]
		}
		if len(part) == 0 {
			return dst // nil
		}
		for i := range k.Parts {
			n := k.Parts[i].measure(part, mask)
			dst, part = k.Parts[i].appendExact(dst, part[:n], mask), part[n:]
		}
		return dst
	}
	start := len(dst)
	dst = append(dst, part...)
	if mask != 0 {
		complement(dst, start)
	}
	return dst
}

// AppendPrefix appends that with which the parts of type k begin whose strings
// begin with prefix, and no other parts: with [PrefixEnd] it is their range.
// k must be a String or Bytes, or a pointer to one.
func (k *KeyType) AppendPrefix(dst []byte, prefix string) []byte {
	start := len(dst)
	if k.Ptr {
		dst = append(dst, ptrValue)
	}
	text := len(dst)
	if k.Fold {
		dst = Fold(dst, prefix)
	} else {
		dst = append(dst, prefix...)
	}
	dst = escape(dst, text)
	if k.Desc {
		complement(dst, start)
	}
	return dst
}
