package kivis

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/internal/backup"
	"github.com/kivisdb/kivis/internal/backupfile"
	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/internal/tables"
	"github.com/kivisdb/kivis/query"
	"github.com/kivisdb/kivis/reflectx"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// States that calls report. Test for them with [errors.Is].
var (
	// ErrNewerFormat: a newer release of Kivis wrote the database.
	ErrNewerFormat = schema.ErrNewerFormat
	// ErrNotFound: no record has the key, or none matches the query.
	ErrNotFound = tables.ErrNotFound
	// ErrManyFound: One found more than one record.
	ErrManyFound = errors.New("more than one found")
	// ErrExists: the primary key, or a value of a unique index, is taken.
	ErrExists = tables.ErrExists
	// ErrReference: a reference rule forbids the write. See [ReferenceError].
	ErrReference = tables.ErrReference
	// ErrKeyChanged: a Modify or Replace would change a record's primary key.
	ErrKeyChanged = tables.ErrKeyChanged
	// ErrKeyTooLarge: an encoded key or index entry is over 2,048 bytes.
	ErrKeyTooLarge = record.ErrKeyTooLarge
	// ErrBadCursor: a page cursor was damaged, belongs to another query, or is
	// from before the database was restored, which is ErrIncarnation's too.
	ErrBadCursor = errors.New("bad cursor")
	// ErrInTx: a call through a handle bound to the DB was made with a context
	// of an open transaction. Use With(tx).
	ErrInTx = errors.New("called on the database inside a transaction")
	// ErrExhausted: the sequence of an auto-increment key has no ids left.
	ErrExhausted = tables.ErrExhausted
	// ErrFullScan: Options.RefuseScans is set and no index serves the query.
	ErrFullScan = errors.New("query needs a full scan")
	// ErrRestoring: a backup is being restored into the store, or a Restore was
	// broken off. Run it again.
	ErrRestoring = tables.ErrRestoring
	// ErrNotEmpty: the store that Restore was given holds something.
	ErrNotEmpty = backup.ErrNotEmpty
	// ErrBackupChain: files are not a whole backup and the increments to it, in
	// order, or the database is older than they are.
	ErrBackupChain = backupfile.ErrChain
	// ErrSortTooLarge: a query without a limit would have to sort more than
	// [query.MaxSortBytes] in memory. A page, a Limit and First do not meet it.
	ErrSortTooLarge = query.ErrSortTooLarge
	// ErrUntyped: a table by name cannot write records that only a program with
	// their Go type can validate, or compute the key of.
	ErrUntyped = errors.New("the Go type of the records is not registered, and its methods are needed")

	// ErrMigrating: another program's function is making newer records of a table
	// out of older ones, and this program has none. It cannot write the table, nor
	// read the records that are still to be rewritten.
	ErrMigrating = schema.ErrMigrating
	// ErrOlderType: another program has registered a newer type of the records
	// since, and this one would lose what it does not know; or the type of this one
	// does not fit the table any more.
	ErrOlderType = tables.ErrOlderType

	// ErrNoTable: no table has the name.
	ErrNoTable = tables.ErrNoTable
	// ErrNotRegistered: the record's type has not been registered.
	ErrNotRegistered = errors.New("record type is not registered")

	// ErrTxBusy: two goroutines have used one transaction at once, which can
	// then only be discarded.
	ErrTxBusy = tables.ErrTxBusy
	// ErrConflict: concurrent transactions wrote what this one read, more
	// often than it may be retried.
	ErrConflict = store.ErrConflict
	// ErrTxTooLarge: the transaction is over the store's limit.
	ErrTxTooLarge = store.ErrTxTooLarge
	// ErrReadOnly: a write in a View, or on a store opened read-only.
	ErrReadOnly = store.ErrReadOnly
	// ErrInUse: another process or handle holds the store.
	ErrInUse = store.ErrInUse
	// ErrClosed: the database has been closed.
	ErrClosed = store.ErrClosed
	// ErrTxDone: the transaction has ended.
	ErrTxDone = store.ErrTxDone
	// ErrIncarnation: a cursor or a position is of another incarnation of the
	// database, which has been restored from a backup since.
	ErrIncarnation = store.ErrIncarnation
	// ErrGap: what was committed since a position is no longer known.
	ErrGap = store.ErrGap
	// ErrUnreachable: the store keeps its data elsewhere, and cannot be reached.
	ErrUnreachable = store.ErrUnreachable
	// ErrCommitUnknown: a commit failed so that its outcome is not known.
	ErrCommitUnknown = store.ErrCommitUnknown
)

