package kivis_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
)

// Slow is a record whose Validate takes as long as the test likes.
type Slow struct {
	kivis.Auto[Slow]
	N int `kivis:"index"`

	during func()
}

func (s *Slow) Validate() error {
	if s.during != nil {
		s.during()
	}
	return nil
}

// TestTxBusy makes each call on a transaction from a second goroutine while an
// Insert is under way: each is refused, and the transaction cannot commit.
func TestTxBusy(t *testing.T) {
	n := kivis.FieldOf(func(s *Slow) *int { return &s.N })
	for _, c := range []struct {
		name string
		call func(ctx context.Context, tx *kivis.Tx) error
	}{
		{"get", func(ctx context.Context, tx *kivis.Tx) error {
			_, err := kivis.TableOf[Slow](tx).Get(ctx, 1)
			return err
		}},
		{"insert", func(ctx context.Context, tx *kivis.Tx) error {
			_, err := kivis.TableOf[Slow](tx).Insert(ctx, &Slow{})
			return err
		}},
		{"delete", func(ctx context.Context, tx *kivis.Tx) error { return kivis.TableOf[Slow](tx).Delete(ctx, 1) }},
		{"count", func(ctx context.Context, tx *kivis.Tx) error {
			_, err := kivis.TableOf[Slow](tx).Where(n.Ge(0)).Count(ctx)
			return err
		}},
		{"page", func(ctx context.Context, tx *kivis.Tx) error {
			_, err := kivis.TableOf[Slow](tx).Query().Page(ctx, 1, "")
			return err
		}},
		{"iterator", func(ctx context.Context, tx *kivis.Tx) error {
			for _, err := range kivis.TableOf[Slow](tx).All(ctx) {
				return err
			}
			return nil
		}},
		{"nested step", func(ctx context.Context, tx *kivis.Tx) error {
			return tx.Update(ctx, func(context.Context, *kivis.Tx) error { return nil })
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			onStores(t, []any{&Slow{}}, func(t *testing.T, db *kivis.DB) {
				slow := kivis.TableOf[Slow](db)
				must(slow.Insert(bg, &Slow{N: 1}))(t)
				err := db.Update(bg, func(ctx context.Context, tx *kivis.Tx) error {
					_, first := slow.With(tx).Insert(ctx, &Slow{N: 2, during: func() {
						second := make(chan error)
						go func() { second <- c.call(ctx, tx) }()
						if err := <-second; !errors.Is(err, kivis.ErrTxBusy) {
							t.Errorf("the second call: %v, want ErrTxBusy", err)
						}
					}})
					if first != nil {
						t.Errorf("the first call: %v", first)
					}
					_, after := slow.With(tx).Get(ctx, 1)
					if !errors.Is(after, kivis.ErrTxBusy) {
						t.Errorf("a call afterwards: %v, want ErrTxBusy", after)
					}
					return nil
				})
				if !errors.Is(err, kivis.ErrTxBusy) {
					t.Errorf("Update = %v, want ErrTxBusy", err)
				}
				if got := must(slow.Count(bg))(t); got != 1 {
					t.Errorf("%d records, want the first alone", got)
				}
			})
		})
	}
}

// TestTxOfOneGoroutine: calls inside of calls are no second use.
func TestTxOfOneGoroutine(t *testing.T) {
	onStores(t, []any{&Slow{}}, func(t *testing.T, db *kivis.DB) {
		slow := kivis.TableOf[Slow](db)
		must(slow.InsertMany(bg, make([]Slow, 5)))(t)
		check(t, db.Update(bg, func(ctx context.Context, tx *kivis.Tx) error {
			slow := slow.With(tx)
			for rec, err := range slow.All(ctx) {
				check(t, err)
				must(slow.Modify(ctx, rec.ID, func(s *Slow) error {
					s.N = must(slow.Count(ctx))(t)
					return nil
				}))(t)
				for key, err := range slow.Query().Keys(ctx) {
					check(t, err)
					must(slow.Get(ctx, key))(t)
				}
				check(t, tx.Update(ctx, func(ctx context.Context, tx *kivis.Tx) error {
					_, err := slow.With(tx).Get(ctx, rec.ID)
					return err
				}))
			}
			return nil
		}))
		for rec, err := range slow.All(bg) {
			check(t, err)
			if rec.N != 5 {
				t.Errorf("record %d has N = %d, want 5", rec.ID, rec.N)
			}
		}
	})
}

// TestCommitAfterTheEnd: a transaction that has ended says so, whoever ended it.
func TestCommitAfterTheEnd(t *testing.T) {
	onStores(t, []any{&Slow{}}, func(t *testing.T, db *kivis.DB) {
		var kept *kivis.Tx
		check(t, db.Update(bg, func(_ context.Context, tx *kivis.Tx) error {
			kept = tx
			if err := tx.Commit(); err == nil || errors.Is(err, kivis.ErrTxDone) {
				t.Errorf("Commit inside Update = %v, want that Update commits", err)
			}
			return nil
		}))
		wantErr(t, kept.Commit(), kivis.ErrTxDone)
	})
}

// TestConflictSaysHowOften: who conflicts with himself is told so.
func TestConflictSaysHowOften(t *testing.T) {
	onStoresWith(t, &kivis.Options{MaxAttempts: 3}, []any{&Slow{}}, func(t *testing.T, db *kivis.DB) {
		slow := kivis.TableOf[Slow](db)
		id := must(slow.Insert(bg, &Slow{}))(t)
		ctx, cancel := context.WithTimeout(bg, time.Minute)
		defer cancel()
		_, err := slow.Modify(ctx, id, func(s *Slow) error {
			s.N = 100
			_, err := slow.Modify(context.Background(), id, func(s *Slow) error { s.N++; return nil })
			return err
		})
		wantErr(t, err, kivis.ErrConflict)
		if !strings.Contains(err.Error(), "3 attempts") || !strings.Contains(err.Error(), "With(tx)") {
			t.Errorf("error %q does not say how often, or what to do", err)
		}
	})
}
