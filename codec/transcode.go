package codec

import (
	"bytes"
	"fmt"

	"github.com/kivisdb/kivis/internal/msgpack"
)

// Transcode appends the part of type k for value, the one msgpack value that a
// record has for it, in the form of k: folded, and complemented, where k says
// so. The result is that of [KeyPlan.Append] for the Go value; NaN is not
// refused. A struct must have been encoded with as many fields as k has parts.
//
// The error matches [ErrCorrupt]; then the result is dst as it was.
func (k *KeyType) Transcode(dst, value []byte) ([]byte, error) {
	start := len(dst)
	dst, rest, err := k.transcode(dst, value)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%w: %d bytes after a value", ErrCorrupt, len(rest))
	}
	if err != nil {
		return dst[:start], err
	}
	return dst, nil
}

// PlainText returns the string that part, of type k, is of, if a value is equal
// to it just where its own bytes are: if k says nothing about case, order or
// nil, and the string has no zero byte.
func (k *KeyType) PlainText(part []byte) (s []byte, ok bool) {
	if k.Kind != String || k.Fold || k.Desc || k.Ptr || len(part) < 2 {
		return nil, false
	}
	s = part[:len(part)-2]
	return s, bytes.IndexByte(s, strZero) < 0
}

// StringIs reports whether value, one msgpack string, is s. The error matches
// [ErrCorrupt].
func StringIs(value, s []byte) (bool, error) {
	got, rest, err := msgpack.ConsumeString(value)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%w: %d bytes after a value", ErrCorrupt, len(rest))
	}
	return err == nil && string(got) == string(s), err
}

// transcode appends the part for the value at the start of src.
func (k *KeyType) transcode(dst, src []byte) (out, rest []byte, err error) {
	start := len(dst)
	switch {
	case k.Ptr && msgpack.IsNil(src):
		dst, rest = append(dst, ptrNil), src[1:]
	case k.Ptr:
		dst, rest, err = k.transcodeValue(append(dst, ptrValue), src)
	default:
		dst, rest, err = k.transcodeValue(dst, src)
	}
	if k.Desc {
		complement(dst, start)
	}
	return dst, rest, err
}

// transcodeValue is transcode without pointer and direction.
func (k *KeyType) transcodeValue(dst, src []byte) (out, rest []byte, err error) {
	switch k.Kind {
	case Bool:
		v, rest, err := msgpack.ConsumeBool(src)
		return AppendBool(dst, v), rest, err
	case Int, Uint, Duration:
		return transcodeInt(dst, src)
	case Float:
		f, rest, err := msgpack.ConsumeFloat(src)
		return AppendFloat(dst, f), rest, err
	case String:
		s, rest, err := msgpack.ConsumeString(src)
		if k.Fold {
			return appendFoldedBytes(dst, s), rest, err
		}
		return AppendString(dst, s), rest, err
	case Bytes:
		if msgpack.IsNil(src) {
			return AppendString(dst, ""), src[1:], nil
		}
		b, rest, err := msgpack.ConsumeBytes(src)
		return AppendString(dst, b), rest, err
	case ByteArray:
		return k.transcodeArray(dst, src)
	case Time:
		t, rest, err := msgpack.ConsumeTime(src)
		if err != nil {
			return dst, nil, err
		}
		dst, err = AppendTime(dst, t)
		return dst, rest, err
	case Struct:
		return k.transcodeParts(dst, src)
	case Own, OwnBinary, OwnText:
		return k.transcodeOwn(dst, src)
	}
	return dst, nil, errBadKey
}

// transcodeInt takes an integer of any form and sign.
func transcodeInt(dst, src []byte) (out, rest []byte, err error) {
	if v, rest, err := msgpack.ConsumeInt(src); err == nil {
		return AppendInt(dst, v), rest, nil
	}
	v, rest, err := msgpack.ConsumeUint(src)
	return AppendUint(dst, v), rest, err
}

func (k *KeyType) transcodeArray(dst, src []byte) (out, rest []byte, err error) {
	b, rest, err := msgpack.ConsumeBytes(src)
	if err == nil && len(b) != k.Len {
		err = fmt.Errorf("%w: %d bytes, want %d", ErrCorrupt, len(b), k.Len)
	}
	return append(dst, b...), rest, err
}

func (k *KeyType) transcodeParts(dst, src []byte) (out, rest []byte, err error) {
	n, src, err := msgpack.ConsumeArrayLen(src)
	if err == nil && n != len(k.Parts) {
		err = fmt.Errorf("%w: a struct of %d fields, want %d", ErrCorrupt, n, len(k.Parts))
	}
	for i := range k.Parts {
		if err != nil {
			return dst, nil, err
		}
		dst, src, err = k.Parts[i].transcode(dst, src)
	}
	return dst, src, err
}
