package codec

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kivisdb/kivis/internal/msgpack"
)

// A FieldPath leads to one field of a record: a column, or a field of structs
// nested in it, through pointers too. It belongs to the layout that made it,
// never changes, and may be used by many goroutines.
type FieldPath struct {
	Name   string // stored names, with dots between them
	Column int    // the position of the column
	Inner  []int  // positions below it, as for [Select]; nil for the column itself
	Type   *Type  // of the field

	layout *Layout
	names  []string
}

// Path returns the path that a name such as "Address.City" means in l. The error
// for a name that l does not have says which names there are.
func (l *Layout) Path(name string) (*FieldPath, error) {
	p := &FieldPath{Name: name, Column: -1, layout: l, names: strings.Split(name, ".")}
	fields := l.Fields
	for n, step := range p.names {
		if n > 0 {
			s := p.Type
			if s.Kind == Pointer {
				s = s.Elem
			}
			if s.Kind != Struct {
				return nil, fmt.Errorf("codec: %s is %s, which has no fields", strings.Join(p.names[:n], "."), p.Type)
			}
			fields = l.Structs[s.Struct]
		}
		i := slices.IndexFunc(fields, func(f Field) bool { return f.Name == step })
		if i < 0 {
			err := unknownField(step, fields)
			if n > 0 {
				err = at(strings.Join(p.names[:n], "."), err)
			}
			return nil, fmt.Errorf("codec: %w", err)
		}
		if p.Type = &fields[i].Type; n == 0 {
			p.Column = i
		} else {
			p.Inner = append(p.Inner, i)
		}
	}
	return p, nil
}

// TypeAt returns the type of the field that is at the positions inner, as for
// [Select], below a column, or of the column itself where there are none.
func (l *Layout) TypeAt(column int, inner []int) *Type {
	t := &l.Fields[column].Type
	for _, i := range inner {
		if t.Kind == Pointer {
			t = t.Elem
		}
		if i == Element {
			t = t.Elem
			continue
		}
		t = &l.Structs[t.Struct][i].Type
	}
	return t
}

// Encoded returns the encoded value of the field in the body whose columns start
// at offs. It is part of body, or an encoded nil where a pointer on the way is
// nil. Nothing else of the body is decoded. An error matches [ErrCorrupt].
func (p *FieldPath) Encoded(body []byte, offs []uint32) ([]byte, error) {
	value := body[offs[p.Column]:offs[p.Column+1]]
	if len(p.Inner) == 0 {
		return value, nil
	}
	value, err := Select(value, p.Inner)
	if err != nil {
		return nil, errorOf(opDecode, nil, int(offs[p.Column]), at(p.Name, err))
	}
	return value, nil
}

// Get returns the value of the field, as [Layout.Value] has it; nil where a
// pointer on the way is nil.
func (p *FieldPath) Get(body []byte, offs []uint32) (any, error) {
	value, err := p.Encoded(body, offs)
	if err != nil || len(p.Inner) > 0 && msgpack.IsNil(value) {
		return nil, err
	}
	v, rest, err := (valueDecoder{p.layout}).value(value, p.Type, 0)
	if err == nil && len(rest) > 0 {
		err = errAfterValue
	}
	if err != nil {
		return nil, errorOf(opDecode, nil, int(offs[p.Column]), at(p.Name, err))
	}
	return v, nil
}

// AppendColumn appends what column, the encoded value of the path's column, is
// with v in the field, where v is as for [Layout.AppendValue]. A pointer on the
// way that is nil is an error: it is to be set first. On an error dst is
// returned as it was.
func (p *FieldPath) AppendColumn(dst, column []byte, v any) ([]byte, error) {
	from, to, err := p.locate(column)
	if err != nil {
		return dst, err
	}
	out := append(dst, column[:from]...)
	out, err = (valueEncoder{p.layout}).append(out, p.Type, v, 0)
	if err != nil {
		return dst, errorOf(opEncode, nil, 0, at(p.Name, err))
	}
	return append(out, column[to:]...), nil
}

// Set appends what body, whose columns start at offs, is with v in the field,
// and returns the offsets of the new body, in memory of their own. Errors are as
// for [FieldPath.AppendColumn].
func (p *FieldPath) Set(dst, body []byte, offs []uint32, v any) ([]byte, []uint32, error) {
	from, to := offs[p.Column], offs[p.Column+1]
	start := len(dst) + int(from)
	out, err := p.AppendColumn(append(dst, body[:from]...), body[from:to], v)
	if err != nil {
		return dst, nil, err
	}
	grown := uint32(len(out)-start) - (to - from)
	offs = slices.Clone(offs)
	for i := p.Column + 1; i < len(offs); i++ {
		offs[i] += grown
	}
	return append(out, body[to:]...), offs, nil
}

// locate returns where in column the field starts and ends.
func (p *FieldPath) locate(column []byte) (from, to int, err error) {
	rest := column
	for n, i := range p.Inner {
		if msgpack.IsNil(rest) {
			name := strings.Join(p.names[:n+1], ".")
			return 0, 0, errorOf(opEncode, nil, 0, at(p.Name, fmt.Errorf("%s is nil; set it to a struct first", name)))
		}
		if rest, err = enter(rest, i); err != nil {
			return 0, 0, errorOf(opDecode, nil, 0, at(p.Name, err))
		}
	}
	after, err := msgpack.Skip(rest)
	if err != nil {
		return 0, 0, errorOf(opDecode, nil, 0, at(p.Name, err))
	}
	return len(column) - len(rest), len(column) - len(after), nil
}
