package cookbook

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/kivistest"
)

// Invoice has a number that counts from 1 for each customer, without gaps.
type Invoice struct {
	Customer kivis.ID[Customer] `kivis:"key,ref=Customer"`
	No       int                `kivis:"key"`
	Cents    int64
}

type invoiceKey struct {
	Customer kivis.ID[Customer]
	No       int
}

var (
	invoiceCustomer = kivis.FieldOf(func(i *Invoice) *kivis.ID[Customer] { return &i.Customer })
	invoiceNo       = kivis.FieldOf(func(i *Invoice) *int { return &i.No })
)

// bill adds an invoice under the customer's next number. Two at a time conflict,
// since each has read that nothing comes behind the last; one of them runs again.
func bill(ctx context.Context, db *kivis.DB, c kivis.ID[Customer], cents int64) (Invoice, error) {
	inv := Invoice{Customer: c, Cents: cents}
	err := db.Update(ctx, func(ctx context.Context, tx *kivis.Tx) error {
		invoices := kivis.TableBy[Invoice, invoiceKey](tx)
		last, err := invoices.Where(invoiceCustomer.Eq(c)).OrderBy(invoiceNo.Desc()).First(ctx)
		if err != nil && !errors.Is(err, kivis.ErrNotFound) {
			return err
		}
		inv.No = last.No + 1
		_, err = invoices.Insert(ctx, &inv)
		return err
	})
	return inv, err
}

func TestNumber(t *testing.T) {
	db := kivistest.New(t, &Customer{}, &Invoice{})
	id, err := kivis.TableOf[Customer](db).Insert(t.Context(), &Customer{Email: "a@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 5 {
				if _, err := bill(t.Context(), db, id, 100); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if inv, err := bill(t.Context(), db, id, 100); inv.No != 21 || err != nil {
		t.Errorf("the 21st invoice has the number %d, %v", inv.No, err)
	}
}
