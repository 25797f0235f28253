package codec

import (
	"fmt"
	"strings"

	"github.com/kivisdb/kivis/internal/msgpack"
)

// A Converter makes bodies of one layout from bodies of an older one, without
// any Go type. It never changes, and may be used by many goroutines.
type Converter struct {
	record *structConverter
}

// CompileConverter returns the converter from the layout stored to the layout
// current. At every level a field is matched by its id, or by its name where
// neither has an id: one that is new gets its zero value, one that is gone is
// dropped, a number may have become wider, and a value a pointer, or the other
// way round. A field that is at one place in each, another in both, has moved into
// a nested struct or out of one. Any other difference of types is an [*Error].
func CompileConverter(stored, current *Layout) (*Converter, error) {
	for _, l := range []*Layout{stored, current} {
		if err := l.check(); err != nil {
			return nil, errorOf(opCompile, nil, 0, err)
		}
	}
	return compileConverter(stored, current, nil)
}

// compileConverter is CompileConverter with what is told of nil values.
func compileConverter(stored, current *Layout, onNil func(path string)) (*Converter, error) {
	c := converterCompiler{stored: stored, current: current, structs: map[[2]int]*structConverter{}, onNil: onNil}
	c.was, c.is = placesIn(stored), placesIn(current)
	record := &structConverter{}
	if err := c.fill(record, stored.Fields, current.Fields); err != nil {
		return nil, errorOf(opCompile, nil, 0, err)
	}
	return &Converter{record}, nil
}

// Convert appends the converted body to dst. It is safe for any bytes; an error
// is an [*Error] that matches [ErrCorrupt], and then dst is returned as it was.
func (c *Converter) Convert(dst, body []byte) ([]byte, error) {
	out, rest, err := c.record.appendFields(dst, body, scope{record: body})
	if err == nil && len(rest) > 0 {
		err = errTrailing
	}
	if err != nil {
		return dst, errorOf(opDecode, nil, len(body)-len(rest), err)
	}
	return out, nil
}

// A convertFunc takes one value from b and appends it as converted.
type convertFunc func(dst, b []byte, in scope) (out, rest []byte, err error)

// scope is what a value is in.
type scope struct {
	depth  int    // structs around it
	record []byte // the fields of the record, as they are stored
}

type converterCompiler struct {
	stored, current *Layout
	structs         map[[2]int]*structConverter // those begun, so that types may recur
	path            []string                    // names of the fields around what is compiled
	onNil           func(path string)           // called for each nil that becomes a value; may be nil
	was, is         places                      // those of the stored layout, and of the current one
}

// fill sets s to convert a struct of the fields from to one of the fields to.
func (c *converterCompiler) fill(s *structConverter, from, to []Field) error {
	s.n, s.steps = len(from), make([]convertStep, len(to))
	for i := range to {
		step := &s.steps[i]
		step.name = to[i].Name
		var err error
		if step.from = findField(from, &to[i]); step.from < 0 {
			step.zero = AppendZero(nil, to[i].Type, c.current)
			if step.convert, err = c.compileMoved(&to[i]); err != nil {
				return at(step.name, err)
			}
			continue
		}
		c.path = append(c.path, step.name)
		step.convert, err = c.compile(&from[step.from].Type, &to[i].Type)
		c.path = c.path[:len(c.path)-1]
		if err != nil {
			return at(step.name, err)
		}
	}
	return nil
}

// findField returns the position of the field that has become f, or -1.
func findField(fields []Field, f *Field) int {
	for i := range fields {
		if fields[i].ID == f.ID && (f.ID != 0 || fields[i].Name == f.Name) {
			return i
		}
	}
	return -1
}

