package kivis_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store/memstore"
)

// itemChange is a change of the tests' table.
type itemChange = kivis.Change[Item, kivis.ID[Item]]

// told writes changes as text: kind, key, N.
func told(changes ...itemChange) string {
	var b strings.Builder
	for _, c := range changes {
		fmt.Fprintf(&b, "%v %d %d, ", c.Kind, c.Key, c.Record.N)
	}
	return strings.TrimSuffix(b.String(), ", ")
}

// changesSince returns the changes since a position that are there by now.
func changesSince(t testing.TB, items kivis.Table[Item, kivis.ID[Item]], position string, n int) []itemChange {
	t.Helper()
	changes := pull(t, items.Changes(deadline(t), position))
	got := make([]itemChange, n)
	for i := range got {
		got[i] = changes.want()
	}
	return got
}

func TestChanges(t *testing.T) {
	onStores(t, []any{&Item{}}, func(t *testing.T, db *kivis.DB) {
		items := kivis.TableOf[Item](db)
		must(items.Insert(bg, &Item{N: 1}))(t)
		start := must(db.Position(bg))(t)
		changes := pull(t, items.Changes(deadline(t), start))
		one := func(want string, do func(ctx context.Context, tx *kivis.Tx)) {
			t.Helper()
			check(t, db.Update(bg, func(ctx context.Context, tx *kivis.Tx) error { do(ctx, tx); return nil }))
			if got := told(changes.want()); got != want {
				t.Errorf("told %q, want %q", got, want)
			}
		}
		set := func(ctx context.Context, tx *kivis.Tx, id kivis.ID[Item], n int) {
			must(items.With(tx).Modify(ctx, id, func(r *Item) error { r.N = n; return nil }))(t)
		}
		one("inserted 2 2", func(ctx context.Context, tx *kivis.Tx) { must(items.With(tx).Insert(ctx, &Item{N: 2}))(t) })
		one("updated 1 10", func(ctx context.Context, tx *kivis.Tx) { set(ctx, tx, 1, 5); set(ctx, tx, 1, 10) })
		one("inserted 3 4", func(ctx context.Context, tx *kivis.Tx) {
			id := must(items.With(tx).Insert(ctx, &Item{N: 3}))(t)
			set(ctx, tx, id, 4)
		})
		one("deleted 2 0", func(ctx context.Context, tx *kivis.Tx) { check(t, items.With(tx).Delete(ctx, 2)) })

		// Several changes of one record before the reader came are one.
		if got := told(changesSince(t, items, start, 2)...); got != "updated 1 10, inserted 3 4" {
			t.Errorf("told at once %q", got)
		}
	})
}

// TestChangesModel follows a table: what is told, applied to what was told before,
// is the table. One reader stays, and each Kind is right by what it was told; one
// goes away at any change and begins again at its position, where records may
// have been that it never heard of.
func TestChangesModel(t *testing.T) {
	onStores(t, []any{&Item{}, &User{}}, func(t *testing.T, db *kivis.DB) {
		seed := rand.Uint64()
		rnd := rand.New(rand.NewPCG(seed, 3))
		items := seedItems(t, db, 20)
		users := kivis.TableOf[User](db)
		read := func() map[kivis.ID[Item]]Item {
			all := map[kivis.ID[Item]]Item{}
			for r, err := range items.All(bg) {
				check(t, err)
				all[r.ID] = r
			}
			return all
		}
		stays, goes := read(), read()
		position := must(db.Position(bg))(t)
		changes := pull(t, items.Changes(deadline(t), position))
		apply := func(have map[kivis.ID[Item]]Item, c itemChange) {
			if c.Kind == kivis.Deleted {
				delete(have, c.Key)
			} else {
				have[c.Key] = c.Record
			}
		}
		rounds := 150
		if testing.Short() {
			rounds = 40
		}
		for round := range rounds {
			for range 1 + rnd.IntN(5) {
				randomCommit(t, rnd, items, db)
				must(users.Insert(bg, &User{Email: fmt.Sprint(rnd.Uint64()), Name: "n"}))(t) // another table
			}
			want := read()
			for !reflect.DeepEqual(stays, want) {
				c := changes.want()
				if _, known := stays[c.Key]; known != (c.Kind != kivis.Inserted) {
					t.Fatalf("seed %d, round %d: %s of one that is known: %v", seed, round, told(c), known)
				}
				apply(stays, c)
				if rnd.IntN(10) == 0 { // and others write meanwhile
					randomCommit(t, rnd, items, db)
					want = read()
				}
			}
			for !reflect.DeepEqual(goes, want) {
				left := 1 + rnd.IntN(4)
				for c, err := range items.Changes(deadline(t), position) {
					check(t, err)
					apply(goes, c)
					position = c.Position
					if left--; left == 0 || reflect.DeepEqual(goes, want) {
						break
					}
				}
			}
		}
	})
}

