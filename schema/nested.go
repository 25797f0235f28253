package schema

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/kivisdb/kivis/reflectx"
)

// nested checks the struct types that the record holds in its fields.
func (c *compiler) nested() {
	seen := map[reflect.Type]bool{c.typ: true}
	for i := range c.list {
		f := &c.list[i]
		if c.has(i)&optRef != 0 && isNested(f.Type) {
			c.report(fieldsOf(f.Type), f.Path) // its tags speak of the target, whose key struct it is
			continue
		}
		c.checkNested(f.Type, f.Path, direct, seen)
	}
}

// A reach is how a path leads from a record to a struct in it.
type reach uint8

const (
	direct    reach = iota // through structs
	oneOfEach              // through the elements of one list
	nowhere                // no path does
)

// elements returns how a path leads to the elements of a list that is itself
// reached so.
func (r reach) elements() reach { return min(r+1, nowhere) }

// checkNested checks the struct types that a t, reached by a path, holds.
func (c *compiler) checkNested(t reflect.Type, path string, by reach, seen map[reflect.Type]bool) {
	if seen[t] {
		return
	}
	seen[t] = t.Name() != "" // such as type list []list, which the codec refuses
	if to, ok := reflectx.Pointed(t); ok {
		c.checkNested(to, path, by, seen)
		return
	}
	switch t.Kind() {
	case reflect.Map:
		c.checkNested(t.Key(), path, nowhere, seen)
		c.checkNested(t.Elem(), path, by.elements(), seen)
		return
	case reflect.Slice:
		c.checkNested(t.Elem(), path, by.elements(), seen)
		return
	case reflect.Array:
		c.checkNested(t.Elem(), path, nowhere, seen)
		return
	}
	if !isNested(t) {
		return
	}
	seen[t] = true
	fs := fieldsOf(t)
	c.report(fs, path)
	if !fs.isRecord() {
		c.checkNestedTags(fs, path, by)
	}
	for i := range fs.list {
		f := &fs.list[i]
		c.checkNested(f.Type, joinPath(path, f.Path), by, seen)
	}
}

// isRecord reports whether a struct has a key, and so may be a record in its
// own right, wherever else it is used.
func (fs *fields) isRecord() bool {
	if _, ok := reflect.PointerTo(fs.typ).MethodByName("PrimaryKey"); ok {
		return true
	}
	for i := range fs.list {
		if f := &fs.list[i]; f.tag.is(optKey) || f.Name == "ID" && recordOf(f.Type) == fs.typ {
			return true
		}
	}
	for i := range fs.tags {
		if fs.tags[i].is(optKey) {
			return true
		}
	}
	return false
}

// checkNestedTags reports the tags that say nothing on the fields of a nested
// struct, and what to write instead.
func (c *compiler) checkNestedTags(fs *fields, path string, by reach) {
	for i := range fs.list {
		f := &fs.list[i]
		if extra := f.tag.has &^ (optName | optWas | optNew); extra != 0 {
			at := joinPath(path, f.Path)
			c.fail(at, f.tag.text, fmt.Errorf("%s on a field of a nested struct: %s",
				strings.Join(optionNames(extra), " and "), c.mendNested(&f.tag, at, by)))
		}
	}
	for _, b := range fs.blanks {
		c.fail(joinPath(path, "_"), b.text, errors.New("a blank field speaks of the record that has it, not of a nested struct"))
	}
}

// mendNested returns what to write instead of a tag on the field at a path.
func (c *compiler) mendNested(tag *fieldTag, at string, by reach) string {
	list, has := "", tag.has
	if by == oneOfEach && tag.is(optIndex|optUnique) {
		has |= optEach
	}
	switch {
	case by == nowhere || by == oneOfEach && has&optEach == 0:
		return "an index reaches no fields of such elements, so drop it"
	case by == oneOfEach && tag.is(optEach):
		return "an index goes through one list, so drop it"
	case tag.is(optUnique):
		list = "unique="
	case tag.is(optIndex):
		list = "index="
	case tag.is(optRef):
		table := tag.target
		if table == "" {
			table = "TABLE"
		}
		return "in " + typeName(c.typ) + " write " + onBlank("ref="+table+"("+at+")")
	default:
		return "put it on a field of " + typeName(c.typ)
	}
	name := tag.index
	if name == "" {
		name = "NAME"
	}
	part := listed(has, at)
	return "in " + typeName(c.typ) + " write " + onBlank(list+name+"("+part+")")
}

// listed returns a field as a list of an index names it.
func listed(has optionSet, path string) string {
	if has&optDesc != 0 {
		path = "-" + path
	}
	if has&optEach != 0 {
		path += ":each"
	}
	if has&optFold != 0 {
		path += ":fold"
	}
	if has&optNilEqual != 0 {
		path += ":nilequal"
	}
	return path
}
