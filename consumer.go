package kivis

import (
	"context"
	"errors"
	"fmt"

	"github.com/kivisdb/kivis/internal/live"
	"github.com/kivisdb/kivis/store"
)

// Feed says how long a database keeps what it knows of its changes: how old, and
// how many bytes; see [Table.Changes].
type Feed = store.Feed

// GapError is an [ErrGap] with what is known in it.
type GapError = store.GapError

// ErrBadPosition: a text is not a position that a database gave.
var ErrBadPosition = live.ErrBadPosition

// ErrAcked: a consumer has acknowledged the position, or a later one, already,
// so that what belongs to it has been done.
var ErrAcked = errors.New("the position has been acknowledged already")

// Position returns where the database's changes are now: behind all that was
// committed before the call. [Table.Changes] goes on from it.
func (db *DB) Position(ctx context.Context) (string, error) {
	if err := db.outside(ctx); err != nil {
		return "", wrap("position", nil, nil, err)
	}
	t, err := db.core.Begin(ctx, false)
	if err != nil {
		return "", wrap("position", nil, nil, err)
	}
	defer t.Release()
	return live.Position{After: t.Version()}.Text(db.core.Incarnation()), nil
}

// parsePosition returns the position that a text is, or ErrBadPosition, or ErrGap
// and ErrIncarnation.
func (db *DB) parsePosition(text string) (live.Position, error) {
	at, life, err := live.ParsePosition(text)
	if err == nil && life != db.core.Incarnation() {
		err = fmt.Errorf("%w: %w", ErrGap, ErrIncarnation)
	}
	return at, err
}

// Consumer is a reader of changes whose position the database keeps under a
// name. It is made for one reader at a time.
type Consumer struct {
	db   *DB
	name string
}

// Consumer returns the consumer with a name, which need not exist yet.
func (db *DB) Consumer(name string) *Consumer { return &Consumer{db, name} }

// maxConsumer is how long a consumer's name may be, in bytes.
const maxConsumer = 512

// usable returns why the consumer cannot be used, if it cannot.
func (c *Consumer) usable() error {
	switch {
	case c == nil:
		return errors.New("the consumer is nil")
	case c.name == "":
		return errors.New("a consumer without a name")
	case len(c.name) > maxConsumer:
		return fmt.Errorf("a consumer's name of %d bytes, over %d", len(c.name), maxConsumer)
	}
	return nil
}

// Position returns the last position that was acknowledged, or "" where none has
// been: [Table.Follow] then begins with all records. The first call for a name
// notes the consumer, and from then on the database keeps its changes, within
// the bounds of Options.Feed, for as long as there are consumers.
func (c *Consumer) Position(ctx context.Context) (string, error) {
	position, err := c.position(ctx)
	return position, wrap("consumer position", nil, nil, err)
}

func (c *Consumer) position(ctx context.Context) (string, error) {
	err := c.usable()
	if err == nil {
		err = c.db.outside(ctx)
	}
	if err != nil {
		return "", err
	}
	position, known, err := c.db.core.Consumer(ctx, c.name)
	if err != nil || known {
		return position, err
	}
	if err := c.db.core.KeepFeed(ctx, c.db.feed()); err != nil {
		return "", err
	}
	return "", c.db.core.AddConsumer(ctx, c.name)
}

// Ack notes, in tx, that what comes up to a position has been dealt with. What tx
// writes and the position are committed together, or not at all: so effects in
// the same database happen once for each change. The error is ErrAcked where the
// position was acknowledged before, as by another reader of the same name, and
// tx should then be given up. "" is no position yet, and acknowledges nothing.
func (c *Consumer) Ack(tx *Tx, position string) error {
	return wrap("ack", nil, nil, c.ack(tx, position))
}

func (c *Consumer) ack(tx *Tx, position string) error {
	if err := c.usable(); err != nil {
		return err
	}
	if err := tx.alive(tx.Context()); err != nil {
		return err
	}
	switch {
	case tx.db != c.db:
		return errors.New("the transaction is one of another database")
	case tx.readOnly:
		return ErrReadOnly
	case position == "":
		return nil
	}
	at, err := c.db.parsePosition(position)
	if err != nil {
		return err
	}
	return tx.t.Step(func() error {
		have, err := tx.t.ConsumerPosition(c.name)
		if err != nil {
			return err
		}
		if was, err := c.db.parsePosition(have); err == nil && at.Compare(was) <= 0 {
			return ErrAcked
		}
		return tx.t.SetConsumerPosition(c.name, position)
	})
}

// Forget drops the consumer. With the last one, and without Options.Feed, the
// database stops keeping its changes.
func (c *Consumer) Forget(ctx context.Context) error {
	return wrap("forget consumer", nil, nil, c.forget(ctx))
}

func (c *Consumer) forget(ctx context.Context) error {
	err := c.usable()
	if err == nil {
		err = c.db.outside(ctx)
	}
	if err == nil {
		err = c.db.core.DropConsumer(ctx, c.name)
	}
	if err != nil || c.db.opts.Feed != nil {
		return err
	}
	if more, err := c.db.core.HasConsumers(ctx); err != nil || more {
		return err
	}
	return c.db.core.KeepFeed(ctx, nil)
}

// feed returns the bounds within which the database keeps its changes for
// consumers.
func (db *DB) feed() *Feed {
	if db.opts.Feed != nil {
		return db.opts.Feed
	}
	return &Feed{}
}
