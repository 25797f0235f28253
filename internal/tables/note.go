package tables

import (
	"fmt"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/internal/record"
)

// noteKey returns the key of the note with a name.
func noteKey(name string) []byte {
	return codec.AppendString(catalogKey(noteSpace), name)
}

// Note returns the note with the name, or nil where there is none.
func (t *Tx) Note(name string) ([]byte, error) {
	key := noteKey(name)
	sealed, found, err := t.GetKey(key)
	if err != nil || !found {
		return nil, err
	}
	value, err := codec.OpenEntry(sealed, key)
	return value, record.Corrupt(nil, nil, err)
}

// SetNote keeps a note under a name, in place of an earlier one; nil removes it.
func (t *Tx) SetNote(name string, value []byte) error {
	key := noteKey(name)
	if len(key) > record.MaxKey {
		return fmt.Errorf("the name of the note has %d bytes: %w", len(name), record.ErrKeyTooLarge)
	}
	if value == nil {
		return t.DeleteKey(key)
	}
	return t.SetKey(key, codec.SealEntry(nil, key, value))
}