// SchemaError is one fault of one record type: its Type, Field, Tag and cause.
// Register joins all faults of all types in one error.
type SchemaError = schema.Error

// SchemaChangeError lists the differences between a record type and what is
// stored that Register refuses, and what to do about each.
type SchemaChangeError = schema.ChangeError

// QueryError says what is wrong with a query: the table, clause and cause.
type QueryError = query.Error

// UniqueError reports that a value of a unique index is taken. It matches
// [ErrExists].
type UniqueError struct {
	Table string // stored name
	Index string
	Key   any // the primary key of the record that holds the value

	at *record.Ref
}

func (e *UniqueError) Error() string {
	return fmt.Sprintf("unique index %s of %s: the value belongs to the record with key %s", e.Index, e.Table, e.at)
}

// Unwrap returns ErrExists.
func (e *UniqueError) Unwrap() error { return ErrExists }

// ReferenceError reports a write that a reference rule forbids. It matches
// [ErrReference].
type ReferenceError struct {
	Table  string // the referring table
	Field  string // the referring field, or fields joined by commas
	Target string // the table referred to
	Key    any    // the key in the target table
	Action string // insert, update or delete

	zero bool // the reference was left zero
	at   *record.Ref
}

func (e *ReferenceError) Error() string {
	switch {
	case e.Action == "delete":
		return fmt.Sprintf("%s %s is still referred to by %s.%s", e.Target, e.at, e.Table, e.Field)
	case e.zero:
		return fmt.Sprintf("reference %s.%s is zero and %s has no such record: forgot to set it, or tag it `optional`?", e.Table, e.Field, e.Target)
	}
	return fmt.Sprintf("reference %s.%s: %s has no record with key %s", e.Table, e.Field, e.Target, e.at)
}

// Unwrap returns ErrReference.
func (e *ReferenceError) Unwrap() error { return ErrReference }

// CorruptError reports damaged bytes in the store, or in a backup.
type CorruptError struct {
	Table string // stored name; "" for the catalog, or a backup's file
	Index string // the index whose entry is damaged; "" for a record
	Key   any    // the record's primary key, where it can be read
	Err   error
}

func (e *CorruptError) Error() string {
	if errors.As(e.Err, new(*backupfile.DamageError)) {
		return e.Err.Error()
	}
	what := "the catalog"
	if e.Table != "" {
		what = "table " + e.Table
	}
	if e.Index != "" {
		what += ", index " + e.Index
	}
	if e.Key != nil {
		what += fmt.Sprintf(", key %v", e.Key)
	}
	return fmt.Sprintf("damaged bytes in %s: %v", what, e.Err)
}

// Unwrap returns the cause.
func (e *CorruptError) Unwrap() error { return e.Err }

// keyValue returns the key as a value of the table's own key type, or as a
// struct of the key fields' types where it has none, or as a Key where the type
// is not registered; nil where it cannot be decoded.
func keyValue(k *record.Ref) any {
	t := k.Table.Key.GoType
	if t == nil {
		t = k.Table.KeyStruct()
	}
	if t == nil {
		return keyFrom(k.Table, k.Tuple)
	}
	v, ok := keyAs(k, t)
	if !ok {
		return nil
	}
	return v.Elem().Interface()
}

// keyAs decodes the key as a t and returns a pointer to it.
func keyAs(k *record.Ref, t reflect.Type) (reflect.Value, bool) {
	plan, err := k.Table.KeyPlan(t)
	if err != nil {
		return reflect.Value{}, false
	}
	v := reflect.New(t)
	if rest, err := plan.Decode(k.Tuple, reflectx.Of(v)); err != nil || len(rest) > 0 {
		return reflect.Value{}, false
	}
	return v, true
}

// public gives an error of the layers below the type that this package
// promises, with keys as Go values.
func public(err error) error {
	e := publicType(err)
	if e == nil {
		return err
	}
	switch err.(type) {
	case *tables.UniqueError, *tables.ReferenceError, *record.CorruptError:
		return e
	}
	return &translated{err, e}
}

