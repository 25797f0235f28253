package kivis_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/kivisdb/kivis"
)

func TestBulk(t *testing.T) {
	onStores(t, []any{&User{}, &Post{}}, func(t *testing.T, db *kivis.DB) {
		users, posts := kivis.TableOf[User](db), kivis.TableOf[Post](db)
		var progress []int
		opts := &kivis.BulkOptions{ChunkSize: 100, Progress: func(done int) { progress = append(progress, done) }}
		err := db.Bulk(bg, opts, func(ctx context.Context, b *kivis.Bulk) error {
			users, posts := users.With(b), posts.With(b)
			for i := range 150 {
				id, err := users.Insert(ctx, &User{Email: fmt.Sprint(i)})
				if err != nil {
					return err
				}
				if _, err := posts.Insert(ctx, &Post{Author: id}); err != nil { // refers to a pending record
					return err
				}
			}
			if n, err := posts.Query().Count(ctx); err != nil || n != 150 {
				t.Errorf("Count inside = %d, %v", n, err)
			}
			_, err := users.Insert(ctx, &User{Email: "7"}) // in an earlier chunk
			wantErr(t, err, kivis.ErrExists)
			_, err = posts.Insert(ctx, &Post{Author: 999})
			wantErr(t, err, kivis.ErrReference)
			_, err = kivis.TableOf[User](db).Get(ctx, 1)
			wantErr(t, err, kivis.ErrInTx)
			return nil
		})
		check(t, err)
		if fmt.Sprint(progress) != "[100 200 300]" {
			t.Errorf("progress = %v", progress)
		}
		err = db.Bulk(bg, opts, func(ctx context.Context, b *kivis.Bulk) error {
			users := users.With(b)
			for i := range 250 {
				if _, err := users.Insert(ctx, &User{Email: fmt.Sprint("second", i)}); err != nil {
					return err
				}
			}
			return errInvalid
		})
		wantErr(t, err, errInvalid)
		if !strings.Contains(err.Error(), "200 records are in") {
			t.Errorf("error %q does not say how many records are in", err)
		}
		if n := must(users.Count(bg))(t); n != 350 {
			t.Errorf("Count = %d, want 350", n)
		}
	})
}

func TestBulkStepStaysInOneChunk(t *testing.T) {
	db := newDB(t, &User{})
	users := kivis.TableOf[User](db)
	opts := &kivis.BulkOptions{ChunkSize: 10}
	err := db.Bulk(bg, opts, func(ctx context.Context, b *kivis.Bulk) error {
		err := b.Update(ctx, func(ctx context.Context, tx *kivis.Tx) error {
			for i := range 25 {
				must(users.With(tx).Insert(ctx, &User{Email: fmt.Sprint(i)}))(t)
				if n := must(users.Count(bg))(t); n != 0 {
					t.Fatalf("a step of a Bulk was committed after %d records", i)
				}
			}
			return nil
		})
		check(t, err)
		if n := must(users.Count(bg))(t); n != 25 {
			t.Errorf("Count = %d after the step, want the chunk committed", n)
		}
		err = b.Update(ctx, func(ctx context.Context, tx *kivis.Tx) error {
			must(users.With(tx).Insert(ctx, &User{Email: "undone"}))(t)
			return errInvalid
		})
		wantErr(t, err, errInvalid)
		// a query's changes through the Bulk itself are part of the step too
		err = b.Update(ctx, func(ctx context.Context, _ *kivis.Tx) error {
			if n := must(users.With(b).Query().Delete(ctx))(t); n != 25 {
				t.Errorf("Delete = %d, want 25", n)
			}
			return errInvalid
		})
		wantErr(t, err, errInvalid)
		return nil
	})
	check(t, err)
	if n := must(users.Count(bg))(t); n != 25 {
		t.Errorf("Count = %d, want 25", n)
	}
}

