package backup

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/kivisdb/kivis/internal/backupfile"
	"github.com/kivisdb/kivis/internal/tables"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// ErrNotEmpty: the store that is to be restored into holds something.
var ErrNotEmpty = errors.New("the store is not empty")

// Verify reads all of the files, and returns an error that matches
// store.ErrCorrupt where a byte is not what was written, or
// schema.ErrNewerFormat where a newer release made the backup or the database
// in it.
func Verify(ctx context.Context, c *backupfile.Chain) error {
	if err := c.Verify(ctx, nil); err != nil {
		return err
	}
	b, err := c.Get(tables.HeaderKey())
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("there is no database in the backup: %w", store.ErrCorrupt)
	}
	if err == nil {
		_, err = schema.DecodeHeader(b)
	}
	return err
}

// Restore verifies the files and copies what they hold into the store, which is
// empty or in the middle of an earlier Restore, and draws a new incarnation.
func Restore(ctx context.Context, st store.Store, c *backupfile.Chain) error {
	if err := Verify(ctx, c); err != nil {
		return err
	}
	r := &restoring{ctx: ctx, st: st, chain: c, mark: make([]byte, 16)}
	rand.Read(r.mark)
	again, err := r.begin()
	if err != nil {
		return err
	}
	if again {
		if err := r.clear(); err != nil {
			return err
		}
	}
	if err := r.copy(); err != nil {
		return err
	}
	return r.end()
}

// restoring is a Restore under way.
type restoring struct {
	ctx   context.Context
	st    store.Store
	chain *backupfile.Chain
	mark  []byte // the value under tables.RestoringKey, which no other Restore has
}

// begin marks the store, and reports whether an earlier Restore has left
// anything in it.
func (r *restoring) begin() (again bool, err error) {
	err = r.commit(func(kv store.Tx) error {
		_, err := kv.Get(tables.RestoringKey())
		again = err == nil
		if errors.Is(err, store.ErrNotFound) {
			err = checkEmpty(kv)
		}
		if err != nil {
			return err
		}
		return kv.Set(tables.RestoringKey(), r.mark)
	})
	return again, err
}

func checkEmpty(kv store.Tx) error {
	cur, err := kv.Scan(store.Range{KeysOnly: true})
	if err != nil {
		return err
	}
	defer cur.Close()
	if cur.Next() {
		return ErrNotEmpty
	}
	return cur.Err()
}

// end makes the store a database, in one transaction.
func (r *restoring) end() error {
	header, err := r.chain.Get(tables.HeaderKey())
	if err != nil {
		return err
	}
	return r.own(func(kv store.Tx) error {
		if err := kv.Set(tables.HeaderKey(), header); err != nil {
			return err
		}
		if err := kv.Set(schema.IncarnationKey(), schema.NewIncarnation().Encode()); err != nil {
			return err
		}
		return kv.Delete(tables.RestoringKey())
	})
}

// own is commit as long as the mark is this Restore's.
func (r *restoring) own(write func(kv store.Tx) error) error {
	return r.commit(func(kv store.Tx) error {
		mark, err := kv.Get(tables.RestoringKey())
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if !bytes.Equal(mark, r.mark) {
			return fmt.Errorf("another restore into the store has begun: %w", store.ErrInUse)
		}
		return write(kv)
	})
}

// commit runs write in a transaction, again after a conflict.
func (r *restoring) commit(write func(kv store.Tx) error) error {
	for {
		err := r.try(write)
		if err == nil || !errors.Is(err, store.ErrConflict) || r.ctx.Err() != nil {
			return err
		}
	}
}

func (r *restoring) try(write func(kv store.Tx) error) error {
	kv, err := r.st.Begin(r.ctx, true)
	if err != nil {
		return err
	}
	defer kv.Discard()
	if err := write(kv); err != nil {
		return err
	}
	_, err = kv.Commit()
	return err
}
