package schema

import "reflect"

// A Set is all tables of the catalog at one of its versions. It is immutable.
type Set struct {
	version uint64
	tables  []*Table // by name
	byType  map[reflect.Type]*Table
	byName  map[string]*Table
	byID    map[uint32]*Table
	misfits map[reflect.Type]*Misfit
}

// A Misfit is a record type that was registered, and that the catalog has no place
// for any more: another program has changed or dropped its table.
type Misfit struct {
	Table string // the stored name that the type asks for
	Gone  bool   // there is no such table
	Err   error  // why the type does not fit
}

// Misfit returns why a type that was registered has no table, or nil.
func (s *Set) Misfit(t reflect.Type) *Misfit { return s.misfits[t] }

// ByType returns the table of a record struct type, or nil.
func (s *Set) ByType(t reflect.Type) *Table { return s.byType[t] }

// ByName returns the table with the given stored name, or nil.
func (s *Set) ByName(name string) *Table { return s.byName[name] }

// ByID returns the table with the given id, or nil.
func (s *Set) ByID(id uint32) *Table { return s.byID[id] }

// Tables returns all tables by name. The slice is shared and must not be changed.
func (s *Set) Tables() []*Table { return s.tables }

// Version returns the version of the catalog that the set was made of.
func (s *Set) Version() uint64 { return s.version }
