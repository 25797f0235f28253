package backup

import (
	"bytes"
	"errors"

	"github.com/kivisdb/kivis/internal/tables"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// A transaction of a restore has about so many bytes and changes.
const (
	batchBytes   = 1 << 20
	batchChanges = 4096
)

// batch is what the next transaction writes.
type batch struct {
	changes []store.Change
	bytes   int
}

func (b *batch) add(key, value []byte) {
	b.changes = append(b.changes, store.Change{Key: key, Value: value})
	b.bytes += len(key) + len(value)
}

func (b *batch) full() bool { return b.bytes >= batchBytes || len(b.changes) >= batchChanges }

// copy writes every entry but those that end writes.
func (r *restoring) copy() error {
	cur := r.chain.Scan(store.Range{})
	defer cur.Close()
	skip := [][]byte{tables.HeaderKey(), schema.IncarnationKey(), tables.RestoringKey()}
	var b batch
	for cur.Next() {
		key := cur.Key() // it stays, as the value does
		if bytes.Compare(key, skip[2]) <= 0 && (bytes.Equal(key, skip[0]) || bytes.Equal(key, skip[1]) || bytes.Equal(key, skip[2])) {
			continue
		}
		b.add(key, cur.Value())
		if b.full() {
			if err := r.flush(&b); err != nil {
				return err
			}
		}
	}
	if err := cur.Err(); err != nil {
		return err
	}
	return r.flush(&b)
}

// clear deletes what an earlier Restore has written, but the mark.
func (r *restoring) clear() error {
	for {
		b, err := r.rest()
		if err != nil || len(b.changes) == 0 {
			return err
		}
		if err := r.flush(&b); err != nil {
			return err
		}
	}
}

// rest returns the deletion of the first keys in the store.
func (r *restoring) rest() (b batch, err error) {
	kv, err := r.st.Begin(r.ctx, false)
	if err != nil {
		return b, err
	}
	defer kv.Discard()
	cur, err := kv.Scan(store.Range{KeysOnly: true})
	if err != nil {
		return b, err
	}
	defer cur.Close()
	for !b.full() && cur.Next() {
		if !bytes.Equal(cur.Key(), tables.RestoringKey()) {
			b.add(bytes.Clone(cur.Key()), nil)
		}
	}
	return b, cur.Err()
}

// flush commits the batch and empties it.
func (r *restoring) flush(b *batch) error {
	err := r.write(b.changes)
	clear(b.changes)
	b.changes, b.bytes = b.changes[:0], 0
	return err
}

// write commits changes, in two halves where they are too much for the store.
func (r *restoring) write(changes []store.Change) error {
	err := r.own(func(kv store.Tx) error {
		for _, c := range changes {
			var err error
			if c.Value == nil {
				err = kv.Delete(c.Key)
			} else {
				err = kv.Set(c.Key, c.Value)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if half := len(changes) / 2; half > 0 && errors.Is(err, store.ErrTxTooLarge) {
		if err := r.write(changes[:half]); err != nil {
			return err
		}
		return r.write(changes[half:])
	}
	return err
}
