package cookbook

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/kivistest"
)

var customerEmail = kivis.FieldOf(func(c *Customer) *string { return &c.Email })

// upsert changes the customer with the email, or adds one.
func upsert(ctx context.Context, db *kivis.DB, email, name string) error {
	return db.Update(ctx, func(ctx context.Context, tx *kivis.Tx) error {
		customers := kivis.TableOf[Customer](tx)
		c, err := customers.Where(kivis.Fold(customerEmail).Eq(email)).One(ctx)
		if err != nil && !errors.Is(err, kivis.ErrNotFound) {
			return err
		}
		c.Email, c.Name = email, name
		_, err = customers.Put(ctx, &c)
		return err
	})
}

func TestUpsert(t *testing.T) {
	db := kivistest.New(t, &Customer{})
	var wg sync.WaitGroup
	for range 8 { // at the same time: one of them adds, the others change
		wg.Go(func() {
			if err := upsert(t.Context(), db, "ann@example.com", "Ann"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := upsert(t.Context(), db, "ANN@example.com", "Anna"); err != nil {
		t.Fatal(err)
	}
	list, err := kivis.TableOf[Customer](db).Query().Collect(t.Context())
	if err != nil || len(list) != 1 || list[0].Name != "Anna" {
		t.Errorf("customers are %v, %v", list, err)
	}
}
