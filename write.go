package kivis

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// mode is what a write expects of the record that may be there.
type mode uint8

const (
	insert  mode = iota // none
	put                 // any
	replace             // one
)

// write is one record on its way into the store, encoded.
type write struct {
	tb      *schema.Table
	mode    mode
	fresh   bool   // the key was generated just now
	given   uint64 // the id that the caller set, which the sequence must pass; 0 for none
	tuple   []byte // key tuple
	value   []byte // header and body; apply appends the checksum
	new     body
	old     []byte // stored value of the record as it was read; see known
	known   bool   // old has been read in this transaction and not written since
	changes bool   // the new record was made from old
}

// put encodes rec and writes it. It returns the key tuple, which the next
// write overwrites.
func (t *txn) put(tb *schema.Table, rec *record, m mode) ([]byte, error) {
	w := write{tb: tb, mode: m}
	if err := t.prepare(&w, rec); err != nil {
		return w.tuple, err
	}
	return w.tuple, t.apply(&w)
}

// prepare validates rec, generates its key if it needs one, and encodes it.
func (t *txn) prepare(w *write, rec *record) error {
	if !t.write {
		return ErrReadOnly
	}
	t.freeze()
	if err := rec.validate(); err != nil {
		return err
	}
	if err := t.generate(w, rec); err != nil {
		return err
	}
	if err := t.encode(w, rec); err != nil {
		return err
	}
	if w.tb.Key.Kind == schema.KeyContent {
		if err := t.setContentKey(w, rec); err != nil {
			return err
		}
	}
	return t.encodeKey(w, rec)
}

// encode makes w's value and body from the record.
func (t *txn) encode(w *write, rec *record) error {
	b := codec.AppendHeader(t.buf.value[:0], w.tb.Version)
	start := len(b)
	b, offs, err := w.tb.Encoder().Encode(b, rec.p, t.buf.offs[:0])
	t.buf.value, t.buf.offs = b, offs
	if err != nil {
		return err
	}
	w.value, w.new = b, body{b[start:], offs}
	return nil
}

// encodeKey makes w's key tuple from the record and checks its size.
func (t *txn) encodeKey(w *write, rec *record) error {
	b := append(t.buf.key[:0], w.tb.Prefix(0)...)
	start := len(b)
	var err error
	if w.tb.Key.Kind == schema.KeyCustom {
		b, err = w.tb.AppendCustomKey(b, rec.value())
	} else {
		b, err = w.tb.AppendKey(b, rec.p)
	}
	t.buf.key = b
	if err != nil {
		return err
	}
	w.tuple = b[start:]
	if len(w.tuple) > maxKey {
		return fmt.Errorf("%w: the primary key takes %d bytes, at most %d are allowed", ErrKeyTooLarge, len(w.tuple), maxKey)
	}
	return nil
}

// apply writes an encoded record with its index entries, after checking what
// the mode, the unique indexes and the references ask for.
func (t *txn) apply(w *write) error {
	t.writes++
	key := t.buf.recordKey(w.tb, w.tuple)
	w.tuple = key[len(w.tb.Prefix(0)):]
	if err := t.before(w, key); err != nil {
		return err
	}
	w.value = codec.Seal(w.value, 0, w.tb.ID, w.tuple)
	t.buf.value = w.value
	t.note(w)
	if w.old != nil && bytes.Equal(w.old, w.value) {
		return nil
	}
	var old body
	if w.old != nil {
		var err error
		if old, err = t.openOld(w.tb, w.tuple, w.old); err != nil {
			return err
		}
	}
	if err := t.reindex(w, old); err != nil {
		return err
	}
	if err := t.checkRefs(w, old); err != nil {
		return err
	}
	return t.kv.Set(key, w.value)
}

