package schema

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kivisdb/kivis/codec"
)

// IndexState is whether an index may be read.
type IndexState uint8

// The states of an index. Their numbers are on disk, in the catalog.
const (
	Ready    IndexState = iota // read and written
	Building                   // written, but not read
)

// String returns the state as one word.
func (s IndexState) String() string {
	if s == Building {
		return "building"
	}
	return "ready"
}

// An Index is one secondary index of a table.
type Index struct {
	ID     uint32 // its space among the table's keys
	Name   string
	Unique bool
	Parts  []Part
	State  IndexState
	Ref    bool          // made for a reference alone, not declared
	Tuple  codec.KeyType // a Struct of the parts' types
}

// Each reports whether the index has an entry per element of one of its parts.
func (x *Index) Each() bool {
	for i := range x.Parts {
		if x.Parts[i].Each {
			return true
		}
	}
	return false
}

// A modelIndex is an index that a record's struct declares, or that one of its
// references has for itself.
type modelIndex struct {
	name   string
	unique bool
	ref    bool
	parts  []part
	field  string // that declares it, for messages
	tag    string
}

// kind returns how the index is declared.
func (x *modelIndex) kind() string {
	if x.unique {
		return "unique"
	}
	return "index"
}

// indexes finds the declared indexes.
func (c *compiler) indexes() {
	named := make(map[string][]int)
	for i := range c.list {
		f := &c.list[i]
		if !f.tag.is(optIndex | optUnique) {
			continue
		}
		if name := f.tag.index; name != "" {
			named[name] = append(named[name], i)
			if len(named[name]) > 1 {
				continue
			}
		}
		c.fieldIndex(i)
	}
	for i := range c.list {
		if same := named[c.list[i].tag.index]; len(same) > 1 && same[1] == i {
			c.composite(same)
		}
	}
	for _, b := range c.blanks {
		for _, list := range b.lists {
			if list.kind != optRef {
				c.listIndex(list, b.text)
			}
		}
	}
}

// fieldIndex adds the index of one field.
func (c *compiler) fieldIndex(i int) {
	f := &c.list[i]
	x := &modelIndex{name: f.tag.index, unique: f.tag.is(optUnique), field: f.Path, tag: f.tag.text}
	if x.name == "" {
		x.name = f.name
	}
	c.addPart(x, f.Path, f.tag.has&(optDesc|optEach|optFold|optNilEqual))
	c.addIndex(x)
}

// composite reports several fields with one index=NAME, and shows the form for
// what was meant.
func (c *compiler) composite(same []int) {
	parts, names := make([]string, len(same)), make([]string, len(same))
	var has optionSet
	for n, i := range same {
		f := &c.list[i]
		parts[n], names[n] = listed(f.tag.has, f.Path), f.Path
		has |= f.tag.has
	}
	kind := "index"
	if has&optUnique != 0 {
		kind = "unique"
	}
	f := &c.list[same[1]]
	c.fail(f.Path, f.tag.text, fmt.Errorf("%s are tagged with the one index %s; an index of several fields goes on a blank field: %s",
		strings.Join(names, " and "), f.tag.index, onBlank(kind+"="+f.tag.index+"("+strings.Join(parts, ",")+")")))
}

// listIndex adds an index that a blank field lists.
func (c *compiler) listIndex(list listTag, tag string) {
	x := &modelIndex{name: list.name, unique: list.kind == optUnique, field: "_", tag: tag}
	for _, p := range list.parts {
		c.addPart(x, p.path, p.has)
	}
	c.addIndex(x)
}

// addPart adds a field to an index.
func (c *compiler) addPart(x *modelIndex, path string, has optionSet) {
	p, err := c.part(path)
	if err == nil && has&optEach == 0 && p.list == "" {
		err = ordered(p.typ)
	}
	if err == nil && x.unique {
		has |= optUnique
	}
	if err == nil {
		err = c.encode(&p, has)
	}
	if err == nil && has&optNilEqual != 0 {
		err = x.checkNilEqual(&p)
	}
	switch {
	case err != nil && x.field == "_" && !errors.Is(err, errReported):
		err = fmt.Errorf("%s %s: %w", x.kind(), x.name, err)
	case err != nil:
	case slices.ContainsFunc(x.parts, p.sameAs):
		err = fmt.Errorf("%s %s has %s twice", x.kind(), x.name, path)
	case p.Each && slices.ContainsFunc(x.parts, func(q part) bool { return q.Each }):
		err = fmt.Errorf("%s %s has each twice: an index goes through one list", x.kind(), x.name)
	}
	if err != nil {
		c.fail(x.field, x.tag, err)
		return
	}
	x.parts = append(x.parts, p)
}

// checkNilEqual reports a part for which nilequal says nothing.
func (x *modelIndex) checkNilEqual(p *part) error {
	switch {
	case !x.unique:
		return fmt.Errorf("nilequal on %s: only in a unique index does nil differ from other values, so drop it", p.goPath)
	case !p.Key.Ptr:
		return fmt.Errorf("nilequal on %s: a %s is never nil in an index, so drop it", p.goPath, typeName(p.typ))
	}
	return nil
}

// sameField reports whether two parts are of the same field.
func (p Part) sameField(q Part) bool { return p.Column == q.Column && slices.Equal(p.Path, q.Path) }

// addIndex adds an index, unless another has its name.
func (c *compiler) addIndex(x *modelIndex) {
	if y := c.m.index(x.name); y != nil {
		where := y.field
		if where == "_" {
			where = "a blank field"
		}
		c.fail(x.field, x.tag, fmt.Errorf("two indexes are named %s: the other is on %s", x.name, where))
		return
	}
	c.m.indexes = append(c.m.indexes, x)
}

// index returns the index with a name, or nil.
func (m *Model) index(name string) *modelIndex {
	for _, x := range m.indexes {
		if x.name == name {
			return x
		}
	}
	return nil
}
