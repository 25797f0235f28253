package cookbook

import (
	"fmt"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/kivistest"
)

// Cents are an amount of money: a whole number of the least unit, so that sums are
// exact, ranges and orders are those of numbers, and an index serves them.
type Cents int64

// String writes the amount as people do.
func (c Cents) String() string {
	sign := ""
	if c < 0 {
		sign, c = "-", -c
	}
	return fmt.Sprintf("%s%d.%02d", sign, c/100, c%100)
}

type Payment struct {
	kivis.Auto[Payment]
	Currency string `kivis:"index"`
	Amount   Cents  `kivis:"index"`
}

var (
	paymentCurrency = kivis.FieldOf(func(p *Payment) *string { return &p.Currency })
	paymentAmount   = kivis.FieldOf(func(p *Payment) *Cents { return &p.Amount })
)

func TestMoney(t *testing.T) {
	ctx := t.Context()
	db := kivistest.New(t, &Payment{})
	payments := kivis.TableOf[Payment](db)
	for _, p := range []Payment{{Currency: "EUR", Amount: 1999}, {Currency: "EUR", Amount: -500}, {Currency: "USD", Amount: 10}} {
		if _, err := payments.Insert(ctx, &p); err != nil {
			t.Fatal(err)
		}
	}
	sums, err := kivis.GroupSum(ctx, payments.Query(), paymentCurrency, paymentAmount)
	if err != nil || sums["EUR"].String() != "14.99" || sums["USD"].String() != "0.10" {
		t.Errorf("sums are %v, %v", sums, err)
	}
	if n, err := payments.Where(paymentAmount.Between(0, 1000)).Count(ctx); n != 1 || err != nil {
		t.Errorf("%d payments of 0 to 10, %v", n, err)
	}
}
