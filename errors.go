package kivis

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/query"
	"github.com/kivisdb/kivis/reflectx"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// States that calls report. Test for them with [errors.Is].
var (
	// ErrNotFound: no record has the key, or none matches the query.
	ErrNotFound = errors.New("not found")
	// ErrManyFound: One found more than one record.
	ErrManyFound = errors.New("more than one found")
	// ErrExists: the primary key, or a value of a unique index, is taken.
	ErrExists = errors.New("already exists")
	// ErrReference: a reference rule forbids the write. See [ReferenceError].
	ErrReference = errors.New("reference violated")
	// ErrKeyChanged: a Modify or Replace would change a record's primary key.
	ErrKeyChanged = errors.New("primary key changed")
	// ErrKeyTooLarge: an encoded key or index entry is over 2,048 bytes.
	ErrKeyTooLarge = errors.New("key too large")
	// ErrBadCursor: a page cursor was damaged, or belongs to another query.
	ErrBadCursor = errors.New("bad cursor")
	// ErrInTx: a call through a handle bound to the DB was made with a context
	// of an open transaction. Use With(tx).
	ErrInTx = errors.New("called on the database inside a transaction")
	// ErrExhausted: the sequence of an auto-increment key has no ids left, or
	// a given id would use it up.
	ErrExhausted = errors.New("ids exhausted")
	// ErrFullScan: Options.RefuseScans is set and no index serves the query.
	ErrFullScan = errors.New("query needs a full scan")
	// ErrNotRegistered: the record's type has not been registered.
	ErrNotRegistered = errors.New("record type is not registered")

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

	at *keyRef
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

	zero   bool // the reference was left zero
	at     *keyRef
	reason string
}

func (e *ReferenceError) Error() string {
	switch {
	case e.reason != "":
		return e.reason
	case e.Action == "delete":
		return fmt.Sprintf("%s %s is still referred to by %s.%s", e.Target, e.at, e.Table, e.Field)
	case e.zero:
		return fmt.Sprintf("reference %s.%s is zero and %s has no such record: forgot to set it, or tag it `optional`?", e.Table, e.Field, e.Target)
	}
	return fmt.Sprintf("reference %s.%s: %s has no record with key %s", e.Table, e.Field, e.Target, e.at)
}

// Unwrap returns ErrReference.
func (e *ReferenceError) Unwrap() error { return ErrReference }

// CorruptError reports damaged bytes in the store.
type CorruptError struct {
	Table string // stored name; "" for the catalog
	Index string // the index whose entry is damaged; "" for a record
	Key   any    // the record's primary key, where it can be read
	Err   error
}

func (e *CorruptError) Error() string {
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

// keyRef is a primary key in its encoded form, and the table it belongs to.
type keyRef struct {
	table *schema.Table
	tuple []byte
}

func refTo(tb *schema.Table, tuple []byte) *keyRef {
	return &keyRef{tb, append([]byte(nil), tuple...)}
}

// maxKeyText bounds how much of a key an error's text shows.
const maxKeyText = 200

// String returns the key in the user's terms, cut where it is long.
func (k *keyRef) String() string {
	if k == nil {
		return "?"
	}
	typ := &k.table.Key.Tuple
	if len(typ.Parts) == 1 {
		typ = &typ.Parts[0]
	}
	text, _, err := typ.Format(k.tuple)
	if err != nil {
		text = fmt.Sprintf("%x", k.tuple)
	}
	if len(text) > maxKeyText {
		text = fmt.Sprintf("%s... (%d bytes)", strings.ToValidUTF8(text[:maxKeyText], ""), len(k.tuple))
	}
	return text
}

// value returns the key as a value of the table's own key type, or as a struct
// of the key fields' types where it has none; nil where it cannot be decoded.
func (k *keyRef) value() any {
	t := k.table.Key.GoType
	if t == nil {
		t = k.table.KeyStruct()
	}
	if t == nil {
		return nil
	}
	v, ok := k.as(t)
	if !ok {
		return nil
	}
	return v.Elem().Interface()
}

// as decodes the key as a t and returns a pointer to it.
func (k *keyRef) as(t reflect.Type) (reflect.Value, bool) {
	plan, err := k.table.KeyPlan(t)
	if err != nil {
		return reflect.Value{}, false
	}
	v := reflect.New(t)
	if rest, err := plan.Decode(k.tuple, reflectx.Of(v)); err != nil || len(rest) > 0 {
		return reflect.Value{}, false
	}
	return v, true
}

// callError names the call, table and key of an error that a call returns.
type callError struct {
	op, table string
	key       *keyRef // nil where no one key is meant
	hint      string
	err       error
}

func (e *callError) Error() string {
	s := "kivis: " + e.op
	if e.table != "" {
		s += " " + e.table
	}
	if e.key != nil {
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
	e := &callError{op: op, err: err}
	if tb != nil {
		e.table = tb.Name
		if key != nil {
			e.key = refTo(tb, key)
		}
	}
	e.err = asCorrupt(tb, e.key, err)
	return e
}

// asCorrupt returns err as a *CorruptError if it reports damaged bytes.
func asCorrupt(tb *schema.Table, key *keyRef, err error) error {
	if !errors.Is(err, codec.ErrCorrupt) && !errors.Is(err, store.ErrCorrupt) {
		return err
	}
	var have *CorruptError
	if errors.As(err, &have) {
		return err
	}
	e := &CorruptError{Err: err}
	if tb != nil {
		e.Table = tb.Name
	}
	if key != nil {
		e.Key = key.value()
	}
	return e
}

// KeyOf returns the primary key that err is about, if it is a K: the key of a
// [UniqueError] or [ReferenceError] where there is one, else the key of the
// call that failed.
func KeyOf[K comparable](err error) (K, bool) {
	var zero K
	for _, at := range keysOf(err) {
		v, ok := at.as(reflect.TypeFor[K]())
		if ok {
			return *reflectx.Ref[K](reflectx.Of(v)), true
		}
	}
	return zero, false
}

// keysOf returns the keys that err names, the most telling first.
func keysOf(err error) []*keyRef {
	var keys []*keyRef
	var u *UniqueError
	if errors.As(err, &u) && u.at != nil {
		keys = append(keys, u.at)
	}
	var r *ReferenceError
	if errors.As(err, &r) && r.at != nil {
		keys = append(keys, r.at)
	}
	var c *callError
	if errors.As(err, &c) && c.key != nil {
		keys = append(keys, c.key)
	}
	return keys
}
