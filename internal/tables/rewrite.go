package tables

import (
	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/schema"
)

// Rewrite writes a record as it is, in the newest layout, with its index entries,
// where its stored value is of an older one. The error is like those of Put.
func (t *Tx) Rewrite(tb *schema.Table, tuple, value []byte) error {
	if current, err := record.IsCurrent(tb, tuple, value); current || err != nil {
		return err
	}
	w := put{tb: tb, mode: Replace, old: value, current: true, key: Key{Tuple: tuple, Drawn: -1}}
	if err := t.copyOld(&w); err != nil {
		return err
	}
	if err := t.checkSameKey(&w); err != nil {
		return err
	}
	return t.apply(&w)
}
