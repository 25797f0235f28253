package kivis_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store/memstore"
)

func TestUpdateRollsBack(t *testing.T) {
	onStores(t, []any{&User{}}, func(t *testing.T, db *kivis.DB) {
		users := kivis.TableOf[User](db)
		add := func(ctx context.Context, tx *kivis.Tx) {
			must(users.With(tx).Insert(ctx, &User{Email: "a"}))(t)
		}
		err := db.Update(bg, func(ctx context.Context, tx *kivis.Tx) error { add(ctx, tx); return errInvalid })
		wantErr(t, err, errInvalid)
		func() {
			defer func() { _ = recover() }()
			_ = db.Update(bg, func(ctx context.Context, tx *kivis.Tx) error { add(ctx, tx); panic("oops") })
		}()
		var wg sync.WaitGroup
		wg.Go(func() {
			_ = db.Update(bg, func(ctx context.Context, tx *kivis.Tx) error {
				_, _ = users.With(tx).Insert(ctx, &User{Email: "a"})
				runtime.Goexit()
				return nil
			})
		})
		wg.Wait()
		if n := must(users.Count(bg))(t); n != 0 {
			t.Errorf("%d records after rollbacks", n)
		}
		if s := db.Stats(); s.OpenTx != 0 {
			t.Errorf("%d transactions are open", s.OpenTx)
		}
	})
}

func TestInTx(t *testing.T) {
	onStores(t, []any{&User{}}, func(t *testing.T, db *kivis.DB) {
		users := kivis.TableOf[User](db)
		err := db.Update(bg, func(ctx context.Context, tx *kivis.Tx) error {
			_, err := users.Insert(ctx, &User{Email: "a"})
			wantErr(t, err, kivis.ErrInTx)
			if !strings.Contains(err.Error(), "With(tx)") || !strings.Contains(err.Error(), "User") {
				t.Errorf("error %q names neither the table nor With(tx)", err)
			}
			_, err = users.Get(ctx, 1)
			wantErr(t, err, kivis.ErrInTx)
			wantErr(t, db.Update(ctx, nil), kivis.ErrInTx)
			wantErr(t, db.View(ctx, nil), kivis.ErrInTx)
			_, err = db.Begin(ctx, true)
			wantErr(t, err, kivis.ErrInTx)
			wantErr(t, db.Bulk(ctx, nil, nil), kivis.ErrInTx)
			_, err = users.With(tx).Insert(ctx, &User{Email: "a"})
			return err
		})
		check(t, err)
		// another database is no concern of this transaction's
		other := newDB(t, &User{})
		check(t, db.View(bg, func(ctx context.Context, tx *kivis.Tx) error {
			_, err := kivis.TableOf[User](other).Insert(ctx, &User{Email: "a"})
			return err
		}))
	})
}

func TestNestedSteps(t *testing.T) {
	onStores(t, []any{&User{}}, func(t *testing.T, db *kivis.DB) {
		users := kivis.TableOf[User](db)
		var committed []string
		note := func(s string) func() { return func() { committed = append(committed, s) } }
		err := db.Update(bg, func(ctx context.Context, tx *kivis.Tx) error {
			must(users.With(tx).Insert(ctx, &User{Email: "outer"}))(t)
			tx.OnCommit(note("outer"))
			err := tx.Update(ctx, func(ctx context.Context, tx *kivis.Tx) error {
				must(users.With(tx).Insert(ctx, &User{Email: "undone"}))(t)
				tx.OnCommit(note("undone"))
				check(t, tx.Update(ctx, func(ctx context.Context, tx *kivis.Tx) error {
					_, err := users.With(tx).Insert(ctx, &User{Email: "undone too"})
					return err
				}))
				return errInvalid
			})
			wantErr(t, err, errInvalid)
			return tx.Update(ctx, func(ctx context.Context, tx *kivis.Tx) error {
				tx.OnCommit(note("inner"))
				_, err := users.With(tx).Insert(ctx, &User{Email: "inner"})
				return err
			})
		})
		check(t, err)
		if got := strings.Join(committed, ","); got != "outer,inner" {
			t.Errorf("OnCommit ran %q", got)
		}
		recs := must(users.Query().Collect(bg))(t)
		if len(recs) != 2 || recs[0].Email != "outer" || recs[1].Email != "inner" {
			t.Errorf("records = %+v", recs)
		}
		err = db.Update(bg, func(ctx context.Context, tx *kivis.Tx) error {
			return tx.View(ctx, func(ctx context.Context, tx *kivis.Tx) error {
				_, err := users.With(tx).Insert(ctx, &User{Email: "read-only"})
				return err
			})
		})
		wantErr(t, err, kivis.ErrReadOnly)
	})
}

