package codec

import (
	"reflect"
	"time"

	"github.com/kivisdb/kivis/internal/msgpack"
	"github.com/kivisdb/kivis/reflectx"
)

// A Decoder makes records of one Go type from bodies of one layout. It is
// compiled once, never changes, and may be used by many goroutines.
type Decoder struct {
	t         reflect.Type
	steps     []decodeStep
	converter *Converter // from an older layout; nil where there is none
}

// A decodeStep decodes one field of a struct.
type decodeStep struct {
	op     opcode
	offset uintptr
	decode decodeFunc
	name   string
}

// CompileDecoder returns the decoder of bodies of the layout stored into the
// struct type t, whose fields those of the layout current have by name. Where
// stored is not current, fields are matched as by [CompileConverter]. What is
// stored but not in t is passed over; a field of t that current lacks, or has
// otherwise, is an error.
func CompileDecoder(t reflect.Type, stored, current *Layout, fields FieldsOf) (*Decoder, error) {
	if err := current.check(); err != nil {
		return nil, errorOf(opCompile, t, 0, err)
	}
	c := decoderCompiler{current, fields, map[structPair]*structDecoder{}}
	steps, err := c.steps(t, current.Fields)
	if err != nil {
		return nil, errorOf(opCompile, t, 0, err)
	}
	d := &Decoder{t: t, steps: steps}
	if stored != current && !stored.Equal(current) {
		if d.converter, err = CompileConverter(stored, current); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// Decode sets every stored field of the record at p to what body has for it.
// Strings share the memory of body, which must never change; slices of bytes
// are copies. Where the layout is an older one they share that of a new body.
//
// Decode is safe for any bytes. An error is an [*Error] that matches
// [ErrCorrupt], or [ErrNarrow] where t is that of an older program, or the error
// of a type that unmarshals itself; then the record is left half set.
func (d *Decoder) Decode(body []byte, p reflectx.Pointer) error {
	if d.converter != nil {
		var err error
		if body, err = d.converter.Convert(nil, body); err != nil {
			return err
		}
	}
	rest, err := consumeFields(body, d.steps, p, 0)
	if err == nil && len(rest) > 0 {
		err = errTrailing
	}
	if err != nil {
		return errorOf(opDecode, d.t, len(body)-len(rest), err)
	}
	return nil
}

// consumeFields takes the fields of the struct at p from b. The most common
// kinds are decoded here, without a call, as in [appendFields].
func consumeFields(b []byte, steps []decodeStep, p reflectx.Pointer, depth int) (rest []byte, err error) {
	for i := range steps {
		s := &steps[i]
		f := p.At(s.offset)
		switch s.op {
		case opInt64:
			*reflectx.Ref[int64](f), rest, err = msgpack.ConsumeInt(b)
		case opUint64:
			*reflectx.Ref[uint64](f), rest, err = msgpack.ConsumeUint(b)
		case opString:
			var text []byte
			text, rest, err = msgpack.ConsumeString(b)
			*reflectx.Ref[string](f) = reflectx.String(text)
		case opTime:
			*reflectx.Ref[time.Time](f), rest, err = msgpack.ConsumeTime(b)
		default:
			rest, err = s.decode(b, f, depth)
		}
		if err != nil {
			return rest, at(s.name, err)
		}
		b = rest
	}
	return b, nil
}

type decoderCompiler struct {
	layout  *Layout
	fields  FieldsOf
	structs map[structPair]*structDecoder // those begun, so that types may recur
}

// steps returns how to decode the stored fields into the struct type t.
func (c *decoderCompiler) steps(t reflect.Type, stored []Field) ([]decodeStep, error) {
	matched, err := matchFields(t, stored, c.fields)
	if err != nil {
		return nil, err
	}
	steps := make([]decodeStep, len(stored))
	for i := range stored {
		f, s := matched[i], &steps[i]
		s.name = stored[i].Name
		if f == nil {
			s.decode = passOver
			continue
		}
		s.op, s.offset = opcodeOf(f.Type, &stored[i].Type), f.Offset
		if s.decode, err = c.compile(f.Type, &stored[i].Type); err != nil {
			return nil, at(s.name, err)
		}
	}
	return steps, nil
}

func passOver(b []byte, _ reflectx.Pointer, _ int) ([]byte, error) { return msgpack.Skip(b) }

// compile returns how to decode the stored type ty into values of t.
func (c *decoderCompiler) compile(t reflect.Type, ty *Type) (decodeFunc, error) {
	if err := mismatch(t, ty); err != nil {
		return nil, err
	}
	switch ty.Kind {
	case Bool:
		return decodeBool, nil
	case Int, Uint, Duration:
		if isNarrower(t, ty) {
			return (&narrowDecoder{t, ty.Kind, integerDecoders[t.Kind()]}).decode, nil
		}
		return integerDecoders[t.Kind()], nil
	case Float:
		switch {
		case isNarrower(t, ty):
			return decodeNarrowFloat, nil
		case t.Kind() == reflect.Float32:
			return decodeFloat32, nil
		}
		return decodeFloat64, nil
	case String:
		return decodeString, nil
	case Bytes:
		return decodeBytes, nil
	case ByteArray:
		return byteArray(ty.Len).decode, nil
	case Time:
		return decodeTime, nil
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
		return decodeAny, nil
	}
	return marshaler{t}.decoder(ty.Kind), nil
}

// A structDecoder decodes nested structs.
type structDecoder struct {
	steps []decodeStep
}

func (c *decoderCompiler) makeStruct(t reflect.Type, ty *Type) (decodeFunc, error) {
	pair := structPair{t, ty.Struct}
	if s := c.structs[pair]; s != nil {
		return s.decode, nil
	}
	s := &structDecoder{}
	c.structs[pair] = s
	var err error
	s.steps, err = c.steps(t, c.layout.Structs[ty.Struct])
	return s.decode, err
}

func (s *structDecoder) decode(b []byte, p reflectx.Pointer, depth int) ([]byte, error) {
	if depth >= maxDepth {
		return b, errDeep
	}
	rest, err := consumeCount(b, len(s.steps), "fields")
	if err != nil {
		return b, err
	}
	return consumeFields(rest, s.steps, p, depth+1)
}
