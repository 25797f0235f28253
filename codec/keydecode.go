package codec

import (
	"math"
	"reflect"
	"time"

	"github.com/kivisdb/kivis/reflectx"
)

// Decode reads the key part at the start of src into the value at v, which is
// of the plan's type, and returns what follows. What it stores is copied; a
// folded string comes back folded, an empty []byte empty and not nil. The
// error matches [ErrCorrupt]; then the value at v is changed in part.
func (p *KeyPlan) Decode(src []byte, v reflectx.Pointer) (rest []byte, err error) {
	return decodeKeyOps(src, p.ops, v)
}

func decodeKeyOps(src []byte, ops []keyOp, v reflectx.Pointer) (rest []byte, err error) {
	for i := range ops {
		op := &ops[i]
		switch {
		case op.code == codePointer:
			src, err = decodePointer(src, op, v.At(op.off))
		case op.code <= codeUintptr:
			src, err = decodeKeyInt(src, op, v.At(op.off))
		case op.code <= codeFloat64:
			src, err = decodeKeyFloat(src, op, v.At(op.off))
		case op.code <= codeBytes:
			src, err = decodeKeyString(src, op, v.At(op.off))
		default:
			src, err = decodeKeyFixed(src, op, v.At(op.off))
		}
		if err != nil {
			return nil, err
		}
	}
	return src, nil
}

func decodePointer(src []byte, op *keyOp, v reflectx.Pointer) (rest []byte, err error) {
	value, ok := readPtr(src, op.mask())
	if !ok {
		return nil, errBadKey
	}
	switch {
	case op.null != nil && !value:
		op.null.Clear(v)
		return src[1:], nil
	case op.null != nil:
		return decodeKeyOps(src[1:], op.sub, op.null.Set(v))
	case !value:
		v.SetElem(reflectx.Pointer{})
		return src[1:], nil
	}
	elem := reflectx.Of(reflect.New(op.elem))
	v.SetElem(elem)
	return decodeKeyOps(src[1:], op.sub, elem)
}

func decodeKeyInt(src []byte, op *keyOp, v reflectx.Pointer) (rest []byte, err error) {
	x, neg, n := readInt(src, op.mask())
	if n == 0 {
		return nil, errBadKey
	}
	if !storeInt(op.code, v, x, neg) {
		return nil, errKeyRange
	}
	return src[n:], nil
}

// storeInt stores x, two's complement if neg, and reports whether it fits.
func storeInt(code keyCode, v reflectx.Pointer, x uint64, neg bool) bool {
	switch code {
	case codeBool:
		*reflectx.Ref[bool](v) = x == 1
		return x <= 1
	case codeInt:
		return storeSigned[int](v, x, neg)
	case codeInt8:
		return storeSigned[int8](v, x, neg)
	case codeInt16:
		return storeSigned[int16](v, x, neg)
	case codeInt32:
		return storeSigned[int32](v, x, neg)
	case codeInt64:
		return storeSigned[int64](v, x, neg)
	case codeUint:
		return storeUnsigned[uint](v, x, neg)
	case codeUint8:
		return storeUnsigned[uint8](v, x, neg)
	case codeUint16:
		return storeUnsigned[uint16](v, x, neg)
	case codeUint32:
		return storeUnsigned[uint32](v, x, neg)
	case codeUint64:
		return storeUnsigned[uint64](v, x, neg)
	case codeUintptr:
		return storeUnsigned[uintptr](v, x, neg)
	}
	return false // unreachable: no other code is an integer's
}

func storeSigned[T int | int8 | int16 | int32 | int64](v reflectx.Pointer, x uint64, neg bool) bool {
	*reflectx.Ref[T](v) = T(x)
	return int64(T(x)) == int64(x) && (neg || x <= math.MaxInt64)
}

func storeUnsigned[T uint | uint8 | uint16 | uint32 | uint64 | uintptr](v reflectx.Pointer, x uint64, neg bool) bool {
	*reflectx.Ref[T](v) = T(x)
	return uint64(T(x)) == x && !neg
}

func decodeKeyFloat(src []byte, op *keyOp, v reflectx.Pointer) (rest []byte, err error) {
	f, ok := readFloat(src, op.mask())
	if !ok {
		return nil, errBadKey
	}
	if op.code == codeFloat64 {
		*reflectx.Ref[float64](v) = f
		return src[8:], nil
	}
	*reflectx.Ref[float32](v) = float32(f)
	if float64(float32(f)) != f && f == f {
		return nil, errKeyRange
	}
	return src[8:], nil
}

func decodeKeyString(src []byte, op *keyOp, v reflectx.Pointer) (rest []byte, err error) {
	end, escapes, n := readString(src, op.mask())
	if n == 0 {
		return nil, errBadKey
	}
	if escapes == 0 && !op.desc && op.code != codeBytes {
		*reflectx.Ref[string](v) = string(src[:end])
		return src[n:], nil
	}
	text := appendText(make([]byte, 0, end-escapes), src[:end], escapes, op.mask())
	if op.code == codeBytes {
		*reflectx.Ref[[]byte](v) = text
	} else {
		*reflectx.Ref[string](v) = reflectx.String(text)
	}
	return src[n:], nil
}

// decodeKeyFixed reads an array or a time.
func decodeKeyFixed(src []byte, op *keyOp, v reflectx.Pointer) (rest []byte, err error) {
	if op.code == codeTime {
		t, ok := readTime(src, op.mask())
		if !ok {
			return nil, errBadKey
		}
		*reflectx.Ref[time.Time](v) = t
		return src[keyTimeLen:], nil
	}
	if len(src) < op.n {
		return nil, errBadKey
	}
	array := v.Bytes(op.n)
	copy(array, src)
	if op.desc {
		complement(array, 0)
	}
	return src[op.n:], nil
}
