package tables

import (
	"bytes"
	"errors"
	"testing"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/internal/msgpack"
	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

var prefixRange = record.PrefixRange

func TestPut(t *testing.T) {
	for _, c := range []struct {
		name    string
		mode    Mode
		body    body
		want    error
		entries int // of the unique index afterwards
	}{
		{"insert", Insert, ownerBody(0, "z"), nil, 3},
		{"insert under a key that is there", Insert, ownerBody(1, "z"), ErrExists, 2},
		{"upsert what is there", Upsert, ownerBody(1, "z"), nil, 2},
		{"upsert what is not", Upsert, ownerBody(7, "z"), nil, 3},
		{"replace what is there", Replace, ownerBody(2, "z"), nil, 2},
		{"replace what is not", Replace, ownerBody(7, "z"), ErrNotFound, 2},
		{"a value of another record", Insert, ownerBody(0, "a"), ErrExists, 2},
		{"its own value", Replace, ownerBody(1, "a"), nil, 2},
		{"an id of the upper half, which leaves the sequence", Insert, ownerBody(1<<63+1, "z"), nil, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			f.fill(2)
			if err := f.put(f.owners, c.mode, c.body); !errors.Is(err, c.want) {
				t.Errorf("error = %v, want %v", err, c.want)
			}
			if got := f.entries(f.owners); got != c.entries {
				t.Errorf("%d entries, want %d", got, c.entries)
			}
		})
	}
}

// TestPutKey: a key that is drawn comes back with the place of its part, and is
// spliced into the body.
func TestPutKey(t *testing.T) {
	f := newFixture(t)
	f.must(f.write(func(t *Tx) error {
		for id := uint64(1); id <= 3; id++ {
			key, err := t.Put(f.owners, Insert, ownerBody(0, string(rune('a'+id))))
			if err != nil || key.Drawn != 0 || !bytes.Equal(key.Tuple, tupleOf(id)) {
				f.Errorf("key %x drawn at %d, %v; want %x at 0", key.Tuple, key.Drawn, err, tupleOf(id))
			}
		}
		key, err := t.Put(f.owners, Insert, ownerBody(20, "z"))
		if err != nil || key.Drawn != -1 {
			f.Errorf("a given key drawn at %d, %v; want -1", key.Drawn, err)
		}
		return nil
	}))
	got, _ := f.column(f.owners, 3, 0)
	if want := msgpack.AppendUint(nil, 3); !bytes.Equal(got, want) {
		t.Errorf("key column %x, want %x", got, want)
	}
}

func TestPutReadOnly(t *testing.T) {
	f := newFixture(t)
	f.fill(1)
	tx, err := f.db.Begin(t.Context(), false)
	f.must(err)
	defer tx.Release()
	f.must(tx.Enter())
	defer tx.Leave()
	if _, err := tx.Put(f.owners, Insert, ownerBody(0, "z")); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("Put: %v, want %v", err, store.ErrReadOnly)
	}
	if err := tx.Modify(f.owners, tupleOf(1), ownerBody(1, "z")); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("Modify: %v, want %v", err, store.ErrReadOnly)
	}
	if err := tx.Delete(f.owners, tupleOf(1)); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("Delete: %v, want %v", err, store.ErrReadOnly)
	}
}

func TestModify(t *testing.T) {
	for _, c := range []struct {
		name string
		id   uint64
		to   body
		want error
	}{
		{"another name", 1, ownerBody(1, "z"), nil},
		{"the same name", 1, ownerBody(1, "a"), nil},
		{"a name that is taken", 1, ownerBody(1, "b"), ErrExists},
		{"another key", 1, ownerBody(5, "z"), ErrKeyChanged},
		{"no record", 9, ownerBody(9, "z"), ErrNotFound},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			f.fill(2)
			err := f.write(func(t *Tx) error { return t.Modify(f.owners, tupleOf(c.id), c.to) })
			if !errors.Is(err, c.want) {
				t.Errorf("error = %v, want %v", err, c.want)
			}
			want := msgpack.AppendString(nil, "a")
			if c.want == nil {
				want = c.to[1]
			}
			if got, _ := f.column(f.owners, 1, 1); !bytes.Equal(got, want) {
				t.Errorf("name %x, want %x", got, want)
			}
			if got := f.entries(f.owners); got != 2 {
				t.Errorf("%d entries, want 2", got)
			}
		})
	}
}

