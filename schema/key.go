package schema

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/reflectx"
)

// KeyKind is how a table's records get their primary keys.
type KeyKind uint8

// The kinds of keys. Their numbers are on disk, in the catalog.
const (
	KeyPlain   KeyKind = iota // from fields that the caller sets
	KeyAuto                   // the last part is drawn from the table's sequence
	KeyUUID                   // the last part is a UUID of version 7 where it is zero
	KeyContent                // the SHA-256 of the other stored fields
	KeyCustom                 // computed by the method PrimaryKey alone
)

var keyKindNames = []string{"plain", "auto", "uuid", "content", "custom"}

// String returns the kind as one word.
func (k KeyKind) String() string {
	if int(k) < len(keyKindNames) {
		return keyKindNames[k]
	}
	return "unknown"
}

// A Key is the primary key of a table.
type Key struct {
	Kind       KeyKind
	Parts      []Part        // in order; of KeyCustom they have no column
	GoType     reflect.Type  // the type of the one key field, of the embedded key struct, or of what PrimaryKey returns; nil for several fields
	Tuple      codec.KeyType // a Struct of the parts' types
	AutoColumn int           // the column that is generated, or -1
	Method     bool          // the record has a method PrimaryKey
}

// modelKey is the primary key of a record, as its struct says.
type modelKey struct {
	kind   KeyKind
	parts  []part       // of KeyCustom with the types of what the method returns
	goType reflect.Type // as Key.GoType
	method bool
}

// single reports whether a key of type goType is the one part itself, and not
// a struct of the parts.
func (k *modelKey) single() bool { return len(k.parts) == 1 && k.goType == k.parts[0].typ }

// key finds the record's primary key.
func (c *compiler) key() {
	for i := range c.list {
		if c.has(i)&optKey != 0 {
			c.keyField(i)
		}
	}
	k := &c.m.key
	k.method = c.method != nil
	switch {
	case len(k.parts) > 0:
		k.goType = c.keyStruct()
		c.checkGenerated()
		c.checkMethod()
	case c.method != nil:
		c.customKey()
	case len(c.faults) == 0:
		c.fail("", "", fmt.Errorf("no primary key: embed kivis.Auto[%v], tag a field `kivis:\"key\"`, or give it a method PrimaryKey() K",
			typeName(c.typ)))
	}
}

// keyField adds a field to the key.
func (c *compiler) keyField(i int) {
	f := &c.list[i]
	p := part{Part: Part{Column: i, Name: f.name}, typ: f.Type, goPath: f.Path, nilable: canBeNil(f.Type)}
	err := c.encode(&p, c.has(i)&optDesc)
	if err == nil && !f.Type.Comparable() {
		err = fmt.Errorf("%v cannot be a key, as Go does not compare it with ==: use a string or an array", typeName(f.Type))
	}
	if err == nil {
		err = c.keyKind(i)
	}
	c.fail(f.Path, f.tag.text, err)
	c.m.key.parts = append(c.m.key.parts, p)
}

// keyKind notes whether a key field is generated.
func (c *compiler) keyKind(i int) error {
	t, kind := c.list[i].Type, KeyPlain
	switch has := c.has(i); {
	case has&optAuto != 0 && has&optContent != 0:
		return nil // reported with the tag
	case has&optAuto != 0 && isSequence(t):
		kind = KeyAuto
	case has&optAuto != 0 && isByteArray(t, 16):
		kind = KeyUUID
	case has&optAuto != 0:
		return fmt.Errorf("auto on %v: it is for integers, and for arrays of 16 bytes such as uuid.UUID", typeName(t))
	case has&optContent != 0 && isByteArray(t, 32):
		kind = KeyContent
	case has&optContent != 0:
		return fmt.Errorf("content on %v: it is for [32]byte", typeName(t))
	default:
		return nil
	}
	if c.m.key.kind != KeyPlain {
		return errors.New("one key has one generated part")
	}
	c.m.key.kind = kind
	return nil
}

// isSequence reports whether a t can be drawn from a sequence.
func isSequence(t reflect.Type) bool {
	return t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64 && t != durationType &&
		reflectx.MarshalOf(t) != reflectx.MarshalMsgpack
}

var durationType = reflect.TypeFor[time.Duration]()

func isByteArray(t reflect.Type, n int) bool {
	return t.Kind() == reflect.Array && t.Elem().Kind() == reflect.Uint8 && t.Len() == n
}

