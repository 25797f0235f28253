package codec

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"time"

	"github.com/kivisdb/kivis/internal/msgpack"
	"github.com/kivisdb/kivis/reflectx"
)

// An Encoder makes bodies from the records of one Go type. It is compiled
// once, never changes, and may be used by many goroutines.
type Encoder struct {
	t     reflect.Type
	steps []encodeStep
}

// An encodeStep encodes one field of a struct.
type encodeStep struct {
	op     opcode
	offset uintptr
	encode encodeFunc
	name   string
}

// CompileEncoder returns the encoder of the struct type t into the layout
// current. Fields are matched by name, those of nested structs too. A field
// that t lacks, or has with a narrower number, as the struct of an older
// program may, is encoded as its zero value, or as the wider number; one that
// current lacks, or has otherwise, is an error.
func CompileEncoder(t reflect.Type, current *Layout, fields FieldsOf) (*Encoder, error) {
	if err := current.check(); err != nil {
		return nil, errorOf(opCompile, t, 0, err)
	}
	c := encoderCompiler{current, fields, map[structPair]*structEncoder{}}
	steps, err := c.steps(t, current.Fields)
	if err != nil {
		return nil, errorOf(opCompile, t, 0, err)
	}
	return &Encoder{t, steps}, nil
}

// Encode appends the body of the record at p to dst. The offsets it returns, in
// the memory of offs, are where each field starts in the body, and where the
// last one ends.
//
// The record is only read, and nothing refers to it afterwards. The error is an
// [*Error] that names the field; then dst is returned as it was.
func (e *Encoder) Encode(dst []byte, p reflectx.Pointer, offs []uint32) ([]byte, []uint32, error) {
	start, n := len(dst), len(e.steps)
	offs = slices.Grow(offs[:0], n+1)[:n+1]
	dst, err := appendFields(dst, e.steps, p, 0, offs)
	if err == nil && uint64(len(dst)-start) > math.MaxUint32 {
		err = errors.New("more than 4 GiB")
	}
	if err != nil {
		return dst[:start], offs[:0], errorOf(opEncode, e.t, 0, err)
	}
	offs[n] = uint32(len(dst) - start)
	return dst, offs, nil
}

// appendFields appends the fields of the struct at p, and sets offs, unless it
// is nil, to where each starts. The most common kinds are encoded here, without
// a call: the functions of the others do the same for theirs.
func appendFields(dst []byte, steps []encodeStep, p reflectx.Pointer, depth int, offs []uint32) (_ []byte, err error) {
	start := len(dst)
	for i := range steps {
		s := &steps[i]
		if offs != nil {
			offs[i] = uint32(len(dst) - start)
		}
		f := p.At(s.offset)
		switch s.op {
		case opInt64:
			dst = msgpack.AppendInt(dst, *reflectx.Ref[int64](f))
		case opUint64:
			dst = msgpack.AppendUint(dst, *reflectx.Ref[uint64](f))
		case opString:
			dst = msgpack.AppendString(dst, *reflectx.Ref[string](f))
		case opFloat64:
			dst = msgpack.AppendFloat64(dst, *reflectx.Ref[float64](f))
		case opBool:
			dst = msgpack.AppendBool(dst, *reflectx.Ref[bool](f))
		case opTime:
			if dst, err = appendTime(dst, *reflectx.Ref[time.Time](f)); err != nil {
				return dst, at(s.name, err)
			}
		default:
			if dst, err = s.encode(dst, f, depth); err != nil {
				return dst, at(s.name, err)
			}
		}
	}
	return dst, nil
}

// A structPair is a Go struct type and the number of the nested struct that it
// is stored as.
type structPair struct {
	t      reflect.Type
	number int
}

type encoderCompiler struct {
	layout  *Layout
	fields  FieldsOf
	structs map[structPair]*structEncoder // those begun, so that types may recur
}

