package tables

import (
	"bytes"
	"errors"

	"github.com/kivisdb/kivis/store"
)

// ErrRestoring: a backup is being restored into the store, or a restore has
// been broken off.
var ErrRestoring = errors.New("a restore into the store has not ended")

// HeaderKey returns the key of the catalog's header: a store that has it holds a
// database.
func HeaderKey() []byte { return bytes.Clone(headerKey) }

// RestoringKey returns the key that a store has as long as a backup is being
// restored into it. The catalog's header comes as it goes.
func RestoringKey() []byte { return bytes.Clone(restoringKey) }

// checkRestored returns an error where a restore has not ended, as kv sees it.
func checkRestored(kv store.Tx) error {
	_, err := kv.Get(restoringKey)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	return ErrRestoring
}
