package codec

import (
	"bytes"
	"fmt"
	"reflect"
	"time"

	"github.com/kivisdb/kivis/internal/msgpack"
	"github.com/kivisdb/kivis/reflectx"
)

func decodeBool(b []byte, p reflectx.Pointer, _ int) ([]byte, error) {
	v, rest, err := msgpack.ConsumeBool(b)
	*reflectx.Ref[bool](p) = v
	return rest, err
}

var integerDecoders = [...]decodeFunc{
	reflect.Int:     decodeInt[int],
	reflect.Int8:    decodeInt[int8],
	reflect.Int16:   decodeInt[int16],
	reflect.Int32:   decodeInt[int32],
	reflect.Int64:   decodeInt[int64],
	reflect.Uint:    decodeUint[uint],
	reflect.Uint8:   decodeUint[uint8],
	reflect.Uint16:  decodeUint[uint16],
	reflect.Uint32:  decodeUint[uint32],
	reflect.Uint64:  decodeUint[uint64],
	reflect.Uintptr: decodeUint[uintptr],
}

func decodeInt[T signed](b []byte, p reflectx.Pointer, _ int) ([]byte, error) {
	v, rest, err := msgpack.ConsumeInt(b)
	*reflectx.Ref[T](p) = T(v)
	if int64(T(v)) != v {
		return b, fmt.Errorf("%w: %d is no %T", msgpack.ErrRange, v, T(0))
	}
	return rest, err
}

func decodeUint[T unsigned](b []byte, p reflectx.Pointer, _ int) ([]byte, error) {
	v, rest, err := msgpack.ConsumeUint(b)
	*reflectx.Ref[T](p) = T(v)
	if uint64(T(v)) != v {
		return b, fmt.Errorf("%w: %d is no %T", msgpack.ErrRange, v, T(0))
	}
	return rest, err
}

func decodeFloat32(b []byte, p reflectx.Pointer, _ int) ([]byte, error) {
	v, rest, err := msgpack.ConsumeFloat32(b)
	*reflectx.Ref[float32](p) = v
	return rest, err
}

func decodeFloat64(b []byte, p reflectx.Pointer, _ int) ([]byte, error) {
	v, rest, err := msgpack.ConsumeFloat(b)
	*reflectx.Ref[float64](p) = v
	return rest, err
}

func decodeString(b []byte, p reflectx.Pointer, _ int) ([]byte, error) {
	v, rest, err := msgpack.ConsumeString(b)
	*reflectx.Ref[string](p) = reflectx.String(v)
	return rest, err
}

func decodeBytes(b []byte, p reflectx.Pointer, _ int) ([]byte, error) {
	if msgpack.IsNil(b) {
		*reflectx.Ref[[]byte](p) = nil
		return b[1:], nil
	}
	v, rest, err := msgpack.ConsumeBytes(b)
	*reflectx.Ref[[]byte](p) = bytes.Clone(v)
	return rest, err
}

func (n byteArray) decode(b []byte, p reflectx.Pointer, _ int) ([]byte, error) {
	v, rest, err := msgpack.ConsumeBytes(b)
	if err == nil && len(v) != int(n) {
		return b, fmt.Errorf("%w: found %d bytes, want %d", ErrCorrupt, len(v), n)
	}
	copy(p.Bytes(int(n)), v)
	return rest, err
}

func decodeTime(b []byte, p reflectx.Pointer, _ int) ([]byte, error) {
	v, rest, err := msgpack.ConsumeTime(b)
	*reflectx.Ref[time.Time](p) = v
	return rest, err
}

// A pointerDecoder decodes pointers, to new values.
type pointerDecoder struct {
	t    reflect.Type // of what is pointed to
	elem decodeFunc
}

func (c *decoderCompiler) makePointer(t reflect.Type, ty *Type) (decodeFunc, error) {
	elem, err := c.compile(elemOf(t), ty.Elem)
	if null, ok := reflectx.NullableOf(t); ok {
		return (&nullDecoder{null, elem}).decode, err
	}
	return (&pointerDecoder{t.Elem(), elem}).decode, err
}

// A nullDecoder decodes nullables.
type nullDecoder struct {
	null *reflectx.Nullable
	elem decodeFunc
}

func (d *nullDecoder) decode(b []byte, p reflectx.Pointer, depth int) ([]byte, error) {
	if msgpack.IsNil(b) {
		d.null.Clear(p)
		return b[1:], nil
	}
	return d.elem(b, d.null.Set(p), depth)
}