// steps returns how to encode the struct type t as the given fields.
func (c *encoderCompiler) steps(t reflect.Type, as []Field) ([]encodeStep, error) {
	matched, err := matchFields(t, as, c.fields)
	if err != nil {
		return nil, err
	}
	steps := make([]encodeStep, len(as))
	for i := range as {
		f, s := matched[i], &steps[i]
		s.name = as[i].Name
		if f == nil {
			s.encode = (&constant{AppendZero(nil, as[i].Type, c.layout)}).append
			continue
		}
		s.op, s.offset = opcodeOf(f.Type, &as[i].Type), f.Offset
		if s.encode, err = c.compile(f.Type, &as[i].Type); err != nil {
			return nil, at(s.name, err)
		}
	}
	return steps, nil
}

// matchFields returns the field of the struct type t for each stored field, nil
// where t has none. A field of t that is not stored is an error.
func matchFields(t reflect.Type, stored []Field, fields FieldsOf) ([]*StructField, error) {
	list, err := fields(t)
	if err != nil {
		return nil, err
	}
	byName := make(map[string]*StructField, len(list))
	for i := range list {
		byName[list[i].Name] = &list[i]
	}
	matched := make([]*StructField, len(stored))
	for i := range stored {
		matched[i] = byName[stored[i].Name]
		delete(byName, stored[i].Name)
	}
	for i := range list {
		if byName[list[i].Name] != nil {
			return nil, at(list[i].Name, errors.New("the layout has no such field"))
		}
	}
	return matched, nil
}

// mismatch returns an error unless values of t may be stored as ty: in the way
// of their kind, or as a wider number. The types inside are not looked at.
func mismatch(t reflect.Type, ty *Type) error {
	kind := kindOf(t)
	if kind == Invalid {
		return refusal(t)
	}
	own := scalarType(kind, t)
	if kind == Array {
		own.Len = t.Len()
	}
	if own.Kind != ty.Kind || own.Bits != ty.Bits || own.Len != ty.Len {
		if !own.WidensTo(ty) {
			return fmt.Errorf("stored as %v, which is not how a %s is stored", *ty, reflectx.TypeName(t))
		}
	}
	return nil
}

// compile returns how to encode values of t as the stored type ty.
func (c *encoderCompiler) compile(t reflect.Type, ty *Type) (encodeFunc, error) {
	if err := mismatch(t, ty); err != nil {
		return nil, err
	}
	switch ty.Kind {
	case Bool:
		return encodeBool, nil
	case Int, Uint, Duration:
		return integerEncoders[t.Kind()], nil
	case Float:
		return floatEncoder(t, ty), nil
	case String:
		return encodeString, nil
	case Bytes:
		if t == ipType {
			return encodeIP, nil
		}
		return encodeBytes, nil
	case ByteArray:
		return byteArray(ty.Len).encode, nil
	case Time:
		return encodeTime, nil
	case Pointer:
		return c.makePointer(t, ty)
	case Slice:
		return c.makeSlice(t, ty)
	case Array:
		return c.makeArray(t, ty)
	case Map:
		return c.makeMap(t, ty)
	case Struct:
		return c.makeStruct(t, ty)
	case Any:
		return encodeAny, nil
	}
	return marshaler{t}.encoder(ty.Kind), nil
}

// A constant is what is encoded for a field that the Go type lacks.
type constant struct{ value []byte }

func (c *constant) append(dst []byte, _ reflectx.Pointer, _ int) ([]byte, error) {
	return append(dst, c.value...), nil
}

// A structEncoder encodes nested structs: as arrays of their fields.
type structEncoder struct {
	steps []encodeStep
}

func (c *encoderCompiler) makeStruct(t reflect.Type, ty *Type) (encodeFunc, error) {
	pair := structPair{t, ty.Struct}
	if s := c.structs[pair]; s != nil {
		return s.encode, nil
	}
	s := &structEncoder{}
	c.structs[pair] = s
	var err error
	s.steps, err = c.steps(t, c.layout.Structs[ty.Struct])
	return s.encode, err
}

func (s *structEncoder) encode(dst []byte, p reflectx.Pointer, depth int) ([]byte, error) {
	if depth >= maxDepth {
		return dst, errCycle
	}
	dst = msgpack.AppendArrayLen(dst, len(s.steps))
	return appendFields(dst, s.steps, p, depth+1, nil)
}
