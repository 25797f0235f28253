package kivis

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/reflectx"
	"github.com/kivisdb/kivis/schema"
)

// source is a Go record on its way into the store: a pointer without its type.
// It is a tables.Source.
type source struct {
	ptr any // *R
	p   reflectx.Pointer
}

// sourceOf returns the record at rec.
func sourceOf[R any](rec *R) source { return source{ptr: rec, p: reflectx.To(rec)} }

// AppendBody validates the record and appends its body.
func (s *source) AppendBody(dst []byte, offs []uint32, tb *schema.Table) ([]byte, []uint32, error) {
	if err := s.validate(); err != nil {
		return dst, offs, err
	}
	return tb.Encoder().Encode(dst, s.p, offs)
}

// AppendKey appends the key that the record's method PrimaryKey computes.
func (s *source) AppendKey(dst []byte, tb *schema.Table) ([]byte, error) {
	return tb.AppendCustomKey(dst, reflect.ValueOf(s.ptr))
}

// validate calls the record's Validate method, if it has one.
func (s *source) validate() error {
	v, ok := s.ptr.(interface{ Validate() error })
	if !ok {
		return nil
	}
	if err := v.Validate(); err != nil {
		return fmt.Errorf("invalid record: %w", err)
	}
	return nil
}

// appendKey appends the record's key tuple.
func (s *source) appendKey(dst []byte, tb *schema.Table) ([]byte, error) {
	if tb.Key.Kind == schema.KeyCustom {
		return s.AppendKey(dst, tb)
	}
	return tb.AppendKey(dst, s.p)
}

// setKey sets the part of the record's key that was generated, which begins at
// drawn in the tuple, if it is not negative.
func (s *source) setKey(tb *schema.Table, tuple []byte, drawn int) error {
	if drawn < 0 {
		return nil
	}
	return tb.SetGenerated(s.p, tuple[drawn:])
}

// namedSource is a Record on its way into the store. Where the record's type is
// registered it is decoded into one, for Validate and for a computed key.
type namedSource struct {
	rec     Record
	untyped bool   // it may be written without a Go type that has methods for it
	typ     source // the record as its Go type; zero where that is not needed
}

// AppendBody appends the record's body in the newest layout of tb.
func (s *namedSource) AppendBody(dst []byte, offs []uint32, tb *schema.Table) ([]byte, []uint32, error) {
	body, err := s.current(tb)
	if err != nil {
		return dst, offs, err
	}
	if err := s.validate(tb, &body); err != nil {
		return dst, offs, err
	}
	return append(dst, body.Bytes...), append(offs[:0], body.Offs...), nil
}

// Whole says that a record by name has all columns of its table.
func (s *namedSource) Whole() {}

// current returns the record's body in the newest layout of tb.
func (s *namedSource) current(tb *schema.Table) (b record.Body, err error) {
	r := &s.rec
	switch {
	case r.tb == nil:
		return b, errNoRecord
	case r.tb.ID != tb.ID:
		return b, fmt.Errorf("the record is one of table %s", r.tb.Name)
	case r.tb.Version == tb.Version:
		return r.columns(), nil
	}
	conv, err := tb.Converter(r.tb.Version)
	if err != nil {
		return b, fmt.Errorf("the record was read before the table changed: read it again: %w", err)
	}
	if b.Bytes, err = conv.Convert(nil, r.body); err != nil {
		return b, err
	}
	b.Offs, err = codec.Split(b.Bytes, len(tb.Columns), nil)
	return b, err
}

// validate calls the Validate method of the record's Go type, if it has one, and
// takes over the columns that this changes, and no others: the type may be that
// of an older program, which does not know all of them.
func (s *namedSource) validate(tb *schema.Table, b *record.Body) error {
	s.typ = source{}
	custom := tb.Key.Kind == schema.KeyCustom
	if tb.Type == nil && (tb.Validates || custom) && !s.untyped {
		return ErrUntyped
	}
	if tb.Type == nil || !custom && !tb.Type.Implements(validator) && !reflect.PointerTo(tb.Type).Implements(validator) {
		return nil
	}
	v := reflect.New(tb.Type)
	s.typ = source{ptr: v.Interface(), p: reflectx.Of(v)}
	if err := tb.Decoder().Decode(b.Bytes, s.typ.p); err != nil {
		return err
	}
	before, offs, err := tb.Encoder().Encode(nil, s.typ.p, nil)
	if err != nil {
		return err
	}
	after, changed, err := s.typ.AppendBody(nil, nil, tb)
	if err != nil || bytes.Equal(before, after) {
		return err
	}
	old, now := record.Body{Bytes: before, Offs: offs}, record.Body{Bytes: after, Offs: changed}
	*b = record.Body{Bytes: bytes.Clone(b.Bytes), Offs: append([]uint32(nil), b.Offs...)}
	for i := range tb.Columns {
		if !bytes.Equal(old.Column(i), now.Column(i)) {
			b.Bytes = record.Splice(b.Bytes, 0, b.Offs, i, now.Column(i))
		}
	}
	return nil
}

// validator is what a record with a Validate method implements.
var validator = reflect.TypeFor[interface{ Validate() error }]()

// AppendKey appends the key that the method PrimaryKey computes, or where the
// type is not registered the one that the record is stored under.
func (s *namedSource) AppendKey(dst []byte, tb *schema.Table) ([]byte, error) {
	if s.typ.ptr != nil {
		return s.typ.AppendKey(dst, tb)
	}
	if s.rec.tuple == nil {
		return dst, errComputedKey
	}
	return append(dst, s.rec.tuple...), nil
}

var errComputedKey = errors.New("the record's key is computed by its method PrimaryKey: register its type to insert it")

// setKey does nothing: the record is the caller's, who is given the key.
func (s *namedSource) setKey(*schema.Table, []byte, int) error { return nil }

// namedChange is a stored record on its way through a user's function.
type namedChange struct {
	namedSource
	fn func(*Record) error
}

// Change opens the stored record and has the function change it.
func (c *namedChange) Change(tb *schema.Table, tuple, value []byte) error {
	rec, err := openRecord(tb, tuple, value)
	if err != nil {
		return err
	}
	if err := c.fn(&rec); err != nil {
		return err
	}
	c.rec = rec
	return nil
}
