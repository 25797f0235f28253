package codec

import (
	"fmt"
	"net"
	"reflect"
	"time"

	"github.com/kivisdb/kivis/internal/msgpack"
	"github.com/kivisdb/kivis/reflectx"
)

func encodeBool(dst []byte, p reflectx.Pointer, _ int) ([]byte, error) {
	return msgpack.AppendBool(dst, *reflectx.Ref[bool](p)), nil
}

var integerEncoders = [...]encodeFunc{
	reflect.Int:     encodeInt[int],
	reflect.Int8:    encodeInt[int8],
	reflect.Int16:   encodeInt[int16],
	reflect.Int32:   encodeInt[int32],
	reflect.Int64:   encodeInt[int64],
	reflect.Uint:    encodeUint[uint],
	reflect.Uint8:   encodeUint[uint8],
	reflect.Uint16:  encodeUint[uint16],
	reflect.Uint32:  encodeUint[uint32],
	reflect.Uint64:  encodeUint[uint64],
	reflect.Uintptr: encodeUint[uintptr],
}

type signed interface {
	int | int8 | int16 | int32 | int64
}

type unsigned interface {
	uint | uint8 | uint16 | uint32 | uint64 | uintptr
}

func encodeInt[T signed](dst []byte, p reflectx.Pointer, _ int) ([]byte, error) {
	return msgpack.AppendInt(dst, int64(*reflectx.Ref[T](p))), nil
}

func encodeUint[T unsigned](dst []byte, p reflectx.Pointer, _ int) ([]byte, error) {
	return msgpack.AppendUint(dst, uint64(*reflectx.Ref[T](p))), nil
}

func floatEncoder(t reflect.Type, ty *Type) encodeFunc {
	switch {
	case t.Kind() == reflect.Float64:
		return encodeFloat64
	case ty.Bits == 64:
		return encodeFloat32As64
	}
	return encodeFloat32
}

func encodeFloat32(dst []byte, p reflectx.Pointer, _ int) ([]byte, error) {
	return msgpack.AppendFloat32(dst, *reflectx.Ref[float32](p)), nil
}

func encodeFloat32As64(dst []byte, p reflectx.Pointer, _ int) ([]byte, error) {
	return msgpack.AppendFloat64(dst, float64(*reflectx.Ref[float32](p))), nil
}

func encodeFloat64(dst []byte, p reflectx.Pointer, _ int) ([]byte, error) {
	return msgpack.AppendFloat64(dst, *reflectx.Ref[float64](p)), nil
}

func encodeString(dst []byte, p reflectx.Pointer, _ int) ([]byte, error) {
	return msgpack.AppendString(dst, *reflectx.Ref[string](p)), nil
}

func encodeBytes(dst []byte, p reflectx.Pointer, _ int) ([]byte, error) {
	b := *reflectx.Ref[[]byte](p)
	if b == nil {
		return msgpack.AppendNil(dst), nil
	}
	return msgpack.AppendBytes(dst, b), nil
}

var ipType = reflect.TypeFor[net.IP]()

// encodeIP is encodeBytes for addresses, which have 4 bytes, 16 or none.
func encodeIP(dst []byte, p reflectx.Pointer, depth int) ([]byte, error) {
	switch n := len(*reflectx.Ref[net.IP](p)); n {
	case 0, net.IPv4len, net.IPv6len:
		return encodeBytes(dst, p, depth)
	default:
		return dst, fmt.Errorf("an IP address of %d bytes: it wants 4 or 16, or none", n)
	}
}

// A byteArray is the length of an array of bytes.
type byteArray int

func (n byteArray) encode(dst []byte, p reflectx.Pointer, _ int) ([]byte, error) {
	return msgpack.AppendBytes(dst, p.Bytes(int(n))), nil
}

func encodeTime(dst []byte, p reflectx.Pointer, _ int) ([]byte, error) {
	return appendTime(dst, *reflectx.Ref[time.Time](p))
}

