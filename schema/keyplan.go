package schema

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/reflectx"
)

// A keyPart encodes one key field of a record.
type keyPart struct {
	name   string
	offset uintptr
	plan   *codec.KeyPlan
}

// A keyPlan is the plan for one key type, or why it is not one.
type keyPlan struct {
	plan *codec.KeyPlan
	err  error
}

// bindKeyFields prepares [Table.AppendKey].
func (t *Table) bindKeyFields() error {
	for i := range t.Key.Parts {
		p := &t.Key.Parts[i]
		c := &t.Columns[p.Column]
		if c.GoType == nil {
			return fmt.Errorf("the struct lacks the key field %s", c.Name)
		}
		plan, err := codec.CompileKey(c.GoType, StoredFields, p.Key)
		if err != nil {
			return fmt.Errorf("%s: %w", c.Name, err)
		}
		t.keyParts = append(t.keyParts, keyPart{c.Name, c.Offset, plan.RefuseNaN()})
	}
	return nil
}

// bindMethod prepares [Table.AppendCustomKey].
func (t *Table) bindMethod() error {
	m, ok := reflect.PointerTo(t.Type).MethodByName("PrimaryKey")
	if !ok {
		return errors.New("the method PrimaryKey is missing")
	}
	t.method = m.Index
	_, err := t.KeyPlan(t.Key.GoType)
	return err
}

// AppendKey appends the key tuple of the record at rec, whose key is in its
// fields. NaN, and a time out of range, are errors; then the result is dst as
// it was.
func (t *Table) AppendKey(dst []byte, rec reflectx.Pointer) ([]byte, error) {
	start := len(dst)
	for i := range t.keyParts {
		p := &t.keyParts[i]
		var err error
		if dst, err = p.plan.Append(dst, rec.At(p.offset)); err != nil {
			return dst[:start], fmt.Errorf("key field %s: %w", p.name, err)
		}
	}
	return dst, nil
}

// SetGenerated sets the generated field of the record at rec, which is the last
// of its key, to the value of a key part.
func (t *Table) SetGenerated(rec reflectx.Pointer, part []byte) error {
	p := &t.keyParts[len(t.keyParts)-1]
	_, err := p.plan.Decode(part, rec.At(p.offset))
	return err
}

// AppendCustomKeyOf is [Table.AppendCustomKey] of the record with a body of the
// table's newest version.
func (t *Table) AppendCustomKeyOf(dst, body []byte) ([]byte, error) {
	rec := reflect.New(t.Type)
	if err := t.decoder.Decode(body, reflectx.Of(rec)); err != nil {
		return dst, err
	}
	return t.AppendCustomKey(dst, rec)
}

// AppendCustomKey appends the key tuple that the method PrimaryKey of *rec
// computes, for a table whose key is [KeyCustom].
func (t *Table) AppendCustomKey(dst []byte, rec reflect.Value) ([]byte, error) {
	plan, err := t.KeyPlan(t.Key.GoType)
	if err != nil {
		return dst, err
	}
	key := reflect.New(t.Key.GoType)
	key.Elem().Set(rec.Method(t.method).Call(nil)[0])
	dst, err = plan.Append(dst, reflectx.Of(key))
	if err != nil {
		return dst, fmt.Errorf("PrimaryKey: %w", err)
	}
	return dst, nil
}

// KeyPlan returns the plan for values of type k as keys of the table: the type
// of its one key field or of what PrimaryKey returns, or, for several fields,
// any struct with fields of their types in their order. The error for another
// type is an [*Error] that shows the type to use.
func (t *Table) KeyPlan(k reflect.Type) (*codec.KeyPlan, error) {
	if p, ok := t.plans.Load(k); ok {
		return p.(keyPlan).plan, p.(keyPlan).err
	}
	plan, err := t.makeKeyPlan(k)
	p, _ := t.plans.LoadOrStore(k, keyPlan{plan, err})
	return p.(keyPlan).plan, p.(keyPlan).err
}

func (t *Table) makeKeyPlan(k reflect.Type) (*codec.KeyPlan, error) {
	if err := t.checkKeyType(k); err != nil {
		return nil, err
	}
	form := t.Key.Tuple
	if t.singleKey(k) {
		form = t.Key.Parts[0].Key
	}
	plan, err := codec.CompileKey(k, StoredFields, form)
	if err != nil {
		return nil, &Error{Type: t.Type, Err: fmt.Errorf("%v is not a key of %s: %w", typeName(k), t.Name, err)}
	}
	return plan.RefuseNaN(), nil
}

// singleKey reports whether a k is the table's one key part itself.
func (t *Table) singleKey(k reflect.Type) bool {
	if t.model != nil {
		return t.model.key.single()
	}
	return len(t.Key.Parts) == 1 && (!isNested(k) || t.Key.Parts[0].Key.Kind == codec.Struct)
}

// checkKeyType returns an error that shows the type to use, and the line to
// write, if k is not a type of keys of the table.
func (t *Table) checkKeyType(k reflect.Type) error {
	if t.model == nil {
		return nil // encodings decide
	}
	key := &t.model.key
	want := typeName(key.goType)
	write := want
	switch {
	case key.single() && k == key.goType:
		return nil
	case key.single():
	case slices.Equal(fieldTypes(k), key.types()):
		return nil
	case key.goType == nil:
		want = key.structText()
		write = want
	default:
		want += ", or a " + key.structText()
	}
	return &Error{Type: t.Type, Err: fmt.Errorf("a %v is not a key of %s: its keys are of type %s: write kivis.TableBy[%s, %s](db)", typeName(k), t.Name, want, typeName(t.Type), write)}
}

// KeyStruct returns a type that holds a key of the table: Key.GoType, or a
// struct made of the key fields where that is nil. It is nil where the
// table's Type is.
func (t *Table) KeyStruct() reflect.Type {
	if t.model == nil || t.Key.GoType != nil {
		return t.Key.GoType
	}
	fields := make([]reflect.StructField, len(t.model.key.parts))
	for i := range fields {
		p := &t.model.key.parts[i]
		fields[i] = reflect.StructField{Name: p.goName(), Type: p.typ}
	}
	return reflect.StructOf(fields)
}
