package guide

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
)

func predicates(db *kivis.DB, from, to time.Time) []kivis.Query[Customer, kivis.ID[Customer]] {
	customers := customers.With(db)
	c := Customers
	return []kivis.Query[Customer, kivis.ID[Customer]]{
		customers.Where(c.Name.Eq("Ann"), c.City.Ne("Bergen")), // several: all must hold
		customers.Where(kivis.Or(c.Name.In("Ann", "Bob"), c.City.Ge("P"))),
		customers.Where(kivis.Not(c.Name.Between("A", "B"))),          // both ends, as in SQL
		customers.Where(c.Name.Range("A", "C")),                       // half-open, as in Go
		customers.Where(kivis.Prefix(c.Name, "An")),                   // exact case
		customers.Where(kivis.EqualFold(c.Email, "CLEO@example.com")), // any case
		customers.Where(kivis.Contains(c.Tags, "vip")),                // an element of a slice
		customers.Where(kivis.Prefix(kivis.Each(c.Tags), "ear")),      // any element that matches
		customers.Where(kivis.IsNil(c.Nick)),                          // pointers, slices, maps
		customers.Where(kivis.Deref(c.Nick).Eq("Annie")),              // what they point to
		customers.Where(customers.Key().Le(2)),                        // the primary key
		customers.Where(kivis.Func(func(c *Customer) bool { return len(c.Name) == 3 })),
	}
}

func TestPredicates(t *testing.T) {
	db := shop(t)
	want := [][]string{
		{"Ann"}, {"Ann", "Bob"}, {"Bob", "Cleo"}, {"Ann", "Bob"}, {"Ann"}, {"Cleo"},
		{"Ann", "Cleo"}, {"Ann"}, {"Ann", "Bob", "Cleo"}, nil, {"Ann", "Bob"}, {"Ann", "Bob"},
	}
	for i, q := range predicates(db, monday, monday) {
		list, err := q.OrderBy(Customers.Name.Asc()).Collect(bg)
		if got := names(list); err != nil || !reflect.DeepEqual(got, want[i]) {
			t.Errorf("query %d = %v, %v, want %v", i, got, err, want[i])
		}
	}
}

func collect(ctx context.Context, db *kivis.DB, id kivis.ID[Customer]) ([]Order, error) {
	return orders.With(db).
		Where(orderCustomer.Eq(id), orderPlaced.Ge(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))).
		OrderBy(orderPlaced.Desc()).
		Limit(20).
		Collect(ctx)
}

func stream(ctx context.Context, db *kivis.DB) (cents int64, err error) {
	for o, err := range orders.With(db).Where(orderOpen.Eq(true)).All(ctx) {
		if err != nil {
			return 0, err // the record beside an error is zero
		}
		cents += o.Cents
	}
	return cents, nil
}

func terminal(ctx context.Context, db *kivis.DB, id kivis.ID[Customer]) error {
	mine := orders.With(db).Where(orderCustomer.Eq(id))
	newest, err := mine.OrderBy(orderPlaced.Desc()).First(ctx) // ErrNotFound where there is none
	if err != nil {
		return err
	}
	only, err := mine.Where(orderOpen.Eq(true)).One(ctx) // ErrManyFound where there are two
	if err != nil {
		return err
	}
	n, err := mine.Count(ctx)
	if err != nil {
		return err
	}
	some, err := mine.Where(orderCents.Gt(50_00)).Exists(ctx)
	if err != nil {
		return err
	}
	fmt.Println(newest.ID, only.ID, n, some)
	return nil
}

func aggregates(ctx context.Context, db *kivis.DB) error {
	all := orders.With(db).Query()
	largest, err := kivis.Max(ctx, all, orderCents)
	if err != nil {
		return err
	}
	sum, err := kivis.Sum(ctx, all, orderCents)
	if err != nil {
		return err
	}
	perCustomer, err := kivis.GroupCount(ctx, all, orderCustomer)
	if err != nil {
		return err
	}
	fmt.Println(largest, sum, perCustomer[1])
	return nil
}

func load(ctx context.Context, db *kivis.DB) error {
	list, err := orders.With(db).Query().Collect(ctx)
	if err != nil {
		return err
	}
	who, err := kivis.Load(ctx, customers.With(db), list, orderCustomer.Get)
	if err != nil {
		return err
	}
	for _, o := range list {
		fmt.Println(o.ID, who[o.Customer].Name)
	}
	return nil
}

func pages(ctx context.Context, db *kivis.DB, cursor string) (kivis.Page[Order], error) {
	return orders.With(db).Query().OrderBy(orderPlaced.Desc()).Page(ctx, 3, cursor)
}

func text(ctx context.Context, db *kivis.DB, cents int64) ([]Order, error) {
	return orders.With(db).WhereText("Open = true and Cents >= ?", cents).Collect(ctx)
}

func change(ctx context.Context, db *kivis.DB, id kivis.ID[Customer]) (closed, deleted int, err error) {
	closed, err = orders.With(db).Where(orderCustomer.Eq(id), orderOpen.Eq(true)).
		Modify(ctx, func(o *Order) error { o.Open = false; return nil })
	if err != nil {
		return 0, 0, err
	}
	deleted, err = orders.With(db).Where(orderCents.Lt(10_00)).Delete(ctx)
	return closed, deleted, err
}

func explain(db *kivis.DB) error {
	plan, err := orders.With(db).Where(orderCustomer.Eq(1), orderCents.Ge(20_00)).OrderBy(orderPlaced.Desc()).Explain()
	if err != nil {
		return err
	}
	fmt.Println(plan)
	return nil
}

func TestQueries(t *testing.T) {
	db := shop(t)
	list, err := collect(bg, db, 1)
	if err != nil || len(list) != 3 || list[0].Cents != 20_00 {
		t.Errorf("collect = %v, %v", list, err)
	}
	if cents, err := stream(bg, db); err != nil || cents != 15_00 {
		t.Errorf("stream = %d, %v", cents, err)
	}
	list, err = text(bg, db, 6_00)
	if err != nil || len(list) != 1 {
		t.Errorf("text = %v, %v", list, err)
	}
	first, err := pages(bg, db, "")
	if err != nil || len(first.Records) != 3 || first.Next == "" || first.Prev != "" {
		t.Fatalf("first page = %+v, %v", first, err)
	}
	second, err := pages(bg, db, first.Next)
	if err != nil || len(second.Records) != 1 || second.Next != "" || second.Prev == "" {
		t.Errorf("second page = %+v, %v", second, err)
	}
	for _, read := range []func(context.Context, *kivis.DB) error{aggregates, load} {
		if err := read(bg, db); err != nil {
			t.Error(err)
		}
	}
	if err := terminal(bg, db, 1); err != nil {
		t.Error(err)
	}
	closed, deleted, err := change(bg, db, 1)
	if err != nil || closed != 1 || deleted != 1 {
		t.Errorf("change = %d, %d, %v", closed, deleted, err)
	}
}

func TestExplain(t *testing.T) {
	db := shop(t)
	plan, err := orders.With(db).Where(orderCustomer.Eq(1)).Explain()
	if err != nil || !strings.Contains(plan.String(), "index range") {
		t.Errorf("plan is %v, %v", plan, err)
	}
	plan, err = orders.With(db).Where(orderCents.Eq(1)).Explain()
	if err != nil || !strings.Contains(plan.String(), "full scan") {
		t.Errorf("plan is %v, %v", plan, err)
	}
}
