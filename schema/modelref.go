package schema

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/kivisdb/kivis/reflectx"
)

// A modelRef is a reference that a record's struct declares. Its target is
// known by one of a record type, a table's name, and a key's type.
type modelRef struct {
	parts    []part
	record   reflect.Type // ID[record]
	table    string       // ref=TABLE
	optional bool
	deferred bool
	onDelete Action
	index    *modelIndex
	field    string // that declares it, for messages
	tag      string
}

// refs finds the references, and the indexes that they need.
func (c *compiler) refs() {
	for i := range c.list {
		if f := &c.list[i]; c.has(i)&optRef != 0 {
			c.fieldRef(i, f)
		}
	}
	for _, b := range c.blanks {
		for _, list := range b.lists {
			if list.kind == optRef {
				c.listRef(list, b.text)
			}
		}
	}
	for _, r := range c.m.refs {
		if r.onDelete != NoAction {
			r.index = c.refIndex(r)
		}
	}
}

// fieldRef adds the reference of one field.
func (c *compiler) fieldRef(i int, f *field) {
	p := part{Part: Part{Column: i, Name: f.name}, typ: f.Type, goPath: f.Path, nilable: canBeNil(f.Type)}
	r := &modelRef{parts: []part{p}, table: f.tag.target, optional: f.tag.is(optOptional), deferred: f.tag.is(optDeferred), onDelete: f.tag.onDelete, field: f.Path, tag: f.tag.text}
	if r.table == "" {
		r.record = recordOf(p.target())
	}
	c.addRef(r)
}

// listRef adds a reference that a blank field lists.
func (c *compiler) listRef(list listTag, tag string) {
	r := &modelRef{table: list.name, optional: list.has&optOptional != 0, deferred: list.has&optDeferred != 0, onDelete: list.onDelete, field: "_", tag: tag}
	for _, pt := range list.parts {
		p, err := c.part(pt.path)
		if err == nil && slices.ContainsFunc(r.parts, p.sameAs) {
			err = fmt.Errorf("ref=%s has %s twice", r.table, pt.path)
		}
		if err != nil {
			c.fail("_", tag, err)
			return
		}
		r.parts = append(r.parts, p)
	}
	c.addRef(r)
}

// target returns the type of what the part refers by: the field's, or what it
// points to.
func (p *part) target() reflect.Type {
	if t, ok := reflectx.Pointed(p.typ); ok {
		return t
	}
	return p.typ
}

// holds reports whether the part refers by a t: it is one, or points to one.
func (p *part) holds(t reflect.Type) bool { return p.typ == t || p.target() == t }

// addRef adds a reference, if it can be one.
func (c *compiler) addRef(r *modelRef) {
	for i := range r.parts {
		p := &r.parts[i]
		if p.list != "" {
			c.fail(r.field, r.tag, fmt.Errorf("%s, and a reference is one key: give each a record of its own", p.list))
			return
		}
		if _, err := elementOf(p.typ); err == nil {
			c.fail(r.field, r.tag, fmt.Errorf("%s is of type %v, and a reference is one key: give each a record of its own", p.goPath, typeName(p.typ)))
			return
		}
		if err := c.encode(p, 0); err != nil {
			c.fail(r.field, r.tag, err)
			return
		}
	}
	for _, q := range c.m.refs {
		if slices.EqualFunc(q.parts, r.parts, part.sameAs) {
			c.fail(r.field, r.tag, fmt.Errorf("%s is a reference already", r.names()))
			return
		}
	}
	if r.onDelete == SetNull {
		c.fail(r.field, r.tag, c.checkSetNull(r))
	}
	c.m.refs = append(c.m.refs, r)
}

// names returns the stored names of the fields that refer, joined by commas.
func (r *modelRef) names() string {
	names := make([]string, len(r.parts))
	for i, p := range r.parts {
		names[i] = p.Name
	}
	return strings.Join(names, ",")
}

// checkSetNull reports a reference whose fields cannot be set to nothing.
func (c *compiler) checkSetNull(r *modelRef) error {
	inKey := func(p Part) bool {
		return slices.ContainsFunc(c.m.key.parts, func(q part) bool { return q.sameField(p) })
	}
	parts, pointer := make([]Part, len(r.parts)), make([]bool, len(r.parts))
	for i, p := range r.parts {
		parts[i], pointer[i] = p.Part, canBeNil(p.typ)
	}
	if !r.optional && !slices.Contains(pointer, true) {
		return errors.New("ondelete=setnull needs a reference that can be nothing: add optional, or make the field a pointer")
	}
	if c.m.key.kind == KeyContent {
		return fmt.Errorf("ondelete=setnull would change the record's primary key, which is the digest of all other fields: use %s", restOf(SetNull))
	}
	nulls := nullParts(parts, pointer, inKey)
	if len(nulls) == 0 || slices.ContainsFunc(nulls, func(i int) bool { return inKey(parts[i]) }) {
		return errors.New("ondelete=setnull would change the record's primary key")
	}
	if slices.ContainsFunc(nulls, func(i int) bool { return len(parts[i].Path) > 0 }) {
		return errors.New("ondelete=setnull is for fields of the record itself, not of nested structs")
	}
	return nil
}

// restOf lists the actions other than one.
func restOf(a Action) string {
	return orList(slices.DeleteFunc(slices.Clone(actionNames), func(name string) bool { return name == a.String() }))
}

// refIndex returns the index that finds the records which refer to a key: a
// declared one of the same fields, or one of the reference's own.
func (c *compiler) refIndex(r *modelRef) *modelIndex {
	for _, x := range c.m.indexes {
		if slices.EqualFunc(x.parts, r.parts, servesRef) {
			return x
		}
	}
	x := &modelIndex{name: strings.NewReplacer(",", "_", ".", "_").Replace(r.names()), ref: true, parts: r.parts, field: r.field, tag: r.tag}
	for c.m.index(x.name) != nil {
		x.name += "_ref"
	}
	c.m.indexes = append(c.m.indexes, x)
	return x
}

// servesRef reports whether entries by p are found by the value of q.
func servesRef(p, q part) bool { return p.sameAs(q) && !p.Each && !p.Key.Fold }