// TestDelete deletes owner 1, with each delete rule in the way, in tables whose
// types nobody knows.
func TestDelete(t *testing.T) {
	for _, c := range []struct {
		name   string
		things []body
		want   error
		owner  bool // is there afterwards
		thing1 bool // is there
		null   bool // it has no borrower any more
	}{
		{"nobody refers to it", nil, nil, false, false, false},
		{"cascade", []body{thingBody(1, 1, 0, 0)}, nil, false, false, false},
		{"set null", []body{thingBody(1, 2, 1, 2)}, nil, false, true, true},
		{"restrict", []body{thingBody(1, 2, 2, 1)}, ErrReference, true, true, false},
		{"restrict by a record that goes too", []body{thingBody(1, 1, 0, 1)}, nil, false, false, false},
		{"cascade, and restrict by another", []body{thingBody(1, 1, 2, 0), thingBody(2, 2, 0, 1)}, ErrReference, true, true, false},
		{"set null in a record that goes too", []body{thingBody(1, 1, 1, 0)}, nil, false, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			f.fill(2)
			for _, b := range c.things {
				f.must(f.put(f.things, Insert, b))
			}
			before := f.entries(f.things)
			err := f.write(func(t *Tx) error { return t.Delete(f.owners, tupleOf(1)) })
			if !errors.Is(err, c.want) {
				t.Errorf("error = %v, want %v", err, c.want)
			}
			if got := f.has(f.owners, 1); got != c.owner {
				t.Errorf("the owner is there: %v, want %v", got, c.owner)
			}
			borrower, ok := f.column(f.things, 1, 2)
			if ok != c.thing1 {
				t.Errorf("the thing is there: %v, want %v", ok, c.thing1)
			}
			if got := ok && bytes.Equal(borrower, msgpack.AppendNil(nil)); got != c.null {
				t.Errorf("borrower %x is nil: %v, want %v", borrower, got, c.null)
			}
			if got := f.entries(f.things); c.want != nil && got != before || c.want == nil && !ok && got != 0 {
				t.Errorf("%d entries of things, %d before", got, before)
			}
		})
	}
}

func TestReference(t *testing.T) {
	f := newFixture(t)
	f.fill(1)
	var e *ReferenceError
	if err := f.put(f.things, Insert, thingBody(1, 9, 0, 0)); !errors.As(err, &e) || e.Action != "insert" {
		t.Errorf("insert: %v, want a ReferenceError", err)
	}
	f.must(f.put(f.things, Insert, thingBody(1, 1, 0, 0)))
	if err := f.put(f.things, Replace, thingBody(1, 1, 0, 9)); !errors.As(err, &e) || e.Action != "update" {
		t.Errorf("update: %v, want a ReferenceError", err)
	}
}

// TestBatch makes calls on several records that are wrong on the way. Each is
// checked on what it leaves behind.
func TestBatch(t *testing.T) {
	put := func(t *Tx, tb *schema.Table, m Mode, b body) {
		_, err := t.Put(tb, m, b)
		if err != nil {
			panic(err) // within a batch these are found at its end
		}
	}
	for _, c := range []struct {
		name    string
		fn      func(f *fixture, t *Tx) error
		want    error
		culprit []byte
		entries int // of owners afterwards
	}{
		{"names swapped", func(f *fixture, t *Tx) error {
			put(t, f.owners, Replace, ownerBody(1, "b"))
			put(t, f.owners, Replace, ownerBody(2, "a"))
			return nil
		}, nil, nil, 2},
		{"a name taken, its holder kept", func(f *fixture, t *Tx) error {
			put(t, f.owners, Replace, ownerBody(1, "b"))
			return nil
		}, ErrExists, tupleOf(1), 2},
		{"a name taken and given back", func(f *fixture, t *Tx) error {
			put(t, f.owners, Replace, ownerBody(1, "b"))
			put(t, f.owners, Replace, ownerBody(1, "a"))
			return nil
		}, nil, nil, 2},
		{"a child before its parent", func(f *fixture, t *Tx) error {
			put(t, f.things, Insert, thingBody(1, 3, 0, 0))
			put(t, f.owners, Insert, ownerBody(3, "c"))
			return nil
		}, nil, nil, 3},
		{"a child without a parent", func(f *fixture, t *Tx) error {
			put(t, f.things, Insert, thingBody(1, 3, 0, 0))
			return nil
		}, ErrReference, tupleOf(1), 2},
		{"a parent before the child that keeps it", func(f *fixture, t *Tx) error {
			put(t, f.things, Insert, thingBody(1, 0, 0, 2))
			return errors.Join(t.Delete(f.owners, tupleOf(2)), t.Delete(f.things, tupleOf(1)))
		}, nil, nil, 1},
		{"a parent whose child stays", func(f *fixture, t *Tx) error {
			put(t, f.things, Insert, thingBody(1, 0, 0, 2))
			return t.Delete(f.owners, tupleOf(2))
		}, ErrReference, tupleOf(2), 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			f.fill(2)
			var culprit []byte
			err := f.write(func(t *Tx) (err error) {
				culprit, err = t.Batch(func() error { return c.fn(f, t) })
				return err
			})
			if !errors.Is(err, c.want) || !bytes.Equal(culprit, c.culprit) {
				t.Errorf("error %v at %x, want %v at %x", err, culprit, c.want, c.culprit)
			}
			if got := f.entries(f.owners); got != c.entries {
				t.Errorf("%d entries, want %d", got, c.entries)
			}
		})
	}
}

