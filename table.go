package kivis

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/kivisdb/kivis/internal/tables"
	"github.com/kivisdb/kivis/reflectx"
	"github.com/kivisdb/kivis/schema"
)

// Table reads and writes the records R, which have the primary key K, through
// a [Conn]: on a *[DB] each call is a transaction of its own, on a *[Tx] or
// *[Bulk] it is part of it. A Table is a small value; copies are as good as
// the original. Making one never fails: where R is not registered, or K is not
// its key's type, each call returns an error that says what to write.
//
// Records go in and out by value. A call keeps no pointer into a record that
// it was given, and a record that it returns is the caller's, except that its
// strings may share memory with each other.
type Table[R any, K comparable] struct {
	conn Conn
}

// TableOf returns the table of the record R, whose key type is inferred from
// its method PrimaryKey, which [Auto] brings.
func TableOf[R interface{ PrimaryKey() K }, K comparable](conn Conn) Table[R, K] {
	return Table[R, K]{conn}
}

// TableByID returns the table of a record R with a field ID of type ID[R].
func TableByID[R any](conn Conn) Table[R, ID[R]] { return Table[R, ID[R]]{conn} }

// TableBy returns the table of the record R with the primary key type K: the
// type of the key field, a struct with the types of the key fields in order
// where there are several, or what PrimaryKey returns.
func TableBy[R any, K comparable](conn Conn) Table[R, K] { return Table[R, K]{conn} }

// With returns the same table on another Conn.
func (t Table[R, K]) With(conn Conn) Table[R, K] { return Table[R, K]{conn} }

// Insert adds a new record and returns its key. A key that Kivis generates is
// drawn where it is zero, and set in the struct too. The error is ErrExists
// where the key is taken, a [UniqueError] where a unique value is, and a
// [ReferenceError] where the record refers to nothing.
func (t Table[R, K]) Insert(ctx context.Context, rec *R) (K, error) {
	return t.put(ctx, "insert", rec, tables.Insert)
}

// Put adds the record, or replaces the one with its key, and returns the key.
// A generated key that is zero is drawn, and the record then new.
func (t Table[R, K]) Put(ctx context.Context, rec *R) (K, error) {
	return t.put(ctx, "put", rec, tables.Upsert)
}

// Replace replaces the record that has rec's key by rec as a whole: zero
// values are values. The error is ErrNotFound where there is none. To change
// what has been read, use Modify: between a Get and a Replace another's change
// may be lost.
func (t Table[R, K]) Replace(ctx context.Context, rec *R) error {
	_, err := t.put(ctx, "replace", rec, tables.Replace)
	return err
}

func (t Table[R, K]) put(ctx context.Context, op string, rec *R, m tables.Mode) (key K, err error) {
	ref := refOf[R]()
	if rec == nil {
		return key, failed(op, ref, errors.New("the record is nil"))
	}
	call := putting{typed: sourceOf(rec), mode: m, key: slot(&key)}
	call.rec = &call.typed
	return key, call.run(ctx, t.conn, op, ref)
}

// Get returns the record with the key, or ErrNotFound.
func (t Table[R, K]) Get(ctx context.Context, key K) (R, error) {
	rec := new(R)
	if err := getRecord(ctx, t.conn, refOf[R](), slot(&key), reflectx.To(rec)); err != nil {
		var none R
		return none, err
	}
	return *rec, nil
}

// getRecord is Get without its types.
func getRecord(ctx context.Context, conn Conn, ref tableRef, key keySlot, rec reflectx.Pointer) error {
	s, err := open(ctx, conn, "get", ref, point)
	if err != nil {
		return err
	}
	defer s.abandoned()
	tuple, value, err := s.read(ref, key)
	if err == nil {
		err = decode(s.table, tuple, value, rec)
	}
	r := Outcome{Rows: 1, Entries: 1}
	if tuple == nil {
		r = Outcome{} // nothing was read
	}
	return s.close(tuple, r, err)
}

// Has reports whether there is a record with the key.
func (t Table[R, K]) Has(ctx context.Context, key K) (bool, error) {
	return hasRecord(ctx, t.conn, refOf[R](), slot(&key))
}

func hasRecord(ctx context.Context, conn Conn, ref tableRef, key keySlot) (bool, error) {
	s, err := open(ctx, conn, "has", ref, point)
	if err != nil {
		return false, err
	}
	defer s.abandoned()
	tuple, _, err := s.read(ref, key)
	found := err == nil
	if errors.Is(err, ErrNotFound) {
		err = nil
	}
	return found, s.close(tuple, Outcome{Entries: 1}, err)
}

// GetMany returns the records with the keys, read as one batch from one
// snapshot. Keys without a record are not in the map.
func (t Table[R, K]) GetMany(ctx context.Context, keys ...K) (map[K]R, error) {
	found := make(map[K]R, len(keys))
	recs := make([]R, len(keys))
	batch := batch{
		n:   len(keys),
		key: func(i int) keySlot { return slot(&keys[i]) },
		got: func(i int, tb *schema.Table, tuple, value []byte) error {
			err := decode(tb, tuple, value, reflectx.To(&recs[i]))
			if err == nil {
				found[keys[i]] = recs[i]
			}
			return err
		},
	}
	if err := getMany(ctx, t.conn, refOf[R](), batch); err != nil {
		return nil, err
	}
	return found, nil
}

