package cache

import (
	"context"
	"errors"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/occ"
)

// Commit implements [occ.Engine]: the origin decides. What the transaction has
// read becomes part of a transaction of the origin's, which began later, unless
// something of it was written in between. So it makes no difference who has
// answered a read.
func (e *engine) Commit(tx *occ.Tx) (uint64, error) {
	ctx := context.Background()
	at, err := e.origin.Begin(ctx, true)
	if err != nil {
		return 0, e.failure(err)
	}
	defer at.Discard()
	if err := e.unwritten(ctx, tx, at.Version()); err != nil {
		return 0, err
	}
	if err := hand(tx, at); err != nil {
		return 0, err
	}
	version, err := at.Commit()
	if err != nil {
		if errors.Is(err, store.ErrCommitUnknown) {
			e.letGo(tx)
		}
		return 0, err
	}
	e.take(ctx, tx, version)
	return version, nil
}

// unwritten returns ErrConflict where something that tx has read was written
// after its snapshot, up to version.
func (e *engine) unwritten(ctx context.Context, tx *occ.Tx, version uint64) error {
	read := tx.Reads()
	switch {
	case version == tx.Version() || read.Len() == 0:
		return nil
	case version < tx.Version():
		return store.ErrConflict // the origin has gone back: it is another
	case e.hist.newest.Load() < version:
		if err := e.follow(ctx, version); err != nil {
			return e.failure(err)
		}
	}
	// A transaction of an earlier life of the origin has been ended.
	as := moment{tx.Version(), e.hist.era.Load()}
	for lo, hi := range read.All() {
		if _, some, _ := e.hist.firstIn(lo, hi, false, as); some {
			return store.ErrConflict
		}
	}
	return nil
}

// hand makes what tx has read and written part of a transaction of the origin's.
func hand(tx *occ.Tx, to store.Tx) error {
	for lo, hi := range tx.Reads().All() {
		if err := to.Guard(lo, hi); err != nil {
			return err
		}
	}
	for w := range tx.Overlay().All() {
		if err := handWrite(w, to); err != nil {
			return err
		}
	}
	return nil
}

func handWrite(w occ.Entry, to store.Tx) error {
	if to, ok := to.(*occ.Tx); ok {
		return to.Adopt(w)
	}
	switch {
	case w.Deleted():
		return to.Delete(w.Key())
	case w.Created():
		return store.Create(to, w.Key(), w.Value())
	}
	return to.Set(w.Key(), w.Value())
}

// take has the layers take in a commit, or else let go of what it has written:
// the next Begin then follows.
func (e *engine) take(ctx context.Context, tx *occ.Tx, version uint64) {
	if e.current.Load().as.version >= version {
		return
	}
	if err := e.follow(ctx, version); err != nil {
		e.letGo(tx)
	}
}

// letGo has the layers forget what tx has written.
func (e *engine) letGo(tx *occ.Tx) {
	var writes []write
	for w := range tx.Overlay().All() {
		writes = append(writes, write{key: w.Key()})
	}
	for _, l := range e.layers {
		l.letGo(writes)
	}
}
