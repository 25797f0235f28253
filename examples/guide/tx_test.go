package guide

import (
	"context"
	"errors"
	"testing"

	"github.com/kivisdb/kivis"
)

func view(ctx context.Context, db *kivis.DB, id kivis.ID[Customer]) (c Customer, list []Order, err error) {
	err = db.View(ctx, func(ctx context.Context, tx *kivis.Tx) error {
		// One snapshot: nothing changes between the two reads.
		c, err = customers.With(tx).Get(ctx, id)
		if err != nil {
			return err
		}
		list, err = orders.With(tx).Where(orderCustomer.Eq(id)).Collect(ctx)
		return err
	})
	return c, list, err
}

func place(ctx context.Context, db *kivis.DB, o *Order, texts []string, mail func(kivis.ID[Order])) error {
	return db.Update(ctx, func(ctx context.Context, tx *kivis.Tx) error {
		order := *o // the function may run again: begin with what was given
		id, err := orders.With(tx).Insert(ctx, &order)
		if err != nil {
			return err
		}
		for i, text := range texts {
			_, err := lines.With(tx).Insert(ctx, &Line{Order: id, Number: i + 1, Text: text})
			if err != nil {
				return err // nothing of all this stays
			}
		}
		tx.OnCommit(func() { mail(id) }) // once, and only if it commits
		return nil
	})
}

func nested(ctx context.Context, db *kivis.DB, id kivis.ID[Order]) error {
	return db.Update(ctx, func(ctx context.Context, tx *kivis.Tx) error {
		_, err := orders.With(tx).Modify(ctx, id, func(o *Order) error { o.Open = false; return nil })
		if err != nil {
			return err
		}
		err = tx.Update(ctx, func(ctx context.Context, tx *kivis.Tx) error {
			_, err := lines.With(tx).Insert(ctx, &Line{Order: id, Number: 1, Text: "thanks"})
			return err
		})
		if errors.Is(err, kivis.ErrExists) {
			return nil // the step is undone, the order is closed
		}
		return err
	})
}

func TestTransactions(t *testing.T) {
	db := shop(t)
	c, list, err := view(bg, db, 1)
	if err != nil || c.Name != "Ann" || len(list) != 3 {
		t.Errorf("view = %v, %v, %v", c, list, err)
	}
	var mailed kivis.ID[Order]
	mail := func(id kivis.ID[Order]) { mailed = id }
	if err := place(bg, db, &Order{Customer: 2, Placed: monday}, []string{"a table", "a chair"}, mail); err != nil {
		t.Fatal(err)
	}
	if mailed == 0 {
		t.Error("no mail")
	}
	if err := nested(bg, db, mailed); err != nil {
		t.Fatal(err)
	}
	o, err := orders.With(db).Get(bg, mailed)
	if err != nil || o.Open {
		t.Errorf("order = %v, %v, want it closed", o, err)
	}
	line, err := lines.With(db).Get(bg, LineKey{mailed, 1})
	if err != nil || line.Text != "a table" {
		t.Errorf("line = %v, %v, want it as it was", line, err)
	}
}

func TestForgottenWith(t *testing.T) {
	db := shop(t)
	err := db.Update(bg, func(ctx context.Context, tx *kivis.Tx) error {
		return orders.With(db).Delete(ctx, 1)
	})
	if !errors.Is(err, kivis.ErrInTx) {
		t.Errorf("err = %v, want ErrInTx", err)
	}
}
