package tables

import (
	"errors"
	"fmt"

	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// States that calls report, beside those of package store. Package kivis hands
// them on under the same names and says more of each.
var (
	ErrNotFound   = errors.New("not found")
	ErrExists     = errors.New("already exists")
	ErrReference  = errors.New("reference violated")
	ErrKeyChanged = errors.New("primary key changed")
	ErrExhausted  = errors.New("ids exhausted")
	ErrNoTable    = errors.New("there is no table")
)

// notFound returns ErrNotFound for the store's.
func notFound(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return ErrNotFound
	}
	return err
}

// UniqueError reports that a value of a unique index is taken.
type UniqueError struct {
	Table  *schema.Table
	Index  *schema.Index
	Holder *record.Ref // the record that has the value
}

// Error says whose the value is.
func (e *UniqueError) Error() string {
	return fmt.Sprintf("unique index %s of %s: the value belongs to the record with key %s", e.Index.Name, e.Table.Name, e.Holder)
}

// Unwrap returns ErrExists.
func (e *UniqueError) Unwrap() error { return ErrExists }

// ReferenceError reports a write that a reference rule forbids.
type ReferenceError struct {
	Ref    *schema.Ref
	Target *record.Ref // the record referred to
	Action string      // insert, update or delete
}

// Error names the reference and its target.
func (e *ReferenceError) Error() string {
	if e.Action == "delete" {
		return fmt.Sprintf("%s %s is still referred to by %s.%s", e.Target.Table.Name, e.Target, e.Ref.Table.Name, e.Ref.Name)
	}
	return fmt.Sprintf("reference %s.%s: %s has no record with key %s", e.Ref.Table.Name, e.Ref.Name, e.Target.Table.Name, e.Target)
}

// Unwrap returns ErrReference.
func (e *ReferenceError) Unwrap() error { return ErrReference }