// compile returns how to convert a value, nil where it stays as it is.
func (c *converterCompiler) compile(from, to *Type) (convertFunc, error) {
	if from.WidensTo(to) {
		if from.Kind == Float {
			return convertFloat, nil
		}
		return nil, nil
	}
	if f, ok := c.stored.IsNullable(from, to, c.current); ok {
		elem, err := c.compile(&f.Type, to.Elem)
		return (&nullableConverter{c.stored.nullable(from), orCopy(elem)}).convert, err
	}
	switch {
	case from.BecomesPointer(to):
		return c.compile(from, to.Elem)
	case to.BecomesPointer(from):
		return c.makeValue(from, to)
	}
	if from.Kind != to.Kind || from.Bits != to.Bits || from.Len != to.Len {
		return nil, fmt.Errorf("stored as %v, which cannot be read as %v", *from, *to)
	}
	switch from.Kind {
	case Pointer, Slice, Array, Map:
		return c.makeComposite(from, to)
	case Struct:
		return c.makeStruct(from.Struct, to.Struct)
	}
	return nil, nil
}

func (c *converterCompiler) makeComposite(from, to *Type) (convertFunc, error) {
	elem, err := c.compile(from.Elem, to.Elem)
	if err != nil {
		return nil, err
	}
	key := convertFunc(nil)
	if from.Kind == Map {
		if key, err = c.compile(from.Key, to.Key); err != nil {
			return nil, err
		}
	}
	if elem == nil && key == nil {
		return nil, nil
	}
	v := &compositeConverter{orCopy(key), orCopy(elem)}
	switch from.Kind {
	case Pointer:
		return v.convertPointer, nil
	case Map:
		return v.convertMap, nil
	}
	return v.convertList, nil
}

// makeValue returns how a pointer becomes the value that it points to. Nil
// becomes zero.
func (c *converterCompiler) makeValue(from, to *Type) (convertFunc, error) {
	elem, err := c.compile(from.Elem, to)
	if err != nil {
		return nil, err
	}
	v := &valueConverter{elem: orCopy(elem), zero: AppendZero(nil, *to, c.current)}
	if c.onNil != nil {
		path, onNil := strings.Join(c.path, "."), c.onNil
		v.onNil = func() { onNil(path) }
	}
	return v.convert, nil
}

func (c *converterCompiler) makeStruct(from, to int) (convertFunc, error) {
	if c.same(from, to, map[[2]int]bool{}) {
		return nil, nil
	}
	pair := [2]int{from, to}
	s := c.structs[pair]
	if s != nil {
		return s.convert, nil
	}
	s = &structConverter{}
	c.structs[pair] = s
	return s.convert, c.fill(s, c.stored.Structs[from], c.current.Structs[to])
}

// same reports whether the stored struct from is encoded as the current struct
// to is, given that those seen are.
func (c *converterCompiler) same(from, to int, seen map[[2]int]bool) bool {
	if seen[[2]int{from, to}] {
		return true
	}
	seen[[2]int{from, to}] = true
	a, b := c.stored.Structs[from], c.current.Structs[to]
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if findField(a, &b[i]) != i || !c.sameType(&a[i].Type, &b[i].Type, seen) {
			return false
		}
	}
	return true
}

func (c *converterCompiler) sameType(from, to *Type, seen map[[2]int]bool) bool {
	switch {
	case from == nil || to == nil:
		return from == to
	case from.Kind == Struct && to.Kind == Struct:
		return c.same(from.Struct, to.Struct, seen)
	}
	return from.Kind == to.Kind && from.Bits == to.Bits && from.Len == to.Len &&
		c.sameType(from.Elem, to.Elem, seen) && c.sameType(from.Key, to.Key, seen)
}

func orCopy(f convertFunc) convertFunc {
	if f == nil {
		return convertCopy
	}
	return f
}

func convertCopy(dst, b []byte, _ scope) (out, rest []byte, err error) {
	rest, err = msgpack.Skip(b)
	return append(dst, b[:len(b)-len(rest)]...), rest, err
}