// TestFollow: records, then changes, are the table; also where the reader
// has been away for too long.
func TestFollow(t *testing.T) {
	onStores(t, []any{&Item{}}, func(t *testing.T, db *kivis.DB) {
		items := kivis.TableOf[Item](db)
		for i := range 3 {
			must(items.Insert(bg, &Item{N: i}))(t)
		}
		follow := pull(t, items.Follow(deadline(t), ""))
		var first []itemChange
		for range 3 {
			first = append(first, follow.want())
		}
		must(items.Insert(bg, &Item{N: 3}))(t) // not in the snapshot
		ready := follow.want()
		if got := told(first...); got != "inserted 1 0, inserted 2 1, inserted 3 2" || ready.Kind != kivis.Ready || first[0].Position != "" {
			t.Errorf("told %q, then %v", got, ready)
		}
		if got := told(follow.want()); got != "inserted 4 3" {
			t.Errorf("after Ready told %q", got)
		}
		check(t, items.Delete(bg, 4))
		if got := told(follow.want()); got != "deleted 4 0" {
			t.Errorf("told %q", got)
		}
		// From a position it goes on.
		must(items.Insert(bg, &Item{N: 9}))(t)
		again := pull(t, items.Follow(deadline(t), ready.Position))
		if got := told(again.want()); got != "inserted 5 9" {
			t.Errorf("from Ready's position told %q", got)
		}
	})
}

// TestGap: a position that the database knows nothing of any more.
func TestGap(t *testing.T) {
	st := memstore.New()
	db := openWith(t, st, &kivis.Options{Feed: &kivis.Feed{MaxBytes: 4 << 10}}, &Item{})
	items := kivis.TableOf[Item](db)
	must(items.Insert(bg, &Item{N: 7}))(t)
	old := must(db.Position(bg))(t)
	for i := range 500 {
		must(items.Modify(bg, 1, func(r *Item) error { r.N = i; return nil }))(t)
	}
	changes := pull(t, items.Changes(deadline(t), old))
	changes.wantEnd(kivis.ErrGap)
	pull(t, items.Changes(deadline(t), "")).wantEnd(kivis.ErrGap)
	follow := pull(t, items.Follow(deadline(t), old))
	if got := told(follow.want(), follow.want(), follow.want()); got != "reset 0 0, inserted 1 499, ready 0 0" {
		t.Errorf("after a gap told %q", got)
	}
	pull(t, items.Changes(deadline(t), "no position")).wantEnd(kivis.ErrBadPosition)
	pull(t, items.Follow(deadline(t), old[:len(old)-2])).wantEnd(kivis.ErrBadPosition)
	var gap *kivis.GapError
	for _, err := range items.Changes(deadline(t), old) {
		if !errors.As(err, &gap) || gap.Boundary == 0 {
			t.Errorf("error = %v, want a GapError with the boundary", err)
		}
	}
}

