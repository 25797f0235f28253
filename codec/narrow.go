package codec

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/kivisdb/kivis/internal/msgpack"
	"github.com/kivisdb/kivis/reflectx"
)

// ErrNarrow: a stored number is whole, and the struct of an older program has a
// narrower type for it, which cannot hold it.
var ErrNarrow = errors.New("a stored value that this older program cannot hold")

// isNarrower reports whether values of t, a type of numbers, are stored as ones
// of a wider type.
func isNarrower(t reflect.Type, ty *Type) bool {
	own := scalarType(kindOf(t), t)
	return own.WidensTo(ty)
}

// A narrowDecoder decodes integers into a narrower type.
type narrowDecoder struct {
	t     reflect.Type
	kind  Kind // as they are stored
	plain decodeFunc
}

func (d *narrowDecoder) decode(b []byte, p reflectx.Pointer, depth int) ([]byte, error) {
	rest, err := d.plain(b, p, depth)
	if !errors.Is(err, msgpack.ErrRange) {
		return rest, err
	}
	var v any
	var wide error // where it is out of range as it is stored, too
	if d.kind == Uint {
		v, _, wide = msgpack.ConsumeUint(b)
	} else {
		v, _, wide = msgpack.ConsumeInt(b)
	}
	if wide != nil {
		return b, err
	}
	return b, fmt.Errorf("%w: %v is no %s; a newer program has a wider type here", ErrNarrow, v, reflectx.TypeName(d.t))
}

// decodeNarrowFloat decodes a float64 into a float32.
func decodeNarrowFloat(b []byte, p reflectx.Pointer, _ int) ([]byte, error) {
	v, rest, err := msgpack.ConsumeFloat(b)
	if err != nil {
		return rest, err
	}
	if float64(float32(v)) != v && v == v {
		return b, fmt.Errorf("%w: %v is no float32; a newer program has a wider type here", ErrNarrow, v)
	}
	*reflectx.Ref[float32](p) = float32(v)
	return rest, nil
}