// publicType returns the error of this package's that stands for one in err's
// tree, or nil.
func publicType(err error) error {
	var u *tables.UniqueError
	if errors.As(err, &u) {
		return &UniqueError{Table: u.Table.Name, Index: u.Index.Name, Key: keyValue(u.Holder), at: u.Holder}
	}
	var r *tables.ReferenceError
	if errors.As(err, &r) {
		v := keyValue(r.Target)
		return &ReferenceError{
			Table: r.Ref.Table.Name, Field: r.Ref.Name, Target: r.Target.Table.Name, Key: v, Action: r.Action,
			at: r.Target, zero: r.Action != "delete" && v != nil && reflect.ValueOf(v).IsZero(),
		}
	}
	var c *record.CorruptError
	if errors.As(err, &c) {
		e := &CorruptError{Index: c.Index, Err: c.Err}
		if c.Table != nil {
			e.Table = c.Table.Name
			if c.Tuple != nil {
				e.Key = keyValue(&record.Ref{Table: c.Table, Tuple: c.Tuple})
			}
		}
		return e
	}
	if errors.Is(err, codec.ErrUnknownOrder) {
		return ErrUntyped
	}
	return nil
}

// translated is an error with this package's type for what is in it.
type translated struct {
	error
	public error
}

func (t *translated) Unwrap() []error { return []error{t.public, t.error} }

// callError names the call, table and key of an error that a call returns.
type callError struct {
	op, table string
	key       *record.Ref // nil where no one key is meant
	hint      string
	err       error
}

func (e *callError) Error() string {
	s := "kivis: " + e.op
	if e.table != "" {
		s += " " + e.table
	}
	if e.key != nil && len(e.key.Tuple) > 0 { // a key that was still to be made is empty
		s += " " + e.key.String()
	}
	s += ": " + e.err.Error()
	if e.hint != "" {
		s += "; " + e.hint
	}
	return s
}

func (e *callError) Unwrap() error { return e.err }

// wrap names the call and table in err, once, and gives damage its type.
func wrap(op string, tb *schema.Table, key []byte, err error) error {
	if err == nil {
		return nil
	}
	var done *callError
	if errors.As(err, &done) {
		return err
	}
	e := &callError{op: op, err: public(record.Corrupt(tb, key, err))}
	if tb != nil {
		e.table = tb.Name
		if key != nil {
			e.key = record.RefTo(tb, key)
		}
	}
	return e
}

// outOfAttempts says of a conflict that it came back until no attempt was left,
// and what is the likely cause.
func (db *DB) outOfAttempts(attempts int, err error) error {
	if attempts < db.opts.MaxAttempts || !errors.Is(err, ErrConflict) {
		return err
	}
	return fmt.Errorf("%w, in each of %d attempts; if the function uses the database itself, with another context than its own, "+
		"it conflicts with itself: use the context and the transaction that it is given, as in With(tx)", err, attempts)
}

// KeyOf returns the primary key that err is about, if it is a K, or for the type
// [Key] in any case: the key of a
// [UniqueError] or [ReferenceError] where there is one, else the key of the
// call that failed.
func KeyOf[K comparable](err error) (K, bool) {
	var zero K
	for _, at := range keysOf(err) {
		if key, ok := any(keyFrom(at.Table, at.Tuple)).(K); ok {
			return key, true
		}
		v, ok := keyAs(at, reflect.TypeFor[K]())
		if ok {
			return *reflectx.Ref[K](reflectx.Of(v)), true
		}
	}
	return zero, false
}

// keysOf returns the keys that err names, the most telling first.
func keysOf(err error) []*record.Ref {
	var keys []*record.Ref
	var u *UniqueError
	if errors.As(err, &u) && u.at != nil {
		keys = append(keys, u.at)
	}
	var r *ReferenceError
	if errors.As(err, &r) && r.at != nil {
		keys = append(keys, r.at)
	}
	var d *tables.DeferredError
	if errors.As(err, &d) {
		keys = append(keys, d.Record)
	}
	var c *callError
	if errors.As(err, &c) && c.key != nil {
		keys = append(keys, c.key)
	}
	return keys
}