func TestPositionOfAnotherIncarnation(t *testing.T) {
	st := memstore.New()
	db := openDB(t, kept{st}, &Item{})
	seedItems(t, db, 2)
	old := must(db.Position(bg))(t)
	check(t, db.Close())
	setIncarnation(t, st, schema.NewIncarnation().Encode()) // as a restore does
	db = openDB(t, st, &Item{})
	items := kivis.TableOf[Item](db)
	pull(t, items.Changes(deadline(t), old)).wantEnd(kivis.ErrGap)
	pull(t, items.Changes(deadline(t), old)).wantEnd(kivis.ErrIncarnation)
	if c := pull(t, items.Follow(deadline(t), old)).want(); c.Kind != kivis.Reset {
		t.Errorf("Follow begins with %v, want Reset", c.Kind)
	}
}

// TestConsumer: a reader that fails at any step, and begins again, has each
// change's effect once.
func TestConsumer(t *testing.T) {
	onStores(t, []any{&Item{}, &User{}}, func(t *testing.T, db *kivis.DB) {
		items, users := kivis.TableOf[Item](db), kivis.TableOf[User](db)
		c := db.Consumer("copies")
		if p := must(c.Position(bg))(t); p != "" {
			t.Errorf("a new consumer is at %q", p)
		}
		for i := range 10 {
			must(items.Insert(bg, &Item{N: i}))(t)
		}
		rnd := rand.New(rand.NewPCG(rand.Uint64(), 4))
		fault := errors.New("fault")
		var last string
		for done := 0; done < 10 || last == ""; {
			position := must(c.Position(bg))(t)
			for ch, err := range items.Follow(deadline(t), position) {
				check(t, err)
				err = db.Update(bg, func(ctx context.Context, tx *kivis.Tx) error {
					if ch.Kind == kivis.Inserted {
						email := fmt.Sprint(ch.Record.N)
						if n := must(users.With(tx).WhereText("Email = ?", email).Count(ctx))(t); n == 0 {
							must(users.With(tx).Insert(ctx, &User{Email: email, Name: "copy"}))(t)
						}
					}
					if err := c.Ack(tx, ch.Position); err != nil {
						return err
					}
					if rnd.IntN(3) == 0 {
						return fault
					}
					return nil
				})
				if errors.Is(err, fault) {
					break
				}
				check(t, err)
				last = ch.Position
				if done = must(users.Count(bg))(t); done == 10 && last != "" {
					break
				}
			}
		}
		check(t, db.Update(bg, func(_ context.Context, tx *kivis.Tx) error {
			if err := c.Ack(tx, last); !errors.Is(err, kivis.ErrAcked) {
				t.Errorf("the last position again: %v, want ErrAcked", err)
			}
			return nil
		}))
		if p := must(db.Consumer("copies").Position(bg))(t); p != last {
			t.Errorf("it is at %q, want %q", p, last)
		}
		check(t, c.Forget(bg))
		if p := must(c.Position(bg))(t); p != "" {
			t.Errorf("after Forget it is at %q", p)
		}
	})
}

func TestConsumerMistakes(t *testing.T) {
	onStores(t, []any{&Item{}}, func(t *testing.T, db *kivis.DB) {
		for _, name := range []string{"", strings.Repeat("x", 513)} {
			if _, err := db.Consumer(name).Position(bg); err == nil {
				t.Errorf("a consumer named %.20q has a position", name)
			}
		}
		c := db.Consumer("c")
		position := must(db.Position(bg))(t)
		if err := c.Ack(nil, position); err == nil {
			t.Error("Ack in no transaction")
		}
		check(t, db.View(bg, func(ctx context.Context, tx *kivis.Tx) error {
			wantErr(t, c.Ack(tx, position), kivis.ErrReadOnly)
			_, err := c.Position(ctx)
			wantErr(t, err, kivis.ErrInTx)
			_, err = db.Position(ctx)
			wantErr(t, err, kivis.ErrInTx)
			return nil
		}))
		check(t, db.Update(bg, func(_ context.Context, tx *kivis.Tx) error {
			wantErr(t, c.Ack(tx, "nonsense"), kivis.ErrBadPosition)
			return c.Ack(tx, "")
		}))
	})
}