func TestFinishedAndReadOnly(t *testing.T) {
	onStores(t, []any{&User{}}, func(t *testing.T, db *kivis.DB) {
		users := kivis.TableOf[User](db)
		tx := must(db.Begin(bg, true))(t)
		must(users.With(tx).Insert(tx.Context(), &User{Email: "a"}))(t)
		check(t, tx.Commit())
		wantErr(t, tx.Commit(), kivis.ErrTxDone)
		tx.Discard()
		_, err := users.With(tx).Get(bg, 1)
		wantErr(t, err, kivis.ErrTxDone)
		_, err = users.With(tx).Query().Collect(bg)
		wantErr(t, err, kivis.ErrTxDone)

		var leaked *kivis.Tx
		check(t, db.View(bg, func(ctx context.Context, tx *kivis.Tx) error {
			leaked = tx
			_, err := users.With(tx).Put(ctx, &User{Email: "b"})
			wantErr(t, err, kivis.ErrReadOnly)
			if err := tx.Commit(); err == nil {
				t.Error("Commit inside View succeeded")
			}
			return nil
		}))
		_, err = users.With(leaked).Get(bg, 1)
		wantErr(t, err, kivis.ErrTxDone)
		wantErr(t, leaked.View(bg, nil), kivis.ErrTxDone)

		ro := must(db.Begin(bg, false))(t)
		check(t, ro.Commit())
		check(t, db.Close())
		check(t, db.Close())
		_, err = users.Get(bg, 1)
		wantErr(t, err, kivis.ErrClosed)
		_, err = users.Insert(bg, &User{Email: "c"})
		wantErr(t, err, kivis.ErrClosed)
		wantErr(t, db.Register(&Post{}), kivis.ErrClosed)
		wantErr(t, db.Bulk(bg, nil, func(context.Context, *kivis.Bulk) error { return nil }), kivis.ErrClosed)
	})
}

func TestContextEnds(t *testing.T) {
	onStores(t, []any{&User{}}, func(t *testing.T, db *kivis.DB) {
		users := kivis.TableOf[User](db)
		ctx, cancel := context.WithCancel(bg)
		tx := must(db.Begin(ctx, true))(t)
		must(users.With(tx).Insert(tx.Context(), &User{Email: "a"}))(t)
		cancel()
		_, err := users.With(tx).Get(bg, 1)
		wantErr(t, err, context.Canceled)
		wantErr(t, tx.Commit(), context.Canceled)
		for deadline := time.Now().Add(10 * time.Second); db.Stats().OpenTx != 0; {
			if time.Now().After(deadline) {
				t.Fatal("the end of the context did not free the transaction")
			}
			runtime.Gosched()
		}
		_, err = users.Insert(ctx, &User{Email: "b"})
		wantErr(t, err, context.Canceled)
		err = db.Update(bg, func(inner context.Context, tx *kivis.Tx) error {
			ctx, cancel := context.WithCancel(inner)
			must(users.With(tx).Insert(ctx, &User{Email: "a"}))(t)
			cancel()
			_, err := users.With(tx).Insert(ctx, &User{Email: "c"})
			wantErr(t, err, context.Canceled)
			return nil
		})
		check(t, err)
		if n := must(users.Count(bg))(t); n != 1 {
			t.Errorf("Count = %d, want 1", n)
		}
	})
}

