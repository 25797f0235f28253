package schema

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/reflectx"
)

// A field is one stored field of a struct type.
type field struct {
	*reflectx.Field
	name string // the stored name
	tag  fieldTag
}

// fields is what is stored of a struct type, and what its tags say. It is
// shared and must not be changed.
type fields struct {
	typ    reflect.Type
	list   []field
	embeds []reflectx.Embed
	tags   []fieldTag // of the embeds
	blanks []blankTag
	faults []*Error
}

var fieldsCache sync.Map // reflect.Type -> *fields

// fieldsOf returns what is stored of the struct type t. Its faults are those
// of t by itself, whether it is a record or nested in one.
func fieldsOf(t reflect.Type) *fields {
	if f, ok := fieldsCache.Load(t); ok {
		return f.(*fields)
	}
	f, _ := fieldsCache.LoadOrStore(t, makeFields(t))
	return f.(*fields)
}

func makeFields(t reflect.Type) *fields {
	fs := &fields{typ: t}
	walked, err := reflectx.Walk(t)
	if err != nil {
		fs.walkFaults(err)
	}
	if walked == nil {
		return fs
	}
	for i := range walked.Fields {
		fs.add(&walked.Fields[i])
	}
	for _, e := range walked.Embeds {
		fs.embed(e)
	}
	for _, b := range walked.Blanks {
		fs.blank(b)
	}
	fs.checkNames()
	return fs
}

func (fs *fields) fail(field, tag string, errs ...error) {
	for _, err := range errs {
		fs.faults = append(fs.faults, &Error{Type: fs.typ, Field: field, Tag: tag, Err: err})
	}
}

// walkFaults adds the faults that walking the struct found.
func (fs *fields) walkFaults(err error) {
	for _, err := range split(err) {
		if we := (*reflectx.Error)(nil); errors.As(err, &we) {
			fs.fail(we.Path, "", we.Err)
			continue
		}
		fs.fail("", "", err)
	}
}

// add adds a field, unless it is not stored.
func (fs *fields) add(f *reflectx.Field) {
	if f.Ignored() {
		return
	}
	if !f.Exported {
		if f.Tagged {
			fs.fail(f.Path, f.Tag, errors.New("an unexported field is not stored: export it, or drop its tag"))
		}
		return
	}
	tag, errs := parseFieldTag(f.Tag)
	fs.fail(f.Path, f.Tag, errs...)
	if tag.is(optSkip) {
		return
	}
	name := f.Name
	if tag.name != "" {
		name = tag.name
	}
	fs.list = append(fs.list, field{Field: f, name: name, tag: tag})
}

// embed adds an embedded struct. Its tag may say that it is the key.
func (fs *fields) embed(e reflectx.Embed) {
	tag, errs := parseFieldTag(e.Tag)
	if extra := optionNames(tag.has &^ optKey); len(errs) == 0 && len(extra) > 0 {
		errs = append(errs, fmt.Errorf("%s on an embedded struct: tag its fields instead, or make it a field with a name", strings.Join(extra, " and ")))
	}
	fs.fail(e.Path, e.Tag, errs...)
	fs.embeds, fs.tags = append(fs.embeds, e), append(fs.tags, tag)
}

// blank adds what a blank field says. The name of a table is that of its own
// struct alone.
func (fs *fields) blank(b reflectx.Blank) {
	tag, errs := parseBlankTag(b.Tag)
	fs.fail(b.Path, b.Tag, errs...)
	if len(b.Embedded) > 0 {
		tag.table, tag.was = "", nil
	}
	fs.blanks = append(fs.blanks, tag)
}

// checkNames reports stored names that two fields have, and old names that
// are in use.
func (fs *fields) checkNames() {
	names, olds := make(map[string]field), make(map[string]*field)
	fs.list = slices.DeleteFunc(fs.list, func(f field) bool {
		g, taken := names[f.name]
		if taken && f.Name != g.Name { // or else walking has reported it
			fs.fail(f.Path, f.Tag, fmt.Errorf("%s has the stored name %q too: give one another with name=NAME", g.Path, f.name))
		}
		names[f.name] = f
		return taken
	})
	for i := range fs.list {
		f := &fs.list[i]
		for _, old := range f.tag.was {
			if g, there := names[old]; there {
				fs.fail(f.Path, f.Tag, fmt.Errorf("was=%s names the field %s, which is still there", old, g.Path))
			}
			if g := olds[old]; g != nil {
				fs.fail(f.Path, f.Tag, fmt.Errorf("%s was %s too: one field can have become one other", g.Path, old))
			}
			olds[old] = f
		}
	}
}

// StoredFields returns the fields that are stored of a struct type, those of
// embedded structs among them, as the tags name=, was= and - say. It is the
// [codec.FieldsOf] of records and of what they hold.
func StoredFields(t reflect.Type) ([]codec.StructField, error) {
	if fs := fieldsOf(t); len(fs.faults) > 0 {
		return nil, joinFaults(fs.faults)
	}
	return looseFields(t)
}

// looseFields is StoredFields for a compiler that has reported all faults, and
// goes on to find others.
func looseFields(t reflect.Type) ([]codec.StructField, error) {
	fs := fieldsOf(t)
	out := make([]codec.StructField, len(fs.list))
	for i, f := range fs.list {
		out[i] = codec.StructField{Name: f.name, Was: f.tag.was, New: f.tag.is(optNew), Offset: f.Offset, Type: f.Type}
	}
	return out, nil
}
