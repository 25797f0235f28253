package kivis

import (
	"fmt"
	"reflect"

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
