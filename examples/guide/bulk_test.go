package guide

import (
	"context"
	"fmt"
	"iter"
	"testing"

	"github.com/kivisdb/kivis"
)

func bulk(ctx context.Context, db *kivis.DB, source iter.Seq[Customer]) error {
	opts := &kivis.BulkOptions{Progress: func(done int) { fmt.Println(done, "are in") }}
	return db.Bulk(ctx, opts, func(ctx context.Context, b *kivis.Bulk) error {
		customers := customers.With(b)
		for c := range source {
			if _, err := customers.Insert(ctx, &c); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestBulk(t *testing.T) {
	db := shop(t)
	err := bulk(bg, db, func(yield func(Customer) bool) {
		for i := range 2500 {
			if !yield(Customer{Name: "N", Email: fmt.Sprintf("%d@example.com", i)}) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := customers.With(db).Count(bg); err != nil || n != 2503 {
		t.Errorf("count = %d, %v", n, err)
	}
}