func convertFloat(dst, b []byte, _ scope) (out, rest []byte, err error) {
	v, rest, err := msgpack.ConsumeFloat(b)
	return msgpack.AppendFloat64(dst, v), rest, err
}

// A compositeConverter converts what is inside pointers, lists and maps.
type compositeConverter struct {
	key, elem convertFunc
}

func (c *compositeConverter) convertPointer(dst, b []byte, in scope) (out, rest []byte, err error) {
	if msgpack.IsNil(b) {
		return msgpack.AppendNil(dst), b[1:], nil
	}
	return c.elem(dst, b, in)
}

func (c *compositeConverter) convertList(dst, b []byte, in scope) (out, rest []byte, err error) {
	if msgpack.IsNil(b) {
		return msgpack.AppendNil(dst), b[1:], nil
	}
	n, rest, err := msgpack.ConsumeArrayLen(b)
	if err != nil {
		return dst, b, err
	}
	dst = msgpack.AppendArrayLen(dst, n)
	for i := range n {
		if dst, rest, err = c.elem(dst, rest, in); err != nil {
			return dst, rest, atIndex(i, err)
		}
	}
	return dst, rest, nil
}

func (c *compositeConverter) convertMap(dst, b []byte, in scope) (out, rest []byte, err error) {
	if msgpack.IsNil(b) {
		return msgpack.AppendNil(dst), b[1:], nil
	}
	n, rest, err := msgpack.ConsumeMapLen(b)
	if err != nil {
		return dst, b, err
	}
	dst = msgpack.AppendMapLen(dst, n)
	for range n {
		// Widening keeps the order of the keys: that of their bytes.
		if dst, rest, err = c.key(dst, rest, in); err != nil {
			return dst, rest, err
		}
		if dst, rest, err = c.elem(dst, rest, in); err != nil {
			return dst, rest, err
		}
	}
	return dst, rest, nil
}

// A valueConverter makes values of pointers.
type valueConverter struct {
	elem  convertFunc
	zero  []byte
	onNil func() // may be nil
}

func (c *valueConverter) convert(dst, b []byte, in scope) (out, rest []byte, err error) {
	if !msgpack.IsNil(b) {
		return c.elem(dst, b, in)
	}
	if c.onNil != nil {
		c.onNil()
	}
	return append(dst, c.zero...), b[1:], nil
}

// A structConverter converts structs, nested ones and the record.
type structConverter struct {
	n     int // fields that are stored
	steps []convertStep
}

// A convertStep makes one field.
type convertStep struct {
	from    int         // its position in what is stored of the struct, or -1
	zero    []byte      // its value where it is not stored
	convert convertFunc // nil where it is as stored; of one that is not, nil where it is zero
	name    string
}

func (s *structConverter) convert(dst, b []byte, in scope) (out, rest []byte, err error) {
	if in.depth >= maxDepth {
		return dst, b, errDeep
	}
	in.depth++
	rest, err = consumeCount(b, s.n, "fields")
	if err != nil {
		return dst, b, err
	}
	return s.appendFields(msgpack.AppendArrayLen(dst, len(s.steps)), rest, in)
}

// appendFields takes the fields from b and appends those that they become.
func (s *structConverter) appendFields(dst, b []byte, in scope) (out, rest []byte, err error) {
	var few [32]uint32
	offs, err := SplitFirst(b, s.n, few[:0])
	if err != nil {
		return dst, b, err
	}
	for i := range s.steps {
		step := &s.steps[i]
		if step.from < 0 {
			if dst, err = step.appendNew(dst, in); err != nil {
				return dst, b, at(step.name, err)
			}
			continue
		}
		start, end := offs[step.from], offs[step.from+1]
		if step.convert == nil {
			dst = append(dst, b[start:end]...)
			continue
		}
		if dst, rest, err = step.convert(dst, b[start:end], in); err != nil {
			return dst, b[int(end)-len(rest):], at(step.name, err)
		}
	}
	return dst, b[offs[s.n]:], nil
}
