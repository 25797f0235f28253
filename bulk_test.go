package kivis_test

import (
	"context"
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
		// what was made from a record that another changed is refused, not lost
		err = db.Bulk(bg, nil, func(ctx context.Context, b *kivis.Bulk) error {
			_, err := users.With(b).Modify(ctx, author, func(u *User) error { u.Tags = []string{"bulk"}; return nil })
			check(t, err)
			_, err = users.Modify(bg, author, func(u *User) error { u.Name = "again"; return nil })
			check(t, err)
			return nil
		})
		wantErr(t, err, kivis.ErrConflict)
		if u := must(users.Get(bg, author))(t); u.Name != "again" || u.Tags != nil {
			t.Errorf("record = %+v", u)
		}
	})
}
