package kivis_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/kivisdb/kivis"
)

// Spouse is half of a couple: neither half can be written first.
type Spouse struct {
	ID   int `kivis:"key"`
	With int `kivis:"ref=Spouse,deferred"`
}

// Heir refers to somebody who must be there when all is done.
type Heir struct {
	ID int `kivis:"key"`
	Of int
	_  struct{} `kivis:"ref=Spouse(Of):deferred"`
}

func spousesOf(c kivis.Conn) kivis.Table[Spouse, int] { return kivis.TableBy[Spouse, int](c) }

func heirsOf(c kivis.Conn) kivis.Table[Heir, int] { return kivis.TableBy[Heir, int](c) }

// marry puts one half of a couple.
func marry(ctx context.Context, c kivis.Conn, s Spouse) error {
	_, err := spousesOf(c).Put(ctx, &s)
	return err
}

func insertAll(ctx context.Context, c kivis.Conn, list []Spouse) error {
	_, err := spousesOf(c).InsertMany(ctx, list)
	return err
}

// TestDeferred: a deferred reference is checked when the outermost transaction
// commits, and not before.
func TestDeferred(t *testing.T) {
	errCall := errors.New("given up")
	for _, c := range []struct {
		name string
		fn   func(ctx context.Context, tx *kivis.Tx) error
		want string // what the error says; none where it commits
	}{
		{"a couple", func(ctx context.Context, tx *kivis.Tx) error {
			return errors.Join(marry(ctx, tx, Spouse{1, 2}), marry(ctx, tx, Spouse{2, 1}))
		}, ""},
		{"half a couple", func(ctx context.Context, tx *kivis.Tx) error {
			return marry(ctx, tx, Spouse{1, 2})
		}, "kivis: update: insert of Spouse 1: reference Spouse.With: Spouse has no record with key 2"},
		{"a half that went", func(ctx context.Context, tx *kivis.Tx) error {
			return errors.Join(marry(ctx, tx, Spouse{1, 2}), spousesOf(tx).Delete(ctx, 1))
		}, ""},
		{"a half that changed", func(ctx context.Context, tx *kivis.Tx) error {
			return errors.Join(marry(ctx, tx, Spouse{1, 2}), marry(ctx, tx, Spouse{1, 1}))
		}, ""},
		{"a call that was rolled back", func(ctx context.Context, tx *kivis.Tx) error {
			err := tx.Update(ctx, func(ctx context.Context, tx *kivis.Tx) error {
				return errors.Join(marry(ctx, tx, Spouse{1, 2}), errCall)
			})
			if !errors.Is(err, errCall) {
				return err
			}
			return nil
		}, ""},
		{"a nested transaction", func(ctx context.Context, tx *kivis.Tx) error {
			err := tx.Update(ctx, func(ctx context.Context, tx *kivis.Tx) error {
				return marry(ctx, tx, Spouse{1, 2})
			})
			return errors.Join(err, marry(ctx, tx, Spouse{2, 1}))
		}, ""},
		{"several in one call", func(ctx context.Context, tx *kivis.Tx) error {
			return insertAll(ctx, tx, []Spouse{{1, 2}, {2, 3}})
		}, "kivis: update: insert of Spouse 2: reference Spouse.With: Spouse has no record with key 3"},
		{"deleted, and there again", func(ctx context.Context, tx *kivis.Tx) error {
			return errors.Join(spousesOf(tx).Delete(ctx, 10), marry(ctx, tx, Spouse{10, 10}))
		}, ""},
		{"deleted, and referred to", func(ctx context.Context, tx *kivis.Tx) error {
			return spousesOf(tx).Delete(ctx, 10)
		}, "kivis: update: delete of Spouse 10: Spouse 10 is still referred to by Heir.Of"},
		{"deleted with what refers to it", func(ctx context.Context, tx *kivis.Tx) error {
			return errors.Join(spousesOf(tx).Delete(ctx, 10), heirsOf(tx).Delete(ctx, 1))
		}, ""},
		{"by name", func(ctx context.Context, tx *kivis.Tx) error {
			named := kivis.TableNamed(tx, "Spouse")
			rec := named.New()
			if err := errors.Join(rec.Set("ID", 5), rec.Set("With", 6)); err != nil {
				return err
			}
			_, err := named.Insert(ctx, rec)
			return err
		}, "kivis: update: insert of Spouse 5: reference Spouse.With: Spouse has no record with key 6"},
	} {
		for _, s := range stores {
			t.Run(c.name+"/"+s.name, func(t *testing.T) {
				db := openDB(t, s.open(t), &Spouse{}, &Heir{})
				check(t, marry(bg, db, Spouse{10, 10}))
				must(heirsOf(db).Insert(bg, &Heir{ID: 1, Of: 10}))(t)
				err := db.Update(bg, c.fn)
				got := ""
				if err != nil {
					got = err.Error()
				}
				if got != c.want {
					t.Errorf("Update = %q, want %q", got, c.want)
				}
				if c.want != "" {
					var ref *kivis.ReferenceError
					if !errors.As(err, &ref) || !errors.Is(err, kivis.ErrReference) {
						t.Errorf("%v is no ReferenceError", err)
					}
				}
			})
		}
	}
}

