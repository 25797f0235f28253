package codec

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/kivisdb/kivis/reflectx"
)

// A KeyPlan encodes Go values of one type as key parts of one [KeyType], and
// decodes them. It is immutable, and safe for use by several goroutines.
type KeyPlan struct {
	typ reflect.Type
	key KeyType
	ops []keyOp
}

// A keyOp is one step of a plan: a value at an offset. Structs have none of
// their own; their fields are steps of the plan around them.
type keyOp struct {
	code  keyCode
	desc  bool // complemented; counts the structs and pointers around it
	noNaN bool
	off   uintptr
	n     int                // of codeArray: bytes
	own   *form              // of codeOwn
	elem  reflect.Type       // of codePointer: what it points to
	sub   []keyOp            // of codePointer: the steps for that
	null  *reflectx.Nullable // of codePointer, where it is none: what holds a value or nothing
}

// A keyCode says what a step moves.
type keyCode uint8

const (
	codeBool keyCode = iota
	codeInt
	codeInt8
	codeInt16
	codeInt32
	codeInt64
	codeUint
	codeUint8
	codeUint16
	codeUint32
	codeUint64
	codeUintptr
	codeFloat32
	codeFloat64
	codeString
	codeFold
	codeBytes
	codeArray
	codeTime
	codeOwn
	codePointer
)

// CompileKey returns a plan for values of the Go type t as key parts of type
// kt. They must agree: struct fields go to parts in order, whatever their
// names, and integers of all kinds and widths are alike.
func CompileKey(t reflect.Type, fields FieldsOf, kt KeyType) (*KeyPlan, error) {
	own, err := EqualTypeOf(t, fields)
	if err != nil {
		return nil, err
	}
	if !own.Compatible(kt.Base()) {
		return nil, fmt.Errorf("%s is %v as a key, not %v", reflectx.TypeName(t), own, kt.Base())
	}
	ops, err := makeKeyOps(nil, t, fields, &kt, 0, kt.Desc)
	if err != nil {
		return nil, err
	}
	return &KeyPlan{typ: t, key: kt, ops: slices.Clip(ops)}, nil
}

// makeKeyOps appends the steps for a value of type t at off. Their form is k,
// complemented if desc.
func makeKeyOps(ops []keyOp, t reflect.Type, fields FieldsOf, k *KeyType, off uintptr, desc bool) ([]keyOp, error) {
	if elem, ok := reflectx.Pointed(t); ok {
		sub, err := makeKeyOps(nil, elem, fields, pointedTo(k), 0, desc)
		op := keyOp{code: codePointer, desc: desc, off: off, elem: elem, sub: sub}
		op.null, _ = reflectx.NullableOf(t)
		return append(ops, op), err
	}
	if k.Kind != Struct {
		op := keyOp{code: keyCodeOf(t, k), desc: desc, off: off, n: k.Len}
		if k.Kind.isOwn() {
			op.own = formFor(t, fields, k)
		}
		return append(ops, op), nil
	}
	list, err := fields(t)
	if err != nil {
		return nil, err
	}
	if len(list) != len(k.Parts) {
		return nil, fmt.Errorf("%s has %d fields, not %d", reflectx.TypeName(t), len(list), len(k.Parts))
	}
	for i, f := range list {
		part := &k.Parts[i]
		if ops, err = makeKeyOps(ops, f.Type, fields, part, off+f.Offset, desc != part.Desc); err != nil {
			return nil, err
		}
	}
	return ops, nil
}

// pointedTo returns k for what the pointer points to.
func pointedTo(k *KeyType) *KeyType {
	e := *k
	e.Ptr = false
	return &e
}

// keyCodeOf returns the code for values of type t, which are not pointers or
// structs as far as k is concerned.
func keyCodeOf(t reflect.Type, k *KeyType) keyCode {
	switch k.Kind {
	case String:
		if k.Fold {
			return codeFold
		}
		return codeString
	case Bytes:
		return codeBytes
	case ByteArray:
		return codeArray
	case Time:
		return codeTime
	case Own, OwnBinary, OwnText:
		return codeOwn
	}
	return keyCodes[t.Kind()]
}

var keyCodes = [...]keyCode{
	reflect.Bool: codeBool,
	reflect.Int:  codeInt, reflect.Int8: codeInt8, reflect.Int16: codeInt16, reflect.Int32: codeInt32, reflect.Int64: codeInt64,
	reflect.Uint: codeUint, reflect.Uint8: codeUint8, reflect.Uint16: codeUint16, reflect.Uint32: codeUint32, reflect.Uint64: codeUint64,
	reflect.Uintptr: codeUintptr,
	reflect.Float32: codeFloat32, reflect.Float64: codeFloat64,
}