// TestBulkReplaysConflicts has another transaction write what a pending chunk
// has read.
func TestBulkReplaysConflicts(t *testing.T) {
	onStores(t, []any{&User{}, &Post{}}, func(t *testing.T, db *kivis.DB) {
		users, posts := kivis.TableOf[User](db), kivis.TableOf[Post](db)
		author := must(users.Insert(bg, &User{Email: "author"}))(t)
		runs := 0
		committed := 0
		err := db.Bulk(bg, nil, func(ctx context.Context, b *kivis.Bulk) error {
			runs++
			return b.Update(ctx, func(ctx context.Context, tx *kivis.Tx) error {
				tx.OnCommit(func() { committed++ })
				must(posts.With(tx).Insert(ctx, &Post{Author: author}))(t)
				_, err := users.Modify(bg, author, func(u *User) error { u.Name = "changed"; return nil }) // outside
				return err
			})
		})
		check(t, err)
		if runs != 1 || committed != 1 || db.Stats().Conflicts == 0 {
			t.Errorf("runs = %d, OnCommit %d times, %+v", runs, committed, db.Stats())
		}
		if n := must(posts.Count(bg))(t); n != 1 {
			t.Errorf("Count = %d", n)
		}
		// a Modify runs again on the record as it then is
		err = db.Bulk(bg, nil, func(ctx context.Context, b *kivis.Bulk) error {
			_, err := users.With(b).Modify(ctx, author, func(u *User) error { u.Tags = []string{"bulk"}; return nil })
			check(t, err)
			_, err = users.Modify(bg, author, func(u *User) error { u.Name = "again"; return nil })
			check(t, err)
			return nil
		})
		check(t, err)
		if u := must(users.Get(bg, author))(t); u.Name != "again" || len(u.Tags) != 1 {
			t.Errorf("record = %+v, want both changes", u)
		}
	})
}

// Tally is a record that counts.
type Tally struct {
	ID int `kivis:"key"`
	N  int `kivis:"index"`
}

var tallyN = kivis.FieldOf(func(c *Tally) *int { return &c.N })