// TestDeferredCalls: a call on a DB is its own transaction, and so is a Bulk's
// chunk.
func TestDeferredCalls(t *testing.T) {
	db := openDB(t, stores[0].open(t), &Spouse{}, &Heir{})
	err := marry(bg, db, Spouse{1, 2})
	if key, ok := kivis.KeyOf[int](err); !errors.Is(err, kivis.ErrReference) || !ok || key != 2 {
		t.Errorf("Insert = %v, about %v", err, key)
	}
	check(t, insertAll(bg, db, []Spouse{{1, 2}, {2, 1}}))
	check(t, db.Bulk(bg, nil, func(ctx context.Context, b *kivis.Bulk) error {
		return errors.Join(marry(ctx, b, Spouse{3, 4}), marry(ctx, b, Spouse{4, 3}))
	}))
	err = db.Bulk(bg, nil, func(ctx context.Context, b *kivis.Bulk) error { return marry(ctx, b, Spouse{5, 6}) })
	if !errors.Is(err, kivis.ErrReference) || !strings.Contains(err.Error(), "insert of Spouse 5") {
		t.Errorf("Bulk = %v, want the insert of Spouse 5", err)
	}
	if n := must(spousesOf(db).Count(bg))(t); n != 4 {
		t.Errorf("%d records, want 4", n)
	}
	tx := must(db.Begin(bg, true))(t)
	check(t, marry(bg, tx, Spouse{5, 6}))
	if err := tx.Commit(); !errors.Is(err, kivis.ErrReference) {
		t.Errorf("Commit = %v, want ErrReference", err)
	}
}

// TestDeferredModel: of random transactions those commit that leave no
// reference to nothing, and no others.
func TestDeferredModel(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	for _, s := range stores {
		db := openDB(t, s.open(t), &Spouse{}, &Heir{})
		state := map[int]int{}
		for range 300 {
			next := map[int]int{}
			err := db.Update(bg, func(ctx context.Context, tx *kivis.Tx) error {
				clear(next)
				for id, with := range state {
					next[id] = with
				}
				for range 1 + rng.IntN(4) {
					id, with := rng.IntN(5), rng.IntN(5)
					if rng.IntN(3) > 0 {
						next[id] = with
						if err := marry(ctx, tx, Spouse{id, with}); err != nil {
							return err
						}
						continue
					}
					if _, ok := next[id]; !ok {
						continue
					}
					delete(next, id)
					if err := spousesOf(tx).Delete(ctx, id); err != nil {
						return err
					}
				}
				return nil
			})
			whole := true
			for _, with := range next {
				_, ok := next[with]
				whole = whole && ok
			}
			if whole != (err == nil) || err != nil && !errors.Is(err, kivis.ErrReference) {
				t.Fatalf("%s: Update = %v, to %v", s.name, err, next)
			}
			if err == nil {
				state = next
			}
		}
	}
}