// TestCounters has goroutines increment one record, which conflicts all the
// time: every increment must count, and nobody starve.
func TestCounters(t *testing.T) {
	onStores(t, []any{&Post{}, &User{}}, func(t *testing.T, db *kivis.DB) {
		users, posts := kivis.TableOf[User](db), kivis.TableOf[Post](db)
		author := must(users.Insert(bg, &User{Email: "a"}))(t)
		id := must(posts.Insert(bg, &Post{Author: author}))(t)
		const workers, each = 8, 50
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for i := range each {
					var err error
					if i%2 == 0 {
						_, err = posts.Modify(bg, id, func(p *Post) error { p.Likes++; return nil })
					} else {
						err = db.Update(bg, func(ctx context.Context, tx *kivis.Tx) error {
							p, err := posts.With(tx).Get(ctx, id)
							if err != nil {
								return err
							}
							p.Likes++
							return posts.With(tx).Replace(ctx, &p)
						})
					}
					if err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		if p := must(posts.Get(bg, id))(t); p.Likes != workers*each {
			t.Errorf("Likes = %d, want %d", p.Likes, workers*each)
		}
	})
}

func TestMaxAttempts(t *testing.T) {
	db, err := kivis.Open(stores[0].open(t), &kivis.Options{MaxAttempts: 3})
	check(t, err)
	defer db.Close()
	check(t, db.Register(&User{}))
	users := kivis.TableOf[User](db)
	id := must(users.Insert(bg, &User{Email: "a"}))(t)
	runs := 0
	err = db.Update(bg, func(ctx context.Context, tx *kivis.Tx) error {
		runs++
		u, err := users.With(tx).Get(ctx, id)
		check(t, err)
		_, err = users.Modify(bg, id, func(u *User) error { u.Name += "x"; return nil }) // from outside
		check(t, err)
		u.Name = "mine"
		return users.With(tx).Replace(ctx, &u)
	})
	wantErr(t, err, kivis.ErrConflict)
	if runs != 3 {
		t.Errorf("the function ran %d times, want 3", runs)
	}
	if s := db.Stats(); s.Conflicts < 3 || s.Retries != 2 {
		t.Errorf("Stats = %+v", s)
	}
	// a conflict that the function brings along is not its own
	runs = 0
	err = db.Update(bg, func(context.Context, *kivis.Tx) error { runs++; return kivis.ErrConflict })
	if !errors.Is(err, kivis.ErrConflict) || runs != 1 {
		t.Errorf("error = %v after %d runs, want the function's own after 1", err, runs)
	}
}

// TestCommitApart has a transaction's function commit to what it has read
// through the DB, with a context of its own, again and again: the attempts that
// run alone hold such a commit back only for a while.
func TestCommitApart(t *testing.T) {
	db := newDB(t, &User{})
	users := kivis.TableOf[User](db)
	id := must(users.Insert(bg, &User{Email: "a"}))(t)
	ctx, cancel := context.WithTimeout(bg, 30*time.Second)
	defer cancel()
	runs := 0
	check(t, db.Update(ctx, func(ctx context.Context, tx *kivis.Tx) error {
		runs++
		_, err := users.With(tx).Modify(ctx, id, func(u *User) error {
			u.Name += "x"
			return nil
		})
		if err != nil || runs > 10 {
			return err
		}
		_, err = users.Modify(bg, id, func(u *User) error {
			u.Email += "a"
			return nil
		})
		return err
	}))
	if u := must(users.Get(bg, id))(t); runs != 11 || u.Name != "x" || len(u.Email) != 11 {
		t.Errorf("after %d runs: %+v", runs, u)
	}
}

// TestForeignConflict has a function return the conflict of another database's
// transaction, which is not its own and so no reason to run it again.
func TestForeignConflict(t *testing.T) {
	db := newDB(t, &User{})
	other, err := kivis.Open(memstore.New(), &kivis.Options{MaxAttempts: 1})
	check(t, err)
	defer other.Close()
	check(t, other.Register(&User{}))
	users := kivis.TableOf[User](other)
	id := must(users.Insert(bg, &User{Email: "a"}))(t)
	lose := func(u *User) error {
		u.Name += "x"
		_, err := users.Modify(bg, id, func(u *User) error { u.Email += "a"; return nil })
		return err
	}
	for name, call := range map[string]func() error{
		"call": func() error { _, err := users.Modify(bg, id, lose); return err },
		"update": func() error {
			return other.Update(bg, func(ctx context.Context, tx *kivis.Tx) error {
				_, err := users.With(tx).Modify(ctx, id, lose)
				return err
			})
		},
		"query": func() error { _, err := users.Query().Modify(bg, lose); return err },
	} {
		runs := 0
		err := db.Update(bg, func(context.Context, *kivis.Tx) error {
			runs++
			return call()
		})
		if !errors.Is(err, kivis.ErrConflict) || runs != 1 {
			t.Errorf("%s: error = %v after %d runs, want a conflict after one", name, err, runs)
		}
		if name == "call" && !strings.Contains(err.Error(), "modify User 1") {
			t.Errorf("%s: the error names no call, table and key: %v", name, err)
		}
	}
}
