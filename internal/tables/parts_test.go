package tables

import (
	"bytes"
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/memstore"
)

// ids is the sequence of a table whose ids go up to max, opened anew.
func ids(max uint64) *sequence { return &sequence{key: sequenceKey(1), max: max, block: minLease / 2} }

// mark returns the stored high-water mark.
func mark(t *testing.T, s store.Store) uint64 {
	t.Helper()
	kv, err := s.Begin(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	defer kv.Discard()
	b, err := kv.Get(sequenceKey(1))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	m, err := decodeMark(b, sequenceKey(1))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestSequence: ids go up by one, are leased before they leave, in blocks that
// grow, and after a crash begin behind the lease.
func TestSequence(t *testing.T) {
	s, ctx := memstore.New(), context.Background()
	defer s.Close()
	take := func(q *sequence, want uint64) {
		t.Helper()
		if id, err := q.take(ctx, s); err != nil || id != want {
			t.Fatalf("took %d, %v; want %d", id, err, want)
		}
	}
	q := ids(1 << 62)
	for id := uint64(1); id <= 20; id++ {
		take(q, id)
		if m := mark(t, s); m <= id {
			t.Fatalf("id %d left before its lease: mark %d", id, m)
		}
	}
	if m := mark(t, s); m != 1+minLease+2*minLease {
		t.Errorf("mark %d, want a block of %d and one of %d", m, minLease, 2*minLease)
	}
	crashed := ids(1 << 62)
	take(crashed, 49)
	if err := crashed.giveBack(ctx, s); err != nil || mark(t, s) != 50 {
		t.Errorf("gave back: %v, mark %d; want 50", err, mark(t, s))
	}
	if err := q.giveBack(ctx, s); err != nil || mark(t, s) != 50 {
		t.Errorf("a lease that is not the last given back: %v, mark %d; want 50", err, mark(t, s))
	}
	next := ids(1 << 62)
	take(next, 50)
	for _, c := range []struct{ past, want uint64 }{{40, 51}, {1000, 1001}, {1001, 1002}, {500, 1003}} {
		if err := next.advance(ctx, s, c.past); err != nil {
			t.Fatal(err)
		}
		take(next, c.want)
	}
}

func TestSequenceEnds(t *testing.T) {
	for _, max := range []uint64{127, 1<<64 - 1} {
		s, ctx := memstore.New(), context.Background()
		defer s.Close()
		q := ids(max)
		if err := q.advance(ctx, s, max-3); err != nil {
			t.Fatal(err)
		}
		var last uint64
		var err error
		for err == nil {
			var id uint64
			if id, err = q.take(ctx, s); err == nil && id <= last {
				t.Fatalf("id %d after %d", id, last)
			} else if err == nil {
				last = id
			}
		}
		want := max
		if max == 1<<64-1 {
			want-- // its successor could not be stored as a mark
		}
		if !errors.Is(err, ErrExhausted) || last != want {
			t.Errorf("ids up to %d ended at %d with %v", max, last, err)
		}
	}
}

// TestMark: a damaged high-water mark is an error.
func TestMark(t *testing.T) {
	key := sequenceKey(1)
	good := encodeMark(77, key)
	if m, err := decodeMark(good, key); m != 77 || err != nil {
		t.Errorf("mark %d, %v; want 77", m, err)
	}
	if m, err := decodeMark(nil, key); m != 1 || err != nil {
		t.Errorf("no mark: %d, %v; want 1", m, err)
	}
	if _, err := decodeMark(good, sequenceKey(2)); !errors.Is(err, codec.ErrCorrupt) {
		t.Errorf("mark of another table: %v", err)
	}
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 1
		if m, err := decodeMark(bad, key); !errors.Is(err, codec.ErrCorrupt) {
			t.Errorf("byte %d changed: %d, %v", i, m, err)
		}
	}
}

func TestLiveList(t *testing.T) {
	var l liveList
	if n, age := l.count(); n != 0 || age != 0 {
		t.Errorf("empty: %d, %v", n, age)
	}
	a, b := l.add(), l.add()
	_, oldest := l.count()
	l.remove(a)
	l.remove(a) // again does nothing
	l.remove(nil)
	n, age := l.count()
	if n != 1 || oldest == 0 || age == 0 {
		t.Errorf("%d open, for %v; want 1", n, age)
	}
	l.remove(b)
	if n, age := l.count(); n != 0 || age != 0 {
		t.Errorf("after the last: %d, %v", n, age)
	}
}

// TestUntracked: a tracked transaction is counted until its end, or until it is
// taken out.
func TestUntracked(t *testing.T) {
	f := newFixture(t)
	begin := func() *Tx {
		tx, err := f.db.Begin(t.Context(), false)
		f.must(err)
		tx.Track()
		return tx
	}
	a, b := begin(), begin()
	if n := f.db.Stats().OpenTx; n != 2 {
		t.Errorf("%d open, want 2", n)
	}
	f.db.Untrack(a.Live())
	b.Release()
	if n := f.db.Stats().OpenTx; n != 0 {
		t.Errorf("%d open, want none", n)
	}
	a.Release()
}

// TestBusy: a call that comes while another is under way fails, and spoils the
// transaction.
func TestBusy(t *testing.T) {
	f := newFixture(t)
	tx, err := f.db.Begin(t.Context(), true)
	f.must(err)
	defer tx.Release()
	f.must(tx.Enter())
	if err := tx.Step(func() error { return nil }); !errors.Is(err, ErrTxBusy) {
		t.Errorf("a second call: %v, want %v", err, ErrTxBusy)
	}
	tx.Leave()
	if err := tx.Commit(t.Context()); !errors.Is(err, ErrTxBusy) || !tx.Ended() {
		t.Errorf("commit: %v, want %v and the end", err, ErrTxBusy)
	}
}

// TestNewest reads without a transaction, across a change of the catalog.
func TestNewest(t *testing.T) {
	f := newFixture(t)
	f.fill(1)
	n := f.db.Newest()
	defer n.Release()
	value, err := n.Get(t.Context(), f.owners, tupleOf(1))
	if err != nil || len(value) == 0 || !n.Current() {
		t.Errorf("read %x, %v, current %v", value, err, n.Current())
	}
	if _, err := n.Get(t.Context(), f.owners, tupleOf(2)); !errors.Is(err, ErrNotFound) {
		t.Errorf("no record: %v, want %v", err, ErrNotFound)
	}
	f.must(addTables(f.db, true, reflect.TypeFor[other]()))
	if n.Current() {
		t.Error("still current after the catalog has changed")
	}
	if n.Renew(); !n.Current() || n.Schema().ByName("others") == nil {
		t.Error("not current after Renew")
	}
}

type other struct {
	_  struct{} `kivis:"table=others"`
	ID uint64   `kivis:"key"`
}

// plainStore is a store without any of the optional interfaces.
type plainStore struct{ store.Store }

func TestNewestNeedsAGetter(t *testing.T) {
	db := open(t, plainStore{memstore.New()})
	defer db.Close(t.Context())
	if db.Newest() != nil {
		t.Error("a reader for a store that is no Getter")
	}
}

// TestChangeCatalog: a transaction that began before a change cannot commit
// after it, and an edit that fails changes nothing.
func TestChangeCatalog(t *testing.T) {
	f := newFixture(t)
	tx, err := f.db.Begin(t.Context(), true)
	f.must(err)
	defer tx.Release()
	_, err = tx.Put(f.owners, Insert, ownerBody(0, "a"))
	f.must(err)
	f.must(addTables(f.db, true, reflect.TypeFor[other]()))
	if err := tx.Commit(t.Context()); !errors.Is(err, store.ErrConflict) {
		t.Errorf("commit over a change of the catalog: %v, want %v", err, store.ErrConflict)
	}
	if got := f.db.Stats(); got.Conflicts != 1 {
		t.Errorf("%d conflicts counted, want 1", got.Conflicts)
	}
	refused := errors.New("refused")
	before := f.db.Schema()
	err = f.db.ChangeCatalog(t.Context(), nil, func(*schema.Catalog) (Edition, error) { return Edition{}, refused })
	if !errors.Is(err, refused) || f.db.Schema() != before {
		t.Errorf("refused edit: %v, schema changed: %v", err, f.db.Schema() != before)
	}
}

// TestCatalogIsDoneAgain: an edit is made anew over the catalog that another
// change has committed meanwhile.
func TestCatalogIsDoneAgain(t *testing.T) {
	f := newFixture(t)
	runs := 0
	f.must(f.db.ChangeCatalog(t.Context(), nil, func(c *schema.Catalog) (Edition, error) {
		if runs++; runs == 1 {
			f.must(addTables(f.db, true, reflect.TypeFor[other]()))
		}
		var ids []uint32
		for id := range c.Entries {
			ids = append(ids, id)
		}
		return Edition{Catalog: c, Touched: ids}, nil
	}))
	if runs != 2 || f.db.Schema().ByName("others") == nil {
		t.Errorf("%d runs, other table there: %v; want 2, true", runs, f.db.Schema().ByName("others") != nil)
	}
}

// TestWriteIsDoneAgain: an operation whose commit conflicts runs again, and its
// error comes back as it is.
func TestWriteIsDoneAgain(t *testing.T) {
	f := newFixture(t)
	f.fill(1)
	runs := 0
	n, err := f.db.Write(t.Context(), opFunc(func(t *Tx) error {
		if _, err := t.Get(f.owners, tupleOf(1)); err != nil {
			return err
		}
		if runs++; runs == 1 {
			f.must(f.put(f.owners, Replace, ownerBody(1, "z")))
		}
		_, err := t.Put(f.owners, Insert, ownerBody(0, "b"))
		return err
	}))
	if err != nil || n != 2 || runs != 2 || f.db.Stats().Retries != 1 {
		t.Errorf("ran %d of %d times, %v, %d retries; want twice", runs, n, err, f.db.Stats().Retries)
	}
	own := errors.New("own")
	if n, err := f.db.Write(t.Context(), opFunc(func(*Tx) error { return own })); err != own || n != 1 {
		t.Errorf("error %v after %d runs, want it as it is after 1", err, n)
	}
}

// TestOpenForeign: a store that holds something else is refused.
func TestOpenForeign(t *testing.T) {
	s := memstore.New()
	defer s.Close()
	kv, err := s.Begin(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	if err := kv.Set([]byte("key"), []byte("value")); err != nil {
		t.Fatal(err)
	}
	if _, err := kv.Commit(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), s, Config{MaxAttempts: 1}); err == nil {
		t.Error("opened a store with keys of somebody else")
	}
}