func (d *pointerDecoder) decode(b []byte, p reflectx.Pointer, depth int) ([]byte, error) {
	if msgpack.IsNil(b) {
		p.SetElem(reflectx.Pointer{})
		return b[1:], nil
	}
	q := reflectx.Of(reflect.New(d.t))
	p.SetElem(q)
	return d.elem(b, q, depth)
}

// An arrayDecoder decodes arrays.
type arrayDecoder struct {
	elem decodeFunc
	size uintptr
	n    int
}

func (c *decoderCompiler) makeArray(t reflect.Type, ty *Type) (decodeFunc, error) {
	elem, err := c.compile(t.Elem(), ty.Elem)
	return (&arrayDecoder{elem, t.Elem().Size(), ty.Len}).decode, err
}

func (d *arrayDecoder) decode(b []byte, p reflectx.Pointer, depth int) ([]byte, error) {
	rest, err := consumeCount(b, d.n, "elements")
	if err != nil {
		return b, err
	}
	for i := range d.n {
		if rest, err = d.elem(rest, p.At(uintptr(i)*d.size), depth); err != nil {
			return rest, atIndex(i, err)
		}
	}
	return rest, nil
}

// A sliceDecoder decodes slices, into new arrays.
type sliceDecoder struct {
	t     reflect.Type
	elem  decodeFunc
	size  uintptr
	first int                             // so many elements are allocated before they are seen
	alloc func(p reflectx.Pointer, n int) // sets the slice to n new elements; nil where grow is to do it
}

func (c *decoderCompiler) makeSlice(t reflect.Type, ty *Type) (decodeFunc, error) {
	if opcodeOf(t.Elem(), ty.Elem) == opString {
		return decodeStrings, nil
	}
	elem, err := c.compile(t.Elem(), ty.Elem)
	size := t.Elem().Size()
	return (&sliceDecoder{t, elem, size, firstAlloc(size), sliceAllocators[t.Elem().Kind()]}).decode, err
}

// firstAlloc returns how many elements of a size may be allocated because the
// bytes claim to have them. More are allocated as they turn up, so that damaged
// bytes, which may claim as much again at each level, cannot use up memory.
func firstAlloc(size uintptr) int { return int(max(1, 1<<16/max(size, 1))) }

func (d *sliceDecoder) decode(b []byte, p reflectx.Pointer, depth int) ([]byte, error) {
	if msgpack.IsNil(b) {
		*reflectx.Ref[[]struct{}](p) = nil
		return b[1:], nil
	}
	n, rest, err := msgpack.ConsumeArrayLen(b)
	if err != nil {
		return b, err
	}
	*reflectx.Ref[[]struct{}](p) = []struct{}{}
	for have := 0; have < n; {
		first, end := d.grow(p, have, n)
		for ; have < end; have++ {
			if rest, err = d.elem(rest, first.At(uintptr(have)*d.size), depth); err != nil {
				return rest, atIndex(have, err)
			}
		}
	}
	return rest, nil
}

// grow lengthens the slice at p, which is full and whose final length is n, and
// returns its first element and its new length.
func (d *sliceDecoder) grow(p reflectx.Pointer, have, n int) (first reflectx.Pointer, length int) {
	if have == 0 && n <= d.first && d.alloc != nil {
		d.alloc(p, n)
	} else {
		v := p.Value(d.t)
		v.Grow(min(max(have, d.first), n-have))
		v.SetLen(min(v.Cap(), n))
	}
	return p.Slice()
}

// decodeStrings is decode for strings, without a call for each.
func decodeStrings(b []byte, p reflectx.Pointer, _ int) ([]byte, error) {
	if msgpack.IsNil(b) {
		*reflectx.Ref[[]string](p) = nil
		return b[1:], nil
	}
	n, rest, err := msgpack.ConsumeArrayLen(b)
	if err != nil {
		return b, err
	}
	list := make([]string, 0, min(n, 1<<12))
	for i := range n {
		var s []byte
		if s, rest, err = msgpack.ConsumeString(rest); err != nil {
			return rest, atIndex(i, err)
		}
		list = append(list, reflectx.String(s))
	}
	*reflectx.Ref[[]string](p) = list
	return rest, nil
}

// sliceAllocators has the kinds of the most common elements: their slices are
// made without reflection.
var sliceAllocators = [reflect.UnsafePointer + 1]func(p reflectx.Pointer, n int){
	reflect.Int:     allocSlice[int],
	reflect.Int64:   allocSlice[int64],
	reflect.Uint64:  allocSlice[uint64],
	reflect.Float64: allocSlice[float64],
}

func allocSlice[T any](p reflectx.Pointer, n int) { *reflectx.Ref[[]T](p) = make([]T, n) }
