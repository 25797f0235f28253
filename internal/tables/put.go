package tables

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// A Source is a record on its way in.
type Source interface {
	// AppendBody appends the record's body in the newest layout of tb, and
	// returns where each column starts in it, and where the last ends, in the
	// memory of offs. A generated key may be zero.
	AppendBody(dst []byte, offs []uint32, tb *schema.Table) ([]byte, []uint32, error)

	// AppendKey appends the key tuple, of a table whose key is
	// schema.KeyCustom. It is called after AppendBody.
	AppendKey(dst []byte, tb *schema.Table) ([]byte, error)
}

// A WholeSource is a Source that has all columns of the table, also where the
// table's Go type, which is that of an older program, has not.
type WholeSource interface {
	Source
	// Whole does nothing.
	Whole()
}

// A Key is the primary key that a record was written under. It is good until
// the transaction is used again.
type Key struct {
	Tuple []byte
	Drawn int // where in Tuple a part begins that was generated just now; -1 if none was
}

// put is one record on its way into the store, encoded.
type put struct {
	tb       *schema.Table
	mode     Mode
	key      Key
	last     int    // where the last part of the key begins
	newKey   bool   // the key is a new one, which nobody can have
	callerID uint64 // the id that the caller set, which the sequence must pass; 0 for none
	value    []byte // header and body; apply appends the checksum
	new      record.Body
	old      []byte // stored value of the record as it was read; see current
	current  bool   // old has been read in this transaction and not written since
	opened   bool   // and its checksum was right
	carried  bool   // it comes from a table that this one takes the place of: its references are not looked at
	stale    bool   // old is read through a function: its entries are others
}

// Put writes the record that src gives, with its index entries, after checking
// what the mode, the unique indexes and the references ask for. The error is
// ErrExists, ErrNotFound, a [UniqueError], a [ReferenceError], ErrKeyTooLarge,
// ErrExhausted, or one of src. After an error the writes of the call are to be
// undone, as [Tx.Step] does; the key is returned where it is known.
func (t *Tx) Put(tb *schema.Table, mode Mode, src Source) (Key, error) {
	w := put{tb: tb, mode: mode, key: Key{Drawn: -1}}
	if err := t.prepare(&w, src); err != nil {
		return w.key, err
	}
	err := t.apply(&w)
	return w.key, err
}

// prepare encodes the record and completes and encodes its key.
func (t *Tx) prepare(w *put, src Source) error {
	if !t.write {
		return store.ErrReadOnly
	}
	if w.mode != Insert && w.tb.Older() && !t.db.allowOlder {
		if _, whole := src.(WholeSource); !whole {
			return ErrOlderType
		}
	}
	t.freeze()
	b := codec.AppendHeader(t.buf.value[:0], w.tb.Version)
	start := len(b)
	b, offs, err := src.AppendBody(b, t.buf.offs[:0], w.tb)
	t.buf.value, t.buf.offs = b, offs
	if err != nil {
		return err
	}
	w.value, w.new = b, record.Body{Bytes: b[start:], Offs: offs}
	if err := t.generate(w); err != nil {
		return err
	}
	return t.encodeKey(w, src)
}

// splice replaces the value of a column in w's record.
func (t *Tx) splice(w *put, column int, value []byte) {
	start := len(w.value) - len(w.new.Bytes)
	w.value = record.Splice(w.value, start, w.new.Offs, column, value)
	w.new.Bytes = w.value[start:]
	t.buf.value = w.value
}

// encodeKey makes w's key tuple and checks its size.
func (t *Tx) encodeKey(w *put, src Source) (err error) {
	b := append(t.buf.key[:0], w.tb.Prefix(0)...)
	start := len(b)
	if w.tb.Key.Kind == schema.KeyCustom {
		b, err = src.AppendKey(b, w.tb)
	} else {
		b, w.last, err = record.AppendKey(b, w.tb, w.new)
	}
	t.buf.key = b
	if err != nil {
		return err
	}
	w.key.Tuple = b[start:]
	w.last -= start
	return record.CheckKeySize(w.key.Tuple)
}

