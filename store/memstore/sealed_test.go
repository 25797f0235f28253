package memstore_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/memstore"
)

// sealedIn returns the keys in a transaction, those of sealed values with a star.
func sealedIn(t *testing.T, tx store.Tx, reverse bool) string {
	t.Helper()
	c, err := tx.Scan(store.Range{Reverse: reverse})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var out []string
	for c.Next() {
		s := fmt.Sprintf("%s=%s", c.Key(), c.Value())
		if c.(store.SealedCursor).Sealed() {
			s += "*"
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

// TestSealed: a value is sealed if SetSealed wrote it, and nothing else since: in the
// transaction, after it, in other snapshots.
func TestSealed(t *testing.T) {
	s := memstore.New()
	defer s.Close()
	bg := context.Background()
	begin := func(write bool) store.Tx {
		tx, err := s.Begin(bg, write)
		if err != nil {
			t.Fatal(err)
		}
		return tx
	}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	want := func(how string, tx store.Tx, want string) {
		t.Helper()
		if got := sealedIn(t, tx, false); got != want {
			t.Errorf("%s: %s, want %s", how, got, want)
		}
	}
	set := func(tx store.Tx, sealed bool, key, value string) {
		t.Helper()
		if sealed {
			check(store.SetSealed(tx, []byte(key), []byte(value), false))
		} else {
			check(tx.Set([]byte(key), []byte(value)))
		}
	}
	tx := begin(true)
	set(tx, true, "a", "1")
	set(tx, false, "b", "1")
	set(tx, true, "c", "1")
	set(tx, false, "c", "2")
	check(store.SetSealed(tx, []byte("d"), []byte("1"), true))
	check(store.Create(tx, []byte("e"), []byte("1")))
	set(tx, true, "e", "2")
	at := tx.Savepoint()
	set(tx, false, "a", "x")
	set(tx, true, "b", "x")
	want("with later writes", tx, "a=x b=x* c=2 d=1* e=2*")
	check(tx.Rollback(at))
	want("without them", tx, "a=1* b=1 c=2 d=1* e=2*")
	_, err := tx.Commit()
	check(err)
	old := begin(false)
	defer old.Discard()
	want("committed", old, "a=1* b=1 c=2 d=1* e=2*")
	if got, want := sealedIn(t, old, true), "e=2* d=1* c=2 b=1 a=1*"; got != want {
		t.Errorf("backwards: %s, want %s", got, want)
	}
	tx = begin(true)
	set(tx, false, "a", "1") // the same bytes, but whose?
	set(tx, true, "b", "2")
	check(tx.Delete([]byte("d")))
	want("over the snapshot", tx, "a=1 b=2* c=2 e=2*")
	_, err = tx.Commit()
	check(err)
	want("an older snapshot", old, "a=1* b=1 c=2 d=1* e=2*")
	newest := begin(false)
	defer newest.Discard()
	want("the newest one", newest, "a=1 b=2* c=2 e=2*")
}
