package record

import (
	"errors"
	"fmt"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// ErrKeyTooLarge: an encoded key or index entry is over [MaxKey].
var ErrKeyTooLarge = errors.New("key too large")

// CorruptError reports stored bytes that are not those that were written.
type CorruptError struct {
	Table *schema.Table // nil for the catalog
	Index string        // of the entry; "" for a record
	Tuple []byte        // the record's key tuple, where it is known
	Err   error
}

// Error says what is damaged, and how.
func (e *CorruptError) Error() string {
	what := "the catalog"
	if e.Table != nil {
		what = "table " + e.Table.Name
	}
	if e.Index != "" {
		what += ", index " + e.Index
	}
	if e.Tuple != nil {
		what += ", key " + (&Ref{e.Table, e.Tuple}).String()
	}
	return fmt.Sprintf("damaged bytes in %s: %v", what, e.Err)
}

// Unwrap returns the cause.
func (e *CorruptError) Unwrap() error { return e.Err }

// Corrupt returns err as a [CorruptError] of the record, with a copy of the
// tuple, if it reports damaged bytes, and as it is otherwise.
func Corrupt(tb *schema.Table, tuple []byte, err error) error {
	if err == nil || !errors.Is(err, codec.ErrCorrupt) && !errors.Is(err, store.ErrCorrupt) {
		return err
	}
	var have *CorruptError
	if errors.As(err, &have) {
		return err
	}
	e := &CorruptError{Table: tb, Err: err}
	if tuple != nil && tb != nil {
		e.Tuple = append([]byte(nil), tuple...)
	}
	return e
}
