package schema

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/kivisdb/kivis/reflectx"
)

// Locate returns the place of the field that a selector returns the address of,
// given that of an empty record. The selector may go through pointers to structs
// that are stored field by field: the record that it is given has them set, as deep
// as it needs. The error says what the selector does wrong, as what follows its
// name.
func Locate(record, field reflect.Type, sel func(rec reflectx.Pointer) reflectx.Pointer) (FieldRef, error) {
	p := probe{record: record, structs: []probed{{typ: record, at: reflectx.Of(reflect.New(record))}}}
	for {
		ref, err := p.ask(sel)
		if ref.Type = field; err == nil {
			if way, ok := ref.route(); ok {
				ref.valids = way.valids
			}
			return ref, nil
		}
		if !p.grow() {
			return FieldRef{}, err
		}
	}
}

// maxProbed bounds how many structs a selector is tried with: types that refer to
// themselves have no end of them.
const maxProbed = 1000

// A probe is an empty record, and the structs that its pointers point to.
type probe struct {
	record  reflect.Type
	structs []probed
	grown   int // of structs, how many have their pointers set
}

// A probed is one struct of a probe.
type probed struct {
	typ     reflect.Type
	at      reflectx.Pointer
	through []uintptr // the way to it, as in a FieldRef
}

// ask calls the selector, and finds out where in the probe its result lies.
func (p *probe) ask(sel func(reflectx.Pointer) reflectx.Pointer) (ref FieldRef, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = panicked(r)
		}
	}()
	field := sel(p.structs[0].at)
	if field.IsNil() {
		return ref, errors.New("returns nil")
	}
	for i := range p.structs {
		s := &p.structs[i]
		if off, ok := reflectx.Offset(s.at, field, max(s.typ.Size(), 1)-1); ok {
			return FieldRef{Record: p.record, Through: s.through, Offset: off}, nil
		}
	}
	return ref, errors.New("must return the address of a field of its record")
}

// panicked says that a selector has panicked, and what with.
func panicked(r any) error {
	err := fmt.Errorf("panics on an empty record: %v", r)
	if strings.Contains(err.Error(), "out of range") {
		err = fmt.Errorf("%w; a field of elements is EachOf's", err)
	}
	return err
}

// grow sets the pointers of the structs that were added last to new structs. It
// reports whether there are any.
func (p *probe) grow() bool {
	from, to := p.grown, len(p.structs)
	for p.grown = to; from < to; from++ {
		s := p.structs[from]
		p.point(s.typ, s.at, 0, s.through)
	}
	return len(p.structs) > to
}

// point sets the pointers of the struct t, which is at an offset in the one at s.
func (p *probe) point(t reflect.Type, s reflectx.Pointer, off uintptr, way []uintptr) {
	for i := range fieldsOf(t).list {
		f := &fieldsOf(t).list[i]
		null, nullable := reflectx.NullableOf(f.Type)
		switch {
		case nullable && isNested(null.Elem):
			p.point(null.Elem, s, off+f.Offset+null.Value, way)
		case isNested(f.Type):
			p.point(f.Type, s, off+f.Offset, way)
		case isPointer(f.Type) && isNested(f.Type.Elem()) && len(p.structs) < maxProbed:
			to := probed{typ: f.Type.Elem(), at: reflectx.Of(reflect.New(f.Type.Elem()))}
			to.through = append(way[:len(way):len(way)], off+f.Offset)
			s.At(off + f.Offset).SetElem(to.at)
			p.structs = append(p.structs, to)
		}
	}
}
