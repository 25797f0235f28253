package guide

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/kivistest"
)

// board keeps a list of the newest open orders as it is, and has show draw it.
func board(ctx context.Context, db *kivis.DB, show func([]Order)) error {
	newest := orders.With(db).Where(orderOpen.Eq(true)).OrderBy(orderPlaced.Desc()).Limit(20)
	for r, err := range newest.Watch(ctx) {
		if err != nil {
			return err
		}
		show(r.Records)
	}
	return nil
}

// totals tells, whenever that changes, what open orders are worth.
func totals(ctx context.Context, db *kivis.DB, tell func(cents int64)) error {
	sum := func(ctx context.Context, tx *kivis.Tx) (int64, error) {
		return kivis.Sum(ctx, orders.With(tx).Where(orderOpen.Eq(true)), orderCents)
	}
	for cents, err := range kivis.Live(ctx, db, sum) {
		if err != nil {
			return err
		}
		tell(cents)
	}
	return nil
}

// Mail is a letter to be sent.
type Mail struct {
	kivis.Auto[Mail]
	Order kivis.ID[Order] `kivis:"unique"`
}

// letters writes a Mail for each new order: once, whatever happens in between.
func letters(ctx context.Context, db *kivis.DB) error {
	c := db.Consumer("letters")
	position, err := c.Position(ctx)
	if err != nil {
		return err
	}
	for change, err := range orders.With(db).Follow(ctx, position) {
		if err != nil {
			return err
		}
		err = db.Update(ctx, func(ctx context.Context, tx *kivis.Tx) error {
			if change.Kind == kivis.Inserted {
				if _, err := mails.With(tx).Put(ctx, &Mail{Order: change.Key}); err != nil && !errors.Is(err, kivis.ErrExists) {
					return err
				}
			}
			return c.Ack(tx, change.Position)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

var mails = kivis.TableOf[Mail](nil)

func TestBoard(t *testing.T) {
	db := shop(t)
	ctx, cancel := context.WithCancel(bg)
	defer cancel()
	var shown []string
	err := board(ctx, db, func(list []Order) {
		line := ""
		for _, o := range list {
			line += fmt.Sprint(o.ID, " ")
		}
		shown = append(shown, line)
		if len(shown) == 3 {
			cancel()
			return
		}
		id := list[0].ID
		if _, err := orders.With(db).Modify(bg, id, func(o *Order) error { o.Open = false; return nil }); err != nil {
			t.Error(err)
		}
	})
	if want := []string{"3 1 ", "1 ", ""}; !errors.Is(err, context.Canceled) || !slices.Equal(shown, want) {
		t.Errorf("shown %q, error %v; want %q", shown, err, want)
	}
}

func TestTotals(t *testing.T) {
	db := shop(t)
	ctx, cancel := context.WithCancel(bg)
	defer cancel()
	var told []int64
	err := totals(ctx, db, func(cents int64) {
		told = append(told, cents)
		if len(told) == 2 {
			cancel()
			return
		}
		if _, err := orders.With(db).Insert(bg, &Order{Customer: 1, Placed: monday, Cents: 1, Open: true}); err != nil {
			t.Error(err)
		}
	})
	if !errors.Is(err, context.Canceled) || !slices.Equal(told, []int64{15_00, 15_01}) {
		t.Errorf("told %v, error %v", told, err)
	}
}

func TestLetters(t *testing.T) {
	db := kivistest.New(t, append([]any{&Mail{}}, records...)...)
	if _, err := customers.With(db).Insert(bg, &Customer{Name: "Ann", Email: "ann@example.com"}); err != nil {
		t.Fatal(err)
	}
	for round := range 3 {
		for range 5 {
			if _, err := orders.With(db).Insert(bg, &Order{Customer: 1, Placed: monday}); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithCancel(bg)
		done := make(chan error)
		go func() { done <- letters(ctx, db) }()
		for n, err := range kivis.Live(bg, db, func(ctx context.Context, tx *kivis.Tx) (int, error) { return mails.With(tx).Count(ctx) }) {
			if err != nil {
				t.Fatal(err)
			}
			if n == 5*(round+1) {
				break
			}
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("letters ends with %v", err)
		}
	}
}
