package tables

import (
	"context"
	"errors"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/internal/retry"
	"github.com/kivisdb/kivis/store"
)

// consumerKey returns the key under which a consumer's position is kept: its
// text, and empty until there is one.
func consumerKey(name string) []byte {
	return codec.AppendString(catalogKey(consumerSpace), name)
}

// Consumer returns the position of a consumer, and whether it is known.
func (db *DB) Consumer(ctx context.Context, name string) (position string, known bool, err error) {
	value, err := store.Get(ctx, db.store, consumerKey(name))
	if errors.Is(err, store.ErrNotFound) {
		return "", false, nil
	}
	return string(value), err == nil, err
}

// HasConsumers reports whether any consumer is known.
func (db *DB) HasConsumers(ctx context.Context) (bool, error) {
	kv, err := db.store.Begin(store.Offline(ctx), false)
	if err != nil {
		return false, err
	}
	defer kv.Discard()
	r := record.PrefixRange(catalogKey(consumerSpace))
	r.KeysOnly = true
	c, err := kv.Scan(r)
	if err != nil {
		return false, err
	}
	defer c.Close()
	return c.Next(), c.Err()
}

// AddConsumer notes a consumer, unless it is known.
func (db *DB) AddConsumer(ctx context.Context, name string) error {
	return db.changeKey(ctx, consumerKey(name), func(kv store.Tx, key []byte) error {
		if _, err := kv.Get(key); !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return kv.Set(key, nil)
	})
}

// DropConsumer forgets a consumer.
func (db *DB) DropConsumer(ctx context.Context, name string) error {
	return db.changeKey(ctx, consumerKey(name), store.Tx.Delete)
}

// ConsumerPosition returns the position of a consumer; "" where there is none.
func (t *Tx) ConsumerPosition(name string) (string, error) {
	value, err := t.kv.Get(consumerKey(name))
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	return string(value), err
}

// SetConsumerPosition sets it.
func (t *Tx) SetConsumerPosition(name, position string) error {
	return t.kv.Set(consumerKey(name), []byte(position))
}

// changeKey changes one key of the catalog in a transaction of its own, again
// after a conflict.
func (db *DB) changeKey(ctx context.Context, key []byte, change func(kv store.Tx, key []byte) error) error {
	_, err := db.loop.Run(ctx, &keyChange{db, key, change})
	err, _ = retry.Unmark(err)
	return err
}

// keyChange is a changeKey under way.
type keyChange struct {
	db     *DB
	key    []byte
	change func(kv store.Tx, key []byte) error
}

// Attempt makes the change.
func (c *keyChange) Attempt(ctx context.Context) error {
	kv, err := c.db.store.Begin(ctx, true)
	if err != nil {
		return err
	}
	defer kv.Discard()
	if err := c.change(kv, c.key); err != nil {
		return err
	}
	_, err = kv.Commit()
	return retry.Conflict(err)
}
