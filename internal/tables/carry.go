package tables

import (
	"bytes"
	"errors"
	"iter"

	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// Records that get other keys are carried from a table to the one that takes its
// place. Under which key each has come is noted in the catalog, by its old key,
// until all is done: see [schema.Move].

// CarriedPrefix is what the keys of the catalog begin with under which the new keys
// of a table's records are. The prefix itself is the key of how far the references of
// the copied records have been mended.
func CarriedPrefix(from uint32) []byte { return catalogKey(carriedSpace, from) }

// carriedRange is all notes of new keys of a table's records.
func carriedRange(from uint32) store.Range {
	r := record.PrefixRange(CarriedPrefix(from))
	r.Lo = append(r.Lo, 0)
	return r
}

// LastCarried returns the old key of the last record that has been carried from a
// table, in the order of old keys, or nil. Records are carried in that order.
func (t *Tx) LastCarried(from uint32) ([]byte, error) {
	r := carriedRange(from)
	r.Reverse, r.KeysOnly = true, true
	c, err := t.kv.Scan(r)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if !c.Next() {
		return nil, c.Err()
	}
	return bytes.Clone(c.Key()[len(CarriedPrefix(from)):]), nil
}

// CountCarried returns how many records have been carried from a table.
func (t *Tx) CountCarried(from uint32) (int, error) {
	r := carriedRange(from)
	r.KeysOnly = true
	return store.Count(t.kv, r)
}

// Mended returns the old key of the last record whose references have been mended, or
// nil.
func (t *Tx) Mended(from uint32) ([]byte, error) {
	old, err := t.kv.Get(CarriedPrefix(from))
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return old, err
}

// SetMended notes how far references have been mended.
func (t *Tx) SetMended(from uint32, old []byte) error {
	return t.kv.Set(CarriedPrefix(from), bytes.Clone(old))
}

// Carry writes the record that src gives as a new one of tb, which takes the place
// of from, where it has the key old. References are not looked at.
func (t *Tx) Carry(tb *schema.Table, from uint32, old []byte, src Source) error {
	w := put{tb: tb, mode: Insert, carried: true, key: Key{Drawn: -1}}
	if err := t.prepare(&w, src); err != nil {
		return err
	}
	if err := t.apply(&w); err != nil {
		return err
	}
	return t.kv.Set(append(CarriedPrefix(from), old...), bytes.Clone(w.key.Tuple))
}

// CarriedTo returns the key that the record of a table has got which had the key
// old, or ErrNotFound.
func (t *Tx) CarriedTo(from uint32, old []byte) ([]byte, error) {
	tuple, err := t.kv.Get(append(CarriedPrefix(from), old...))
	return tuple, notFound(err)
}

// CarriedKeys returns the old and the new key of each record that has been carried
// from a table, from the first old one behind after on. They are good until the
// loop goes on.
func (t *Tx) CarriedKeys(from uint32, after []byte) iter.Seq2[[2][]byte, error] {
	return func(yield func([2][]byte, error) bool) {
		prefix, r := CarriedPrefix(from), carriedRange(from)
		if after != nil {
			r.Lo = append(append(bytes.Clone(prefix), after...), 0)
		}
		c, err := t.kv.Scan(r)
		if err != nil {
			yield([2][]byte{}, err)
			return
		}
		defer c.Close()
		for c.Next() {
			if !yield([2][]byte{c.Key()[len(prefix):], c.Value()}, nil) {
				return
			}
		}
		if err := c.Err(); err != nil {
			yield([2][]byte{}, err)
		}
	}
}

// CarryRef has the record with the body refer through c.Is to what the record with
// the body was, of the table as it was, refers to through c.Was. It returns the body
// grown or shrunk.
func (t *Tx) CarryRef(c schema.CarriedRef, was, body record.Body) (record.Body, error) {
	old, null, err := was.Target(nil, c.Was)
	if err != nil || null {
		return body, err
	}
	tuple, err := t.CarriedTo(c.Was.Target.ID, old)
	if errors.Is(err, ErrNotFound) {
		return body, nil // it refers to nothing, which no rule forbids
	}
	if err != nil {
		return body, err
	}
	values, err := t.keyValues(c.Is.Target, tuple)
	if err != nil {
		return body, err
	}
	parts := c.Is.Parts
	if len(parts) == 1 && len(values) > 1 {
		values = [][]byte{record.Struct(values)}
	}
	for i := range parts {
		body.Bytes = record.Splice(body.Bytes, 0, body.Offs, parts[i].Column, values[i])
	}
	return body, nil
}

// keyValues returns the columns of the key of a record.
func (t *Tx) keyValues(tb *schema.Table, tuple []byte) ([][]byte, error) {
	value, err := t.Get(tb, tuple)
	if err != nil {
		return nil, err
	}
	b, _, err := record.Open(tb, tuple, value, nil, nil)
	if err != nil {
		return nil, err
	}
	var values [][]byte
	for i := range tb.Key.Parts {
		p := &tb.Key.Parts[i]
		if p.Column < 0 {
			return nil, errors.New("a reference to a table whose key is computed cannot be carried along: give the record's own migration")
		}
		v, err := b.Part(p)
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	return values, nil
}

// Mend writes the record with the key tuple anew, with other references, which are
// not looked at.
func (t *Tx) Mend(tb *schema.Table, tuple []byte, mend func(record.Body) (record.Body, error)) error {
	value, err := t.Get(tb, tuple)
	if err != nil {
		return err
	}
	w := put{tb: tb, mode: Replace, carried: true, old: value, current: true, key: Key{Tuple: bytes.Clone(tuple), Drawn: -1}}
	if err := t.copyOld(&w); err != nil {
		return err
	}
	b, err := mend(record.Body{Bytes: bytes.Clone(w.new.Bytes), Offs: w.new.Offs})
	if err != nil {
		return err
	}
	w.value = append(w.value[:len(w.value)-len(w.new.Bytes)], b.Bytes...)
	w.new = record.Body{Bytes: w.value[len(w.value)-len(b.Bytes):], Offs: b.Offs}
	t.buf.value, t.buf.offs = w.value, b.Offs
	return t.apply(&w)
}

// PassIDs has the sequence of tb, whose key is auto-increment, go on behind all that
// the sequence of another table has given.
func (t *Tx) PassIDs(tb *schema.Table, from uint32) error {
	key := sequenceKey(from)
	value, err := t.kv.Get(key)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	next, err := decodeMark(value, key)
	if err == nil && next > 1 {
		t.passID(tb, next-1)
	}
	return err
}