// keyStruct returns the type that holds the key and nothing else: that of the
// one key field, or of the embedded struct that is the key; else nil.
func (c *compiler) keyStruct() reflect.Type {
	parts := c.m.key.parts
	for j, e := range c.embeds {
		within := func(p part) bool { return strings.HasPrefix(p.goPath, e.Path+".") }
		if c.tags[j].is(optKey) && !slices.ContainsFunc(parts, func(p part) bool { return !within(p) }) {
			return e.Type
		}
	}
	if len(parts) == 1 {
		return parts[0].typ
	}
	return nil
}

// checkGenerated reports a generated part that may not be where it is.
func (c *compiler) checkGenerated() {
	parts := c.m.key.parts
	for i, p := range parts {
		f := &c.list[p.Column]
		switch has := c.has(p.Column); {
		case has&optContent != 0 && len(parts) > 1:
			c.fail(f.Path, f.tag.text, errors.New("a content address is the whole key: tag no other field key"))
		case has&optAuto != 0 && i < len(parts)-1:
			c.fail(f.Path, f.tag.text, fmt.Errorf("a generated part is the last of a key: move it behind %s", parts[len(parts)-1].goPath))
		}
	}
}

// checkMethod reports a PrimaryKey method that returns another type than the
// key fields have.
func (c *compiler) checkMethod() {
	k := &c.m.key
	switch {
	case c.method == nil || c.method == k.goType:
	case !k.single() && slices.Equal(fieldTypes(c.method), k.types()):
		k.goType = c.method
	case k.goType != nil:
		c.fail("PrimaryKey", "", fmt.Errorf("the method returns %v, but the key is %s, of type %v: make them agree, or drop one",
			typeName(c.method), k.names(), typeName(k.goType)))
	case slices.ContainsFunc(c.embeds, func(e reflectx.Embed) bool { return isAuto(e.Type) }):
		c.fail("PrimaryKey", "", fmt.Errorf("kivis.Auto is a whole key, but the key fields are %s: replace it by a field ID of type %v",
			k.names(), typeName(k.parts[len(k.parts)-1].typ)))
	default:
		c.fail("PrimaryKey", "", fmt.Errorf("the method returns %v, but the key fields are %s: return %s, or drop one",
			typeName(c.method), k.names(), k.structText()))
	}
}

// customKey takes the key from what the method PrimaryKey returns.
func (c *compiler) customKey() {
	k := &c.m.key
	k.kind, k.goType = KeyCustom, c.method
	typ, err := codec.KeyTypeOf(c.method, looseFields)
	switch {
	case err != nil:
		c.fail("PrimaryKey", "", fmt.Errorf("the method returns what cannot be a key: %w", err))
		return
	case !c.method.Comparable():
		c.fail("PrimaryKey", "", fmt.Errorf("%v cannot be a key, as Go does not compare it with ==: use a string or an array", typeName(c.method)))
		return
	}
	if typ.Kind != codec.Struct || typ.Ptr {
		k.parts = []part{{Part: Part{Column: -1, Name: "PrimaryKey", Key: typ}, typ: c.method}}
		return
	}
	for i, f := range fieldsOf(c.method).list {
		k.parts = append(k.parts, part{Part: Part{Column: -1, Name: f.name, Key: typ.Parts[i]}, typ: f.Type, goPath: f.Path})
	}
}

// types returns the Go types of the key's parts.
func (k *modelKey) types() []reflect.Type {
	types := make([]reflect.Type, len(k.parts))
	for i, p := range k.parts {
		types[i] = p.typ
	}
	return types
}

// names lists the stored names of the key's parts.
func (k *modelKey) names() string {
	names := make([]string, len(k.parts))
	for i, p := range k.parts {
		names[i] = p.Name
	}
	return strings.Join(names, ", ")
}

// structText returns a struct that the key fits in, as it is to be written.
func (k *modelKey) structText() string {
	fields := make([]string, len(k.parts))
	for i, p := range k.parts {
		fields[i] = p.goName() + " " + typeName(p.typ)
	}
	return "struct{ " + strings.Join(fields, "; ") + " }"
}

// goName returns the name of the part's field.
func (p *part) goName() string { return p.goPath[strings.LastIndexByte(p.goPath, '.')+1:] }

// fieldTypes returns the types of the fields of a struct that is a tuple, or
// nil for any other type.
func fieldTypes(t reflect.Type) []reflect.Type {
	if !isNested(t) {
		return nil
	}
	var types []reflect.Type
	for _, f := range fieldsOf(t).list {
		types = append(types, f.Type)
	}
	return types
}
