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

// A Model is the Go side of a table, compiled from a record struct. It is
// immutable, and refers to other tables by name and type only.
type Model struct {
	Type reflect.Type // the record struct
	Name string       // of its table

	named    bool     // the name is given by a tag
	formerly string   // the name that earlier releases gave the table; see [Model.in]
	was      []string // names that the table had before, by its tag
	removed  []string // paths of stored names that are gone on purpose

	fields  *fields
	layout  *codec.Layout // without ids
	key     modelKey
	indexes []*modelIndex
	refs    []*modelRef

	validates bool // the record has a method Validate

	migrations []Migration // those that may lead to Type
	rewrite    bool        // all records are to be brought to the newest version
}

// compiled is a Model, or what is wrong with its type.
type compiled struct {
	model  *Model
	faults []*Error
}

var models sync.Map // reflect.Type -> compiled

// lookupModel compiles a struct type once.
func lookupModel(t reflect.Type) compiled {
	if m, ok := models.Load(t); ok {
		return m.(compiled)
	}
	m, _ := models.LoadOrStore(t, makeModel(t))
	return m.(compiled)
}

// makeModel compiles a struct type, as far as it can without any other.
func makeModel(t reflect.Type) compiled {
	c := &compiler{fields: fieldsOf(t), m: &Model{Type: t}}
	c.m.fields = c.fields
	c.report(c.fields, "")
	c.tableName()
	c.implied()
	c.nested()
	c.methods()
	c.describe()
	c.removed()
	c.key()
	c.indexes()
	c.refs()
	return compiled{c.m, c.faults}
}

// A compiler compiles one record type. Its steps report what is wrong, and go
// on, so that a user can mend all of it in one go.
type compiler struct {
	*fields
	m      *Model
	adds   []optionSet  // to each field's options, by its type or an embedded struct around it
	method reflect.Type // what the record's PrimaryKey returns, or nil
	faults []*Error

	unstorable map[string]bool // fields whose type cannot be stored, by stored name
}

func (c *compiler) fail(field, tag string, errs ...error) {
	for _, err := range errs {
		if err != nil && !errors.Is(err, errReported) {
			c.faults = append(c.faults, &Error{Type: c.m.Type, Field: field, Tag: tag, Err: err})
		}
	}
}

// report reports the faults of a struct type that is at a path in the record.
func (c *compiler) report(fs *fields, path string) {
	for _, f := range fs.faults {
		c.fail(joinPath(path, f.Field), f.Tag, f.Err)
	}
}

func joinPath(path, name string) string {
	if path == "" || name == "" {
		return path + name
	}
	return path + "." + name
}

// encode decides how a part is encoded, unless its field cannot be stored,
// which has been reported.
func (c *compiler) encode(p *part, has optionSet) error {
	if c.unstorable[c.list[p.Column].name] {
		return errReported
	}
	return p.encode(has)
}

// has returns the options of a field, implied ones among them.
func (c *compiler) has(i int) optionSet { return c.list[i].tag.has | c.adds[i] }

// tableName finds the name of the table: what a blank field says, or the Go
// type's.
func (c *compiler) tableName() {
	var named *blankTag
	for i := range c.blanks {
		b := &c.blanks[i]
		switch {
		case b.table == "":
		case named != nil:
			c.fail("_", b.text, fmt.Errorf("the table is named %s already", named.table))
		default:
			named, c.m.Name = b, b.table
		}
	}
	defer c.formerTables()
	if c.m.named = named != nil; c.m.named {
		return
	}
	c.m.Name = defaultName(c.typ)
	if former := formerName(c.typ); former != c.m.Name {
		c.m.formerly = former
	}
	if c.m.Name == "" {
		c.fail("", "", fmt.Errorf("a struct type without a name needs one for its table: %s", onBlank("table=NAME")))
	}
}

// formerTables takes the names that the table had before.
func (c *compiler) formerTables() {
	for _, b := range c.blanks {
		if slices.Contains(b.was, c.m.Name) {
			c.fail("_", b.text, fmt.Errorf("was=%s names the table as it is named now", c.m.Name))
		}
		c.m.was = append(c.m.was, b.was...)
	}
}

// removed takes the fields that blank fields say are gone.
func (c *compiler) removed() {
	for _, b := range c.blanks {
		for _, path := range b.removed {
			if c.m.layout != nil && hasPath(c.m.layout, path) {
				c.fail("_", b.text, fmt.Errorf("removed=%s names a field that is still there: drop one of the two", path))
			}
			c.m.removed = append(c.m.removed, path)
		}
	}
}

// implied finds the options that are not written: those of fields in an
// embedded key struct, and those that ids have.
func (c *compiler) implied() {
	c.adds = make([]optionSet, len(c.list))
	for i := range c.list {
		f := &c.list[i]
		for j, e := range c.embeds {
			if c.tags[j].is(optKey) && strings.HasPrefix(f.Path, e.Path+".") {
				c.adds[i] |= optKey
				if f.tag.is(optKey) {
					c.fail(f.Path, f.tag.text, fmt.Errorf("repeated key: all fields of %s are in the key already", e.Path))
				}
			}
		}
		if err := c.impliedByID(i); err != nil {
			c.fail(f.Path, f.tag.text, err)
			continue
		}
		c.fail(f.Path, f.tag.text, checkTag(&f.tag, c.adds[i])...)
	}
}

// impliedByID adds what a field says by being an id: it is the record's key,
// or a reference.
func (c *compiler) impliedByID(i int) error {
	f := &c.list[i]
	t, pointer := reflectx.Pointed(f.Type)
	if !pointer {
		t = f.Type
	}
	record := recordOf(t)
	switch {
	case record == nil:
	case record == c.typ && !pointer && f.Name == "ID":
		c.adds[i] |= optKey | optAuto
	case record == c.typ && f.tag.is(optKey):
	case record != c.typ && len(f.Embedded) > 0 && isAuto(f.Embedded[len(f.Embedded)-1].Type):
		e := f.Embedded[len(f.Embedded)-1]
		auto := typeName(e.Type)
		c.fail(e.Path, e.Tag, fmt.Errorf("%s is the key of another record: embed %s", auto,
			strings.Replace(auto, "["+typeName(record)+"]", "["+typeName(c.typ)+"]", 1)))
		return errReported
	default:
		c.adds[i] |= optRef
	}
	return nil
}

// describe finds how the record is stored, and which of its fields cannot be.
func (c *compiler) describe() {
	layout, err := codec.Describe(c.typ, looseFields)
	if err == nil {
		c.m.layout = layout
		return
	}
	c.unstorable = make(map[string]bool)
	for _, err := range split(err) {
		path := ""
		if ce := (*codec.Error)(nil); errors.As(err, &ce) {
			path, err = ce.Path, ce.Err
		}
		c.fail(path, "", err)
		name, _, _ := strings.Cut(path, ".")
		c.unstorable[name] = true
	}
}
