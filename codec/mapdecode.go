package codec

import (
	"fmt"
	"reflect"

	"github.com/kivisdb/kivis/internal/msgpack"
	"github.com/kivisdb/kivis/reflectx"
)

// A mapDecoder decodes maps, into new ones.
type mapDecoder struct {
	t         reflect.Type
	key, elem decodeFunc
	first     int // room is made for so many entries before they are seen
	repeats   bool
}

func (c *decoderCompiler) makeMap(t reflect.Type, ty *Type) (decodeFunc, error) {
	key, err := c.compile(t.Key(), ty.Key)
	if err != nil {
		return nil, err
	}
	elem, err := c.compile(t.Elem(), ty.Elem)
	if err != nil {
		return nil, err
	}
	if m := stringMapOf(t, ty, nil, elem); m != nil {
		return m.decode, nil
	}
	return (&mapDecoder{
		t: t, key: key, elem: elem, repeats: ty.Key.Kind == Float,
		first: firstAlloc(t.Key().Size() + t.Elem().Size()),
	}).decode, nil
}

func (m *mapDecoder) decode(b []byte, p reflectx.Pointer, depth int) ([]byte, error) {
	v := p.Value(m.t)
	if msgpack.IsNil(b) {
		v.SetZero()
		return b[1:], nil
	}
	n, rest, err := msgpack.ConsumeMapLen(b)
	if err != nil {
		return b, err
	}
	v.Set(reflect.MakeMapWithSize(m.t, min(n, m.first)))
	k, e := reflect.New(m.t.Key()), reflect.New(m.t.Elem())
	for i := range n {
		k.Elem().SetZero()
		e.Elem().SetZero()
		if rest, err = m.key(rest, reflectx.Of(k), depth); err != nil {
			return rest, at(fmt.Sprintf("[key %d]", i), err)
		}
		if rest, err = m.elem(rest, reflectx.Of(e), depth); err != nil {
			return rest, at(fmt.Sprintf("[%v]", k.Elem()), err)
		}
		v.SetMapIndex(k.Elem(), e.Elem())
	}
	if v.Len() != n && !m.repeats {
		return b, errRepeated
	}
	return rest, nil
}