// TestBulkReads has others change what a chunk has read, in each way that there
// is to read: what they wrote is never lost.
func TestBulkReads(t *testing.T) {
	for _, c := range []struct {
		name string
		fn   func(ctx context.Context, b *kivis.Bulk, t kivis.Table[Tally, int], other func()) error
		n    int   // of record 1 in the end
		err  error // or this, and the record as others left it
	}{
		{"update that gets and puts", func(ctx context.Context, b *kivis.Bulk, t kivis.Table[Tally, int], other func()) error {
			return b.Update(ctx, func(ctx context.Context, tx *kivis.Tx) error {
				r, err := t.With(tx).Get(ctx, 1)
				other()
				r.N += 100
				_, putErr := t.With(tx).Put(ctx, &r)
				return errors.Join(err, putErr)
			})
		}, 101, nil},
		{"modify", func(ctx context.Context, _ *kivis.Bulk, t kivis.Table[Tally, int], other func()) error {
			_, err := t.Modify(ctx, 1, func(r *Tally) error { r.N += 100; return nil })
			other()
			return err
		}, 101, nil},
		{"modify by a query", func(ctx context.Context, _ *kivis.Bulk, t kivis.Table[Tally, int], other func()) error {
			_, err := t.Where(tallyN.Ge(0)).Modify(ctx, func(r *Tally) error { r.N += 100; return nil })
			other()
			return err
		}, 101, nil},
		{"modify by a query that holds no more", func(ctx context.Context, _ *kivis.Bulk, t kivis.Table[Tally, int], other func()) error {
			_, err := t.Where(tallyN.Eq(0)).Modify(ctx, func(r *Tally) error { r.N += 100; return nil })
			other()
			return err
		}, 1, nil},
		{"delete by a query that holds no more", func(ctx context.Context, _ *kivis.Bulk, t kivis.Table[Tally, int], other func()) error {
			_, err := t.Where(tallyN.Eq(0)).Delete(ctx)
			other()
			return err
		}, 1, nil},
		{"get, then put", func(ctx context.Context, _ *kivis.Bulk, t kivis.Table[Tally, int], other func()) error {
			r, err := t.Get(ctx, 1)
			other()
			r.N += 100
			_, putErr := t.Put(ctx, &r)
			return errors.Join(err, putErr)
		}, 1, kivis.ErrConflict},
		{"get, then replace", func(ctx context.Context, _ *kivis.Bulk, t kivis.Table[Tally, int], other func()) error {
			r, err := t.Get(ctx, 1)
			other()
			r.N += 100
			return errors.Join(err, t.Replace(ctx, &r))
		}, 1, kivis.ErrConflict},
		{"count, then insert", func(ctx context.Context, _ *kivis.Bulk, t kivis.Table[Tally, int], other func()) error {
			n, err := t.Where(tallyN.Eq(0)).Count(ctx)
			other()
			_, putErr := t.Insert(ctx, &Tally{ID: 5, N: n})
			return errors.Join(err, putErr)
		}, 1, kivis.ErrConflict},
		{"view, then put", func(ctx context.Context, b *kivis.Bulk, t kivis.Table[Tally, int], other func()) error {
			var r Tally
			err := b.View(ctx, func(ctx context.Context, tx *kivis.Tx) (err error) {
				r, err = t.With(tx).Get(ctx, 1)
				return err
			})
			other()
			r.N += 100
			_, putErr := t.Put(ctx, &r)
			return errors.Join(err, putErr)
		}, 1, kivis.ErrConflict},
		{"get of another record, then modify", func(ctx context.Context, _ *kivis.Bulk, t kivis.Table[Tally, int], other func()) error {
			_, err := t.Get(ctx, 2)
			other()
			_, modifyErr := t.Modify(ctx, 1, func(r *Tally) error { r.N += 100; return nil })
			return errors.Join(err, modifyErr)
		}, 101, nil},
		{"put, then get of the same", func(ctx context.Context, _ *kivis.Bulk, t kivis.Table[Tally, int], other func()) error {
			_, err := t.Put(ctx, &Tally{ID: 1, N: 50})
			r, getErr := t.Get(ctx, 1)
			other()
			r.N += 7
			_, putErr := t.Put(ctx, &r)
			return errors.Join(err, getErr, putErr)
		}, 57, nil},
		{"modify, then get of the same", func(ctx context.Context, _ *kivis.Bulk, t kivis.Table[Tally, int], other func()) error {
			_, err := t.Modify(ctx, 1, func(r *Tally) error { r.N += 100; return nil })
			r, getErr := t.Get(ctx, 1)
			other()
			_, putErr := t.Insert(ctx, &Tally{ID: 5, N: r.N})
			return errors.Join(err, getErr, putErr)
		}, 1, kivis.ErrConflict},
	} {
		t.Run(c.name, func(t *testing.T) {
			onStores(t, []any{&Tally{}}, func(t *testing.T, db *kivis.DB) {
				tallies := kivis.TableBy[Tally, int](db)
				must(tallies.InsertMany(bg, []Tally{{ID: 1}, {ID: 2, N: -5}}))(t)
				others := 0
				err := db.Bulk(bg, nil, func(ctx context.Context, b *kivis.Bulk) error {
					return c.fn(ctx, b, tallies.With(b), func() {
						if others++; others == 1 {
							must(tallies.Modify(bg, 1, func(r *Tally) error { r.N++; return nil }))(t)
						}
					})
				})
				if !errors.Is(err, c.err) {
					t.Errorf("error = %v, want %v", err, c.err)
				}
				if r := must(tallies.Get(bg, 1))(t); r.N != c.n {
					t.Errorf("N = %d, want %d", r.N, c.n)
				}
			})
		})
	}
}