// Delete removes the record with the key, or returns ErrNotFound. References
// to it decide what else happens: a restricting one makes it a
// [ReferenceError], a cascading one deletes its records too, in the same
// transaction, and one that sets null clears them.
func (t Table[R, K]) Delete(ctx context.Context, key K) error {
	return deleteRecord(ctx, t.conn, refOf[R](), slot(&key))
}

func deleteRecord(ctx context.Context, conn Conn, ref tableRef, key keySlot) error {
	call := deletion{key: key}
	call.mutation = mutation{conn: conn, op: "delete", ref: ref, work: &call}
	return call.run(ctx)
}

// Modify reads the record with the key, has fn change it, writes it back, all
// in one transaction, and returns what it wrote. On a DB fn runs again after a
// conflict, on the record as it then is. An error of fn leaves the record as
// it was. The error is ErrNotFound where there is no record, and ErrKeyChanged
// where fn changed its key.
func (t Table[R, K]) Modify(ctx context.Context, key K, fn func(*R) error) (R, error) {
	if fn == nil {
		var none R
		return none, failed("modify", refOf[R](), errNoFunc)
	}
	m := &modified[R, K]{key: key, fn: fn}
	m.changer.on = m
	call := modification{key: slot(&m.key), on: &m.changer}
	if err := call.run(ctx, t.conn, refOf[R]()); err != nil {
		var none R
		return none, err
	}
	return *m.rec, nil
}

// InsertMany adds new records in one transaction, all or none, and returns
// their keys in order. Uniqueness and references are checked at its end, so a
// record may refer to one that comes after it. Generated keys are set in the slice's records.
func (t Table[R, K]) InsertMany(ctx context.Context, recs []R) ([]K, error) {
	keys := make([]K, len(recs))
	batch := make([]source, len(recs))
	for i := range recs {
		batch[i] = sourceOf(&recs[i])
	}
	err := insertMany(ctx, t.conn, refOf[R](), batch, func(i int) keySlot { return slot(&keys[i]) })
	if err != nil {
		return nil, err
	}
	return keys, nil
}

// tableRef names a table before the schema is known: by the type of its records,
// or by its stored name.
type tableRef struct {
	typ  reflect.Type
	name string // where typ is nil
}

// refOf returns the tableRef of the record R.
func refOf[R any]() tableRef { return tableRef{typ: reflect.TypeFor[R]()} }

// String returns the type or the name.
func (r tableRef) String() string {
	if r.typ != nil {
		return r.typ.String()
	}
	return r.name
}

// find returns the table in a set, or nil.
func (r tableRef) find(set *schema.Set) *schema.Table {
	if r.typ != nil {
		return set.ByType(r.typ)
	}
	return set.ByName(r.name)
}

// in returns the table in a set, or an error that says what to write.
func (r tableRef) in(set *schema.Set) (*schema.Table, error) {
	tb := r.find(set)
	switch {
	case tb != nil:
		return tb, nil
	case r.typ != nil && set.Misfit(r.typ) != nil:
		return nil, &misfitError{r.typ, set.Misfit(r.typ)}
	case r.typ != nil:
		return nil, fmt.Errorf("%w: call db.Register(&%s{}) first", ErrNotRegistered, r.typ.Name())
	}
	names := make([]string, 0, len(set.Tables()))
	for _, tb := range set.Tables() {
		names = append(names, tb.Name)
	}
	if near, ok := reflectx.Nearest(r.name, names); ok {
		return nil, fmt.Errorf("%w named %q; did you mean %q?", ErrNoTable, r.name, near)
	}
	return nil, fmt.Errorf("%w named %q", ErrNoTable, r.name)
}

// misfitError says that another program has changed or dropped the table of a type
// that was registered here. It is an ErrNotRegistered, and an ErrOlderType or an
// ErrNoTable.
type misfitError struct {
	typ reflect.Type
	why *schema.Misfit
}

// Error says what has become of the table, and what to do.
func (e *misfitError) Error() string {
	if e.why.Gone {
		return fmt.Sprintf("%v %s any more: another program has dropped it, or given it another name; call db.Register(&%s{}) to begin it anew", ErrNoTable, e.why.Table, e.typ.Name())
	}
	return fmt.Sprintf("another program has changed the table %s so that this type no longer fits: run a newer program: %v", e.why.Table, e.why.Err)
}

// Is implements errors.Is.
func (e *misfitError) Is(target error) bool {
	return target == ErrNotRegistered || e.why.Gone && target == ErrNoTable || !e.why.Gone && target == ErrOlderType
}

// Unwrap returns why the type does not fit.
func (e *misfitError) Unwrap() error { return e.why.Err }
