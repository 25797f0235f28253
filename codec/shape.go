package codec

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/kivisdb/kivis/reflectx"
)

// A shape is how a struct type is stored field by field that has an order of its
// own. The name of its form has a digest of the shape behind a #, so that a program
// whose struct has other fields does not take one's bytes for the other's.
type shape struct {
	name   string // of the form
	decode decodeFunc
	err    error
}

var shapes sync.Map // reflect.Type -> *shape

// shapeOf returns the shape of the struct type t.
func shapeOf(t reflect.Type, fields FieldsOf) *shape {
	if s, ok := shapes.Load(t); ok {
		return s.(*shape)
	}
	s, _ := shapes.LoadOrStore(t, makeShape(t, fields))
	return s.(*shape)
}

func makeShape(t reflect.Type, fields FieldsOf) *shape {
	for _, name := range []string{"AppendKey", "ParseKey"} {
		if from, other, ok := reflectx.Promoted(t, name); ok {
			return &shape{err: fmt.Errorf("%s has the method %s of its embedded %s alone, so its field %s would not count: give it methods of its own, or give the embedded field a name",
				reflectx.TypeName(t), name, from, other)}
		}
	}
	d := describer{record: t, fields: fields, layout: &Layout{}, numbers: map[reflect.Type]int{}}
	ty := d.describe(t, "")
	if d.errs != nil {
		return &shape{err: errors.Join(d.errs...)}
	}
	s := &shape{name: formName(t) + "#" + digestOfShape(&ty, d.layout)}
	c := decoderCompiler{d.layout, fields, map[structPair]*structDecoder{}}
	s.decode, s.err = c.compile(t, &ty)
	return s
}

// formName returns how a Go type is named in key types.
func formName(t reflect.Type) string { return t.PkgPath() + "." + t.Name() }

// digestOfShape returns a digest of the stored type t: of the names and types of
// its fields, in their order.
func digestOfShape(t *Type, l *Layout) string {
	sum := sha256.Sum256(appendShape(nil, t, l, nil))
	return hex.EncodeToString(sum[:8])
}

// appendShape appends what digests of t are made of, inside the structs given.
func appendShape(dst []byte, t *Type, l *Layout, inside []int) []byte {
	switch t.Kind {
	case Pointer:
		return appendShape(append(dst, '*'), t.Elem, l, inside)
	case Slice:
		return appendShape(append(dst, "[]"...), t.Elem, l, inside)
	case Array:
		return appendShape(fmt.Appendf(dst, "[%d]", t.Len), t.Elem, l, inside)
	case Map:
		dst = append(appendShape(append(dst, "map["...), t.Key, l, inside), ']')
		return appendShape(dst, t.Elem, l, inside)
	case Struct:
		if i := slices.Index(inside, t.Struct); i >= 0 {
			return fmt.Appendf(dst, "^%d", i)
		}
		inside = append(inside[:len(inside):len(inside)], t.Struct)
		dst = append(dst, '{')
		for i := range l.Structs[t.Struct] {
			f := &l.Structs[t.Struct][i]
			dst = append(strconv.AppendQuote(dst, f.Name), ' ')
			dst = append(appendShape(dst, &f.Type, l, inside), ';')
		}
		return append(dst, '}')
	}
	return append(dst, t.String()...)
}

// decodeWhole sets the value at p to a stored one.
func (s *shape) decodeWhole(value []byte, p reflectx.Pointer) error {
	rest, err := s.decode(value, p, 0)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%w: %d bytes after a value", ErrCorrupt, len(rest))
	}
	return err
}

// Fits reports whether values of the stored type t, whose structs are in l, are
// those that k is of: where k, or a part of it, is of a struct in its own order,
// whether they have the fields that it had when its type was compiled.
func (k *KeyType) Fits(t *Type, l *Layout) bool {
	if t.Kind == Pointer {
		t = t.Elem
	}
	switch {
	case k.Kind == Own:
		_, digest, ok := strings.Cut(k.Name, "#")
		return !ok || t.Kind == Struct && digestOfShape(t, l) == digest
	case k.Kind != Struct:
		return true
	case t.Kind != Struct || len(l.Structs[t.Struct]) != len(k.Parts):
		return false
	}
	for i := range k.Parts {
		if !k.Parts[i].Fits(&l.Structs[t.Struct][i].Type, l) {
			return false
		}
	}
	return true
}
