package codec

import (
	"fmt"
	"slices"

	"github.com/kivisdb/kivis/internal/msgpack"
)

// A hop leads from the fields of a struct to one of them.
type hop struct {
	n, at int // how many fields there are, and which is next
}

// A way leads from a record down to one field, through nested structs and
// pointers to them.
type way []hop

// places tells where the fields of a layout are in a record: at which places that
// are reached through structs, and pointers to them, alone.
type places struct {
	layout *Layout
	ways   []int  // by the number of a nested struct: at how many places it is, up to 2
	around []site // where it is, if at one
}

// A site is a field of a nested struct, or, of struct -1, of the record.
type site struct{ in, at int }

// placesIn returns the places of a layout's fields.
func placesIn(l *Layout) places {
	p := places{l, make([]int, len(l.Structs)), make([]site, len(l.Structs))}
	for changed := true; changed; { // each round raises a number, of which none is over 2
		ways := make([]int, len(l.Structs))
		p.count(ways, -1, l.Fields, 1)
		for n, fields := range l.Structs {
			p.count(ways, n, fields, p.ways[n])
		}
		changed = !slices.Equal(ways, p.ways)
		p.ways = ways
	}
	return p
}

// count counts the structs that a struct at so many places has in its fields.
func (p *places) count(ways []int, in int, fields []Field, times int) {
	for i := range fields {
		if n := nestedIn(&fields[i].Type); n >= 0 && times > 0 {
			ways[n] = min(2, ways[n]+times)
			p.around[n] = site{in, i}
		}
	}
}

// Has reports whether a field with an id is anywhere in the layout.
func (l *Layout) Has(id uint32) bool {
	has := func(f Field) bool { return f.ID == id }
	return slices.ContainsFunc(l.Fields, has) || slices.ContainsFunc(l.Structs, func(fields []Field) bool { return slices.ContainsFunc(fields, has) })
}

// Only reports whether a field with an id is at one place of a record, which is
// reached through structs and pointers to them alone.
func (l *Layout) Only(id uint32) bool {
	p := placesIn(l)
	_, ok := p.only(id)
	return ok
}

// only returns the site of the field with an id, if it is at one.
func (p *places) only(id uint32) (at site, ok bool) {
	n := 0
	find := func(in int, fields []Field, ways int) {
		if i := slices.IndexFunc(fields, func(f Field) bool { return f.ID == id }); i >= 0 && ways > 0 {
			n += ways
			at = site{in, i}
		}
	}
	find(-1, p.layout.Fields, 1)
	for i, fields := range p.layout.Structs {
		find(i, fields, p.ways[i])
	}
	return at, id != 0 && n == 1
}

// fields returns the fields of a struct by its number.
func (p *places) fields(in int) []Field {
	if in < 0 {
		return p.layout.Fields
	}
	return p.layout.Structs[in]
}

// to returns the way to a place, which is the only one of its field.
func (p *places) to(at site) (w way) {
	for {
		w = append(w, hop{len(p.fields(at.in)), at.at})
		if at.in < 0 {
			slices.Reverse(w)
			return w
		}
		at = p.around[at.in]
	}
}

// nestedIn returns the number of the struct that t is, or points to, or -1.
func nestedIn(t *Type) int {
	if t.Kind == Pointer {
		t = t.Elem
	}
	if t.Kind == Struct {
		return t.Struct
	}
	return -1
}

// take returns the value to which the way leads in a record, or nil where a pointer
// on the way is nil.
func (w way) take(record []byte) ([]byte, error) {
	b := record
	for i, h := range w {
		if i > 0 {
			if msgpack.IsNil(b) {
				return nil, nil
			}
			var err error
			if b, err = consumeCount(b, h.n, "fields"); err != nil {
				return nil, err
			}
		}
		var few [32]uint32
		offs, err := SplitFirst(b, h.at+1, few[:0])
		if err != nil {
			return nil, err
		}
		b = b[offs[h.at]:offs[h.at+1]]
	}
	return b, nil
}

// compileMoved returns how a field of current is made that the struct did not have:
// of what is stored at another place of the record. It is nil where nothing is.
func (c *converterCompiler) compileMoved(f *Field) (convertFunc, error) {
	if at, ok := c.elsewhere(f); ok {
		return c.moved(c.was.to(at), &c.was.fields(at.in)[at.at], f)
	}
	n := nestedIn(&f.Type)
	if n < 0 || !c.takesIn(n, map[int]bool{}) {
		return nil, nil
	}
	s := &structConverter{}
	if err := c.fill(s, nil, c.current.Structs[n]); err != nil {
		return nil, err
	}
	return func(dst, _ []byte, in scope) (out, rest []byte, err error) {
		return s.appendFields(msgpack.AppendArrayLen(dst, len(s.steps)), nil, in)
	}, nil
}

// elsewhere returns the only place at which a field of current is stored, which is
// at one place of current too.
func (c *converterCompiler) elsewhere(f *Field) (at site, ok bool) {
	if _, ok = c.is.only(f.ID); ok {
		at, ok = c.was.only(f.ID)
	}
	return at, ok
}

// moved returns how a field is made of what is stored elsewhere.
func (c *converterCompiler) moved(to way, was, f *Field) (convertFunc, error) {
	convert, err := c.compile(&was.Type, &f.Type)
	if err != nil {
		return nil, err
	}
	convert = orCopy(convert)
	zero := AppendZero(nil, f.Type, c.current)
	return func(dst, _ []byte, in scope) (out, rest []byte, err error) {
		b, err := to.take(in.record)
		if err != nil {
			return dst, nil, err
		}
		if b == nil {
			return append(dst, zero...), nil, nil
		}
		dst, rest, err = convert(dst, b, in)
		if err == nil && len(rest) > 0 {
			err = fmt.Errorf("%w: bytes follow a value", ErrCorrupt)
		}
		return dst, nil, err
	}, nil
}

// takesIn reports whether a struct of current has a field that is stored elsewhere.
func (c *converterCompiler) takesIn(n int, seen map[int]bool) bool {
	if seen[n] {
		return false
	}
	seen[n] = true
	fields := c.current.Structs[n]
	for i := range fields {
		f := &fields[i]
		if _, ok := c.elsewhere(f); ok {
			return true
		}
		if n := nestedIn(&f.Type); n >= 0 && c.takesIn(n, seen) {
			return true
		}
	}
	return false
}

// appendNew appends a field that is not stored of the struct.
func (s *convertStep) appendNew(dst []byte, in scope) ([]byte, error) {
	if s.convert == nil {
		return append(dst, s.zero...), nil
	}
	dst, _, err := s.convert(dst, nil, in)
	return dst, err
}
