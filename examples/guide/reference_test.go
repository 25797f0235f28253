package guide

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/kivisdb/kivis"
)

func broken(ctx context.Context, db *kivis.DB) error {
	_, err := orders.With(db).Insert(ctx, &Order{Customer: 99, Placed: monday})
	var broken *kivis.ReferenceError
	if errors.As(err, &broken) {
		fmt.Println(broken.Table, broken.Field, broken.Target, broken.Key, broken.Action)
	}
	return err
}

func TestReferences(t *testing.T) {
	db := shop(t)
	if err := broken(bg, db); !errors.Is(err, kivis.ErrReference) {
		t.Errorf("a reference to nothing: %v", err)
	}
	// Ann's orders go with her, and so does the line of one.
	if _, err := lines.With(db).Insert(bg, &Line{Order: 1, Number: 1}); err != nil {
		t.Fatal(err)
	}
	// Cleo is the agent of one, which stays without her.
	if err := customers.With(db).Delete(bg, 3); err != nil {
		t.Fatal(err)
	}
	o, err := orders.With(db).Get(bg, 4)
	if err != nil || o.Agent != nil {
		t.Errorf("order 4 = %+v, %v, want no agent", o, err)
	}
	if err := customers.With(db).Delete(bg, 1); err != nil {
		t.Fatal(err)
	}
	n, err := orders.With(db).Count(bg)
	if err != nil || n != 1 {
		t.Errorf("%d orders, %v, want Bob's alone", n, err)
	}
	if n, err = lines.With(db).Count(bg); err != nil || n != 0 {
		t.Errorf("%d lines, %v, want none", n, err)
	}
}