// RefuseNaN returns a plan like p whose Append fails where a float is NaN: for
// primary keys. It costs nothing where there are no floats.
func (p *KeyPlan) RefuseNaN() *KeyPlan {
	return &KeyPlan{typ: p.typ, key: p.key, ops: refuseNaN(p.ops)}
}

func refuseNaN(ops []keyOp) []keyOp {
	ops = slices.Clone(ops)
	for i := range ops {
		ops[i].noNaN = true
		ops[i].sub = refuseNaN(ops[i].sub)
	}
	return ops
}

// KeyType returns what the plan's parts are. It must not be changed.
func (p *KeyPlan) KeyType() KeyType { return p.key }

// Append appends the key part for the value at v, which is of the plan's type.
// It fails if a time is out of range, and returns dst as it was.
func (p *KeyPlan) Append(dst []byte, v reflectx.Pointer) ([]byte, error) {
	start := len(dst)
	dst, err := appendKeyOps(dst, p.ops, v)
	if err != nil {
		return dst[:start], err
	}
	return dst, nil
}

func appendKeyOps(dst []byte, ops []keyOp, v reflectx.Pointer) ([]byte, error) {
	for i := range ops {
		op := &ops[i]
		start := len(dst)
		var err error
		if op.code == codePointer {
			dst, err = appendPointer(dst, op, op.pointed(v.At(op.off)))
		} else {
			dst, err = appendKeyOp(dst, op, v.At(op.off))
			if op.desc {
				complement(dst, start)
			}
		}
		if err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// pointed returns what the pointer or nullable at v holds, nil where it is
// nothing.
func (op *keyOp) pointed(v reflectx.Pointer) reflectx.Pointer {
	if op.null != nil {
		return op.null.At(v)
	}
	return v.Elem()
}

// appendPointer appends a pointer's part; its steps complement themselves.
func appendPointer(dst []byte, op *keyOp, v reflectx.Pointer) ([]byte, error) {
	if v.IsNil() {
		return append(dst, ptrNil^op.mask()), nil
	}
	return appendKeyOps(append(dst, ptrValue^op.mask()), op.sub, v)
}

// mask returns what the step's bytes are xored with.
func (op *keyOp) mask() byte {
	if op.desc {
		return 0xFF
	}
	return 0
}

// appendKeyOp appends the value at v, ascending.
func appendKeyOp(dst []byte, op *keyOp, v reflectx.Pointer) ([]byte, error) {
	switch op.code {
	case codeBool:
		return AppendBool(dst, *reflectx.Ref[bool](v)), nil
	case codeInt:
		return AppendInt(dst, int64(*reflectx.Ref[int](v))), nil
	case codeInt8:
		return AppendInt(dst, int64(*reflectx.Ref[int8](v))), nil
	case codeInt16:
		return AppendInt(dst, int64(*reflectx.Ref[int16](v))), nil
	case codeInt32:
		return AppendInt(dst, int64(*reflectx.Ref[int32](v))), nil
	case codeInt64:
		return AppendInt(dst, *reflectx.Ref[int64](v)), nil
	case codeUint:
		return AppendUint(dst, uint64(*reflectx.Ref[uint](v))), nil
	case codeUint8:
		return AppendUint(dst, uint64(*reflectx.Ref[uint8](v))), nil
	case codeUint16:
		return AppendUint(dst, uint64(*reflectx.Ref[uint16](v))), nil
	case codeUint32:
		return AppendUint(dst, uint64(*reflectx.Ref[uint32](v))), nil
	case codeUint64:
		return AppendUint(dst, *reflectx.Ref[uint64](v)), nil
	case codeUintptr:
		return AppendUint(dst, uint64(*reflectx.Ref[uintptr](v))), nil
	case codeFloat32:
		return appendKeyFloat(dst, op, float64(*reflectx.Ref[float32](v)))
	case codeFloat64:
		return appendKeyFloat(dst, op, *reflectx.Ref[float64](v))
	case codeString:
		return AppendString(dst, *reflectx.Ref[string](v)), nil
	case codeFold:
		return appendFolded(dst, *reflectx.Ref[string](v)), nil
	case codeBytes:
		return AppendString(dst, *reflectx.Ref[[]byte](v)), nil
	case codeArray:
		return append(dst, v.Bytes(op.n)...), nil
	case codeTime:
		return AppendTime(dst, *reflectx.Ref[time.Time](v))
	case codeOwn:
		return appendOwn(dst, op.own, v)
	}
	return dst, errBadKey // unreachable: pointers have a function of their own
}

func appendKeyFloat(dst []byte, op *keyOp, f float64) ([]byte, error) {
	if op.noNaN && f != f {
		return dst, errNaN
	}
	return AppendFloat(dst, f), nil
}
