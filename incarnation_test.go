package kivis_test

import (
	"context"
	"errors"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/memstore"
)

// incarnationOf reads what a store keeps of the incarnation; nil if nothing.
func incarnationOf(t *testing.T, st store.Store) []byte {
	t.Helper()
	b, err := store.Get(bg, st, schema.IncarnationKey())
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	check(t, err)
	return b
}

// setIncarnation writes it, or deletes it where b is nil.
func setIncarnation(t *testing.T, st store.Store, b []byte) {
	t.Helper()
	tx := must(st.Begin(bg, true))(t)
	if b == nil {
		check(t, tx.Delete(schema.IncarnationKey()))
	} else {
		check(t, tx.Set(schema.IncarnationKey(), b))
	}
	must(tx.Commit())(t)
}

// readOnlyStore takes no writes.
type readOnlyStore struct{ kept }

func (s readOnlyStore) Begin(ctx context.Context, write bool) (store.Tx, error) {
	if write {
		return nil, store.ErrReadOnly
	}
	return s.kept.Begin(ctx, false)
}

func TestIncarnation(t *testing.T) {
	st := memstore.New()
	check(t, openDB(t, kept{st}).Close())
	first := incarnationOf(t, st)
	if i, err := schema.DecodeIncarnation(first); err != nil || i == (schema.Incarnation{}) {
		t.Fatalf("a new database has incarnation %v, %v", i, err)
	}
	check(t, openDB(t, kept{st}).Close())
	if again := incarnationOf(t, st); string(again) != string(first) {
		t.Errorf("opened again it is %x, was %x", again, first)
	}

	setIncarnation(t, st, nil) // as a release that knew none leaves it
	check(t, openDB(t, readOnlyStore{kept{st}}).Close())
	if b := incarnationOf(t, st); b != nil {
		t.Errorf("a read-only Open wrote %x", b)
	}
	check(t, openDB(t, kept{st}).Close())
	if second := incarnationOf(t, st); second == nil || string(second) == string(first) {
		t.Errorf("a database without one got %x; the first was %x", second, first)
	}

	setIncarnation(t, st, []byte("damaged"))
	if _, err := kivis.Open(kept{st}, nil); !errors.As(err, new(*kivis.CorruptError)) {
		t.Errorf("Open with a damaged incarnation: %v, want a CorruptError", err)
	}
}

func TestCursorOfAnotherIncarnation(t *testing.T) {
	st := memstore.New()
	db := openDB(t, kept{st}, &Item{})
	seedItems(t, db, 10)
	page := must(kivis.TableOf[Item](db).Query().Page(bg, 2, ""))(t)
	check(t, db.Close())
	setIncarnation(t, st, schema.NewIncarnation().Encode()) // as a restore does
	db = openDB(t, kept{st}, &Item{})
	_, err := kivis.TableOf[Item](db).Query().Page(bg, 2, page.Next)
	wantErr(t, err, kivis.ErrBadCursor)
	wantErr(t, err, kivis.ErrIncarnation)
}
