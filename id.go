package kivis

import "reflect"

// ID is the auto-increment primary key of the record R. It costs nothing over
// a uint64, compares with ==, is a number in JSON, and is a type of its own for
// each record, so that the id of another record does not compile in its place.
// A field of type ID[T] in another record is a reference to T. Ids start at 1,
// ascend, and are never used again; 0 means not set.
type ID[R any] uint64

// RecordType returns R's type. The schema compiler knows an ID by this method.
func (ID[R]) RecordType() reflect.Type { return reflect.TypeFor[R]() }

// Auto gives the record R that embeds it an auto-increment primary key.
type Auto[R any] struct {
	ID ID[R] `json:"id"`
}

// PrimaryKey returns the id. [TableOf] infers the key's type from it.
func (a Auto[R]) PrimaryKey() ID[R] { return a.ID }
