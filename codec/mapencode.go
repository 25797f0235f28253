package codec

import (
	"fmt"
	"reflect"

	"github.com/kivisdb/kivis/internal/msgpack"
	"github.com/kivisdb/kivis/reflectx"
)

// A mapEncoder encodes maps, in the order of their encoded keys: so equal maps
// have equal bytes.
type mapEncoder struct {
	t         reflect.Type
	key, elem encodeFunc
	repeats   bool // keys may be stored alike: NaN
}

func (c *encoderCompiler) makeMap(t reflect.Type, ty *Type) (encodeFunc, error) {
	key, err := c.compile(t.Key(), ty.Key)
	if err != nil {
		return nil, err
	}
	elem, err := c.compile(t.Elem(), ty.Elem)
	if err != nil {
		return nil, err
	}
	if m := stringMapOf(t, ty, elem, nil); m != nil {
		return m.encode, nil
	}
	return (&mapEncoder{t, key, elem, ty.Key.Kind == Float}).encode, nil
}

func (m *mapEncoder) encode(dst []byte, p reflectx.Pointer, depth int) (_ []byte, err error) {
	v := p.Value(m.t)
	if v.IsNil() {
		return msgpack.AppendNil(dst), nil
	}
	dst = msgpack.AppendMapLen(dst, v.Len())
	k, e := reflect.New(m.t.Key()), reflect.New(m.t.Elem())
	entries := make([]mapEntry, 0, v.Len())
	for it := v.MapRange(); it.Next(); {
		k.Elem().SetIterKey(it)
		e.Elem().SetIterValue(it)
		entry := mapEntry{start: len(dst)}
		if dst, err = m.key(dst, reflectx.Of(k), depth); err != nil {
			return dst, at(fmt.Sprintf("[key %v]", k.Elem()), err)
		}
		entry.key = len(dst)
		if dst, err = m.elem(dst, reflectx.Of(e), depth); err != nil {
			return dst, at(fmt.Sprintf("[%v]", k.Elem()), err)
		}
		entry.end = len(dst)
		entries = append(entries, entry)
	}
	return sortEntries(dst, entries, m.repeats)
}