// apply writes an encoded record.
func (t *Tx) apply(w *put) error {
	t.writes++
	if err := canWrite(w.tb); err != nil && !w.carried {
		return err
	}
	key := t.buf.recordKey(w.tb, w.key.Tuple)
	w.key.Tuple = key[len(w.tb.Prefix(0)):]
	if err := t.checkExisting(w, key); err != nil {
		return err
	}
	w.value = codec.Seal(w.value, 0, w.tb.ID, w.key.Tuple)
	t.buf.value = w.value
	t.log.put(w.tb, w.mode, w.key.Tuple, w.value)
	if w.newKey {
		w.key.Drawn = w.last
	}
	if w.old != nil && bytes.Equal(w.old, w.value) {
		return nil
	}
	var old record.Body
	if w.old != nil {
		var err error
		if old, w.stale, err = t.openIndexed(w.tb, w.key.Tuple, w.old, w.current && w.opened); err != nil {
			return err
		}
	}
	if err := t.reindex(w, old); err != nil {
		return err
	}
	if !w.carried {
		if err := t.checkRefs(w, old); err != nil {
			return err
		}
	}
	return store.SetSealed(t.kv, key, w.value, w.old == nil)
}

// checkExisting reads the record that w replaces, unless that is known, and
// holds it against w's mode. A key that was drawn is guarded instead: nobody
// can have it.
func (t *Tx) checkExisting(w *put, key []byte) (err error) {
	switch {
	case w.newKey && w.tb.Key.Kind != schema.KeyContent:
		end := append(t.buf.target[:0], key...)
		t.buf.target = append(end, 0)
		return t.kv.Guard(key, t.buf.target)
	case !w.current:
		w.old, err = t.kv.Get(key)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	switch {
	case w.mode == Insert && w.old != nil:
		return existsError(w.tb)
	case w.mode == Replace && w.old == nil:
		return ErrNotFound
	case w.callerID > 0 && w.old == nil:
		t.passID(w.tb, w.callerID)
	}
	return nil
}

// existsError explains that a new record's key is in use.
func existsError(tb *schema.Table) error {
	switch tb.Key.Kind {
	case schema.KeyAuto, schema.KeyUUID:
		return fmt.Errorf("%w; the generated key was set already: leave it zero to have one drawn", ErrExists)
	case schema.KeyContent:
		return fmt.Errorf("%w with the same content", ErrExists)
	}
	return ErrExists
}

// canWrite returns schema.ErrMigrating for a table that this program has no
// functions to migrate, or whose records get other keys just now.
func canWrite(tb *schema.Table) error {
	if tb.Moving() {
		return errMoving
	}
	if migrating, able := tb.Migrating(); migrating && !able {
		return schema.ErrMigrating
	}
	return nil
}

var errMoving = fmt.Errorf("the keys of its records, or of those that they refer to, are being changed: %w", schema.ErrMigrating)

// openIndexed is openOld for the body that the record's index entries are of,
// and reports whether that is another.
func (t *Tx) openIndexed(tb *schema.Table, tuple, value []byte, opened bool) (record.Body, bool, error) {
	b, grown, stale, err := record.OpenIndexed(tb, tuple, value, t.buf.oldBody, t.buf.oldOffs, opened)
	t.buf.oldBody = grown
	if b.Offs != nil {
		t.buf.oldOffs = b.Offs
	}
	return b, stale, err
}

// openOld opens the value of a record about to be replaced or deleted, in
// memory that the next openOld uses.
func (t *Tx) openOld(tb *schema.Table, tuple, value []byte) (record.Body, error) {
	b, grown, err := record.Open(tb, tuple, value, t.buf.oldBody, t.buf.oldOffs)
	t.buf.oldBody = grown
	if b.Offs != nil {
		t.buf.oldOffs = b.Offs
	}
	return b, err
}
