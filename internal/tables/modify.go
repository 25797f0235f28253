package tables

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// A Changer is a record that is made from the stored one.
type Changer interface {
	Source
	// Change takes the record that is stored as value under the key tuple, and
	// changes it. It may use other calls of the transaction. A damaged value is an
	// error.
	Change(tb *schema.Table, tuple, value []byte) error
}

// Modify has c change the record with the key tuple, and writes it. The tuple
// must not be in the transaction's memory. The error is ErrNotFound where there
// is no record, ErrKeyChanged where its key would be another, one of c, or
// like those of Put.
func (t *Tx) Modify(tb *schema.Table, tuple []byte, c Changer) error {
	value, err := t.Get(tb, tuple)
	if err != nil {
		return err
	}
	if !t.write {
		return store.ErrReadOnly
	}
	writes := t.writes
	t.Leave() // the user's function may use the transaction
	err = c.Change(tb, tuple, value)
	if busy := t.Enter(); busy != nil {
		return errors.Join(err, busy)
	}
	if err != nil {
		return err
	}
	w := put{tb: tb, mode: Replace, old: value, current: t.writes == writes, opened: true, key: Key{Drawn: -1}}
	if err := t.prepare(&w, c); err != nil {
		return err
	}
	if !bytes.Equal(w.key.Tuple, tuple) {
		return fmt.Errorf("%w: to %s", ErrKeyChanged, record.RefTo(tb, w.key.Tuple))
	}
	if same, err := t.changesNothing(&w); same || err != nil {
		return err
	}
	return t.apply(&w)
}

// changesNothing reports whether the program of an older type would write the
// record that it has read, less what it does not know. Then nothing is written.
func (t *Tx) changesNothing(w *put) (bool, error) {
	if !w.tb.Older() || w.tb.Encoder() == nil {
		return false, nil
	}
	body, _, err := record.OpenBytes(w.tb, w.key.Tuple, w.old, nil)
	if err != nil {
		return false, err
	}
	same, _, err := w.tb.Rewrite(body)
	return err == nil && bytes.Equal(same, w.new.Bytes), err
}