// TestReplay makes the writes of one transaction again in another, from its
// log, and has one refused.
func TestReplay(t *testing.T) {
	f := newFixture(t)
	f.fill(3)
	tx, err := f.db.Begin(t.Context(), true)
	f.must(err)
	tx.KeepLog()
	_, err = tx.Put(f.owners, Replace, ownerBody(1, "z"))
	f.must(err)
	f.must(tx.Delete(f.owners, tupleOf(2)))
	_, err = tx.Put(f.things, Insert, thingBody(1, 3, 0, 0))
	f.must(err)
	log := append([]Write(nil), tx.Log()...)
	tx.Discard() // the memory of the log is still the transaction's
	if len(log) != 3 || !log[1].Of(f.owners, tupleOf(2)) || log[1].Of(f.owners, tupleOf(1)) {
		t.Fatalf("log %v", log)
	}
	f.must(f.replay(log))
	name, _ := f.column(f.owners, 1, 1)
	if want := msgpack.AppendString(nil, "z"); !bytes.Equal(name, want) || f.has(f.owners, 2) || !f.has(f.things, 1) {
		t.Errorf("name %x, owner 2 %v, thing 1 %v; want %x, false, true", name, f.has(f.owners, 2), f.has(f.things, 1), want)
	}
	err = f.replay(log)
	var e *ReplayError
	if !errors.As(err, &e) || !errors.Is(err, ErrExists) || e.Delete || !bytes.Equal(e.Ref.Tuple, tupleOf(1)) || e.Ref.Table.ID != f.things.ID {
		t.Errorf("replayed twice: %v, want that thing 1 exists", err)
	}
}

// replay makes the writes of a log in a transaction of their own. Replay is a
// step, which only a transaction between two calls takes.
func (f *fixture) replay(log []Write) error {
	_, err := f.db.Update(f.Context(), opFunc(func(t *Tx) error { return t.Replay(log) }))
	return err
}

// TestLogIsOff: a transaction keeps its writes only where it is asked to.
func TestLogIsOff(t *testing.T) {
	f := newFixture(t)
	f.must(f.write(func(t *Tx) error {
		_, err := t.Put(f.owners, Insert, ownerBody(0, "a"))
		if n := len(t.Log()); n != 0 {
			f.Errorf("%d writes kept, want none", n)
		}
		return err
	}))
}

// TestStepLeavesNoTrace: what fails inside a step is undone, with its log, its
// functions and its ids.
func TestStepLeavesNoTrace(t *testing.T) {
	f := newFixture(t)
	f.fill(1)
	refused := errors.New("refused")
	ran := 0
	tx, err := f.db.Begin(t.Context(), true)
	f.must(err)
	defer tx.Release()
	tx.KeepLog()
	err = tx.Step(func() error {
		tx.OnCommit(func() { ran++ })
		if _, err := tx.Put(f.owners, Insert, ownerBody(50, "z")); err != nil {
			return err
		}
		return refused
	})
	if !errors.Is(err, refused) || len(tx.Log()) != 0 || len(tx.advances) != 0 {
		t.Errorf("%v, %d writes, %d ids; want %v and none", err, len(tx.Log()), len(tx.advances), refused)
	}
	f.must(tx.Step(func() error { tx.OnCommit(func() { ran += 10 }); return nil }))
	f.must(tx.Commit(t.Context()))
	if ran != 10 || f.has(f.owners, 50) {
		t.Errorf("functions ran: %d, owner 50 there: %v; want 10, false", ran, f.has(f.owners, 50))
	}
}

// TestRecords reads from the middle on, over a damaged record.
func TestRecords(t *testing.T) {
	f := newFixture(t)
	f.fill(4)
	key := append(append([]byte(nil), f.owners.Prefix(0)...), tupleOf(3)...)
	f.must(f.write(func(t *Tx) error { return t.SetKey(key, []byte{0x81, 1, 2, 3, 4, 5}) }))
	tx, err := f.db.Begin(t.Context(), false)
	f.must(err)
	defer tx.Release()
	var ids []uint64
	damaged := 0
	for rec, err := range tx.Records(f.owners, tupleOf(1)) {
		if isDamage(err) {
			damaged++
		} else {
			f.must(err)
		}
		id, _, err := codec.ConsumeUint(rec.Tuple)
		f.must(err)
		ids = append(ids, id)
	}
	if len(ids) != 3 || ids[0] != 2 || ids[2] != 4 || damaged != 1 {
		t.Errorf("ids %v, %d damaged; want 2 to 4, 1", ids, damaged)
	}
}