// A pointerEncoder encodes pointers and nullables: as nil, or as what they hold.
type pointerEncoder struct {
	elem encodeFunc
	null *reflectx.Nullable // nil of a pointer
	// ofNil encodes what is nil itself, which would be taken for a nil pointer.
	ofNil func(dst []byte) ([]byte, error)
}

func (c *encoderCompiler) makePointer(t reflect.Type, ty *Type) (encodeFunc, error) {
	to := elemOf(t)
	elem, err := c.compile(to, ty.Elem)
	e := &pointerEncoder{elem: elem}
	e.null, _ = reflectx.NullableOf(t)
	switch ty.Elem.Kind {
	case Bytes, Slice, Map:
		e.ofNil = func(dst []byte) ([]byte, error) {
			if e.null != nil {
				return dst, fmt.Errorf("a valid %s that is nil would come back as not valid: let it be empty, or not valid", reflectx.TypeName(to))
			}
			return dst, fmt.Errorf("a pointer to a nil %s would come back as a nil pointer: let it point to an empty one, or be nil", reflectx.TypeName(to))
		}
	case Custom:
		e.ofNil = func(dst []byte) ([]byte, error) {
			return msgpack.AppendBytes(dst, nilValue), nil // see wrapCustom
		}
	}
	return e.encode, err
}

func (e *pointerEncoder) encode(dst []byte, p reflectx.Pointer, depth int) ([]byte, error) {
	var q reflectx.Pointer
	if e.null != nil {
		q = e.null.At(p)
	} else {
		q = p.Elem()
	}
	if q.IsNil() {
		return msgpack.AppendNil(dst), nil
	}
	start := len(dst)
	dst, err := e.elem(dst, q, depth)
	if e.ofNil != nil && err == nil && msgpack.IsNil(dst[start:]) {
		return e.ofNil(dst[:start])
	}
	return dst, err
}

// A listEncoder encodes slices and arrays: as arrays.
type listEncoder struct {
	elem encodeFunc
	size uintptr
	n    int // of an array
}

func (c *encoderCompiler) makeSlice(t reflect.Type, ty *Type) (encodeFunc, error) {
	if opcodeOf(t.Elem(), ty.Elem) == opString {
		return encodeStrings, nil
	}
	elem, err := c.compile(t.Elem(), ty.Elem)
	return (&listEncoder{elem: elem, size: t.Elem().Size()}).encodeSlice, err
}

func (c *encoderCompiler) makeArray(t reflect.Type, ty *Type) (encodeFunc, error) {
	elem, err := c.compile(t.Elem(), ty.Elem)
	return (&listEncoder{elem, t.Elem().Size(), ty.Len}).encodeArray, err
}

func (l *listEncoder) encodeSlice(dst []byte, p reflectx.Pointer, depth int) ([]byte, error) {
	first, n := p.Slice()
	if first.IsNil() {
		return msgpack.AppendNil(dst), nil
	}
	return l.encode(dst, first, n, depth)
}

func (l *listEncoder) encodeArray(dst []byte, p reflectx.Pointer, depth int) ([]byte, error) {
	return l.encode(dst, p, l.n, depth)
}

func (l *listEncoder) encode(dst []byte, first reflectx.Pointer, n, depth int) (_ []byte, err error) {
	dst = msgpack.AppendArrayLen(dst, n)
	for i := range n {
		if dst, err = l.elem(dst, first.At(uintptr(i)*l.size), depth); err != nil {
			return dst, atIndex(i, err)
		}
	}
	return dst, nil
}

// encodeStrings is encodeSlice for strings, without a call for each.
func encodeStrings(dst []byte, p reflectx.Pointer, _ int) ([]byte, error) {
	list := *reflectx.Ref[[]string](p)
	if list == nil {
		return msgpack.AppendNil(dst), nil
	}
	dst = msgpack.AppendArrayLen(dst, len(list))
	for _, s := range list {
		dst = msgpack.AppendString(dst, s)
	}
	return dst, nil
}