// before reads the record that w replaces, unless it is known, and holds it
// against w's mode. A generated key is guarded instead: nobody can have it.
func (t *txn) before(w *write, key []byte) (err error) {
	switch {
	case w.fresh:
		end := append(t.buf.target[:0], key...)
		t.buf.target = append(end, 0)
		return t.kv.Guard(key, t.buf.target)
	case !w.known:
		w.old, err = t.kv.Get(key)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	switch {
	case w.mode == insert && w.old != nil:
		return t.taken(w)
	case w.mode == replace && w.old == nil:
		return ErrNotFound
	case w.given > 0 && w.old == nil:
		return t.pass(w.tb, w.given)
	}
	return nil
}

// taken explains that a new record's key is in use.
func (t *txn) taken(w *write) error {
	switch w.tb.Key.Kind {
	case schema.KeyAuto, schema.KeyUUID:
		return fmt.Errorf("%w; the generated key was set already: leave it zero to have one drawn", ErrExists)
	case schema.KeyContent:
		return fmt.Errorf("%w with the same content", ErrExists)
	}
	return ErrExists
}

// open checks a stored value and returns its body in the newest layout. What
// it returns is valid as long as value, or until buf is used again.
func openRecord(tb *schema.Table, tuple, value, buf []byte) (body, grown []byte, err error) {
	version, body, err := codec.Open(value, tb.ID, tuple)
	if err != nil || version == tb.Version {
		return body, buf, err
	}
	conv, err := tb.Converter(version)
	if err != nil {
		return nil, buf, err
	}
	buf, err = conv.Convert(buf[:0], body)
	return buf, buf, err
}

// openOld opens the value of a record about to be replaced or deleted.
func (t *txn) openOld(tb *schema.Table, tuple, value []byte) (b body, err error) {
	b.bytes, t.buf.oldBody, err = openRecord(tb, tuple, value, t.buf.oldBody)
	if err != nil {
		return b, asCorrupt(tb, refTo(tb, tuple), err)
	}
	b.offs, err = codec.Split(b.bytes, len(tb.Columns), t.buf.oldOffs[:0])
	t.buf.oldOffs = b.offs
	if err != nil {
		return b, asCorrupt(tb, refTo(tb, tuple), err)
	}
	return b, nil
}

// reindex brings the index entries of a record from its old body, if there is
// one, to its new one. Entries that stay the same are not touched.
func (t *txn) reindex(w *write, old body) error {
	for _, ix := range w.tb.Indexes {
		if old.bytes != nil && same(old, w.new, ix.Parts) {
			continue
		}
		want, have := &t.buf.want, &t.buf.have
		if err := want.fill(w.tb, ix, w.new, w.tuple); err != nil {
			return err
		}
		have.list = have.list[:0]
		if old.bytes != nil {
			if err := have.fill(w.tb, ix, old, w.tuple); err != nil {
				return err
			}
		}
		if err := t.swap(w, ix, have, want); err != nil {
			return err
		}
	}
	return nil
}

// swap replaces the entries have by the entries want.
func (t *txn) swap(w *write, ix *schema.Index, have, want *entries) error {
	for i := range have.list {
		if key := have.key(i); !want.has(key) {
			if err := t.kv.Delete(key); err != nil {
				return err
			}
		}
	}
	for i := range want.list {
		key := want.key(i)
		if len(have.list) > 0 && have.has(key) {
			continue
		}
		if want.list[i].unique {
			if err := t.checkUnique(w, ix, key); err != nil {
				return err
			}
		}
		if err := t.setEntry(want, i, w.tuple); err != nil {
			return err
		}
	}
	return nil
}

// setEntry writes entry i of the record with the key tuple.
func (t *txn) setEntry(e *entries, i int, tuple []byte) error {
	value := e.value(i, t.buf.holder, tuple)
	if value != nil {
		t.buf.holder = value
	}
	return t.kv.Set(e.key(i), value)
}

// checkUnique fails if another record holds the unique entry key.
func (t *txn) checkUnique(w *write, ix *schema.Index, key []byte) error {
	value, err := t.kv.Get(key)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	holder, err := codec.OpenEntry(value, key)
	if err != nil {
		return &CorruptError{Table: w.tb.Name, Index: ix.Name, Err: err}
	}
	if bytes.Equal(holder, w.tuple) {
		return nil
	}
	at := refTo(w.tb, holder)
	return &UniqueError{Table: w.tb.Name, Index: ix.Name, Key: at.value(), at: at}
}
