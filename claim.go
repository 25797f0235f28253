package kivis

import (
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"sync"
	"weak"

	"github.com/kivisdb/kivis/store"
)

// claims are the stores that have a DB in this process: a second one would
// have a schema, sequences and caches of its own, which know nothing of the
// first one's. A DB that is dropped without a Close gives up its claim.
var claims sync.Map // claim -> weak.Pointer[DB]

// claim identifies a store by its address.
type claim struct {
	typ  reflect.Type
	addr uintptr
}

// claimStore notes that db is the one over s, or returns ErrInUse. A store
// without an address of its own is let pass.
func (db *DB) claimStore(s store.Store) error {
	v := reflect.ValueOf(s)
	switch {
	case s == nil || v.Kind() == reflect.Pointer && v.IsNil():
		return errors.New("the store is nil")
	case v.Kind() != reflect.Pointer || v.Type().Elem().Size() == 0:
		return nil
	}
	id, mine := claim{v.Type(), v.Pointer()}, weak.Make(db)
	for {
		have, taken := claims.LoadOrStore(id, mine)
		if !taken {
			break
		}
		if have.(weak.Pointer[DB]).Value() != nil {
			return fmt.Errorf("%w: another DB of this process has the store", ErrInUse)
		}
		if claims.CompareAndSwap(id, have, mine) {
			break
		}
	}
	drop := func(id claim) { claims.CompareAndDelete(id, mine) }
	runtime.AddCleanup(db, drop, id)
	db.unclaim = func() { drop(id) }
	return nil
}
