package guide

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/kivisdb/kivis"
)

func crud(ctx context.Context, db *kivis.DB) error {
	customers := customers.With(db)

	c := Customer{Name: "Dora", Email: "dora@example.com"}
	id, err := customers.Insert(ctx, &c) // id is a kivis.ID[Customer], and c.ID is set
	if err != nil {
		return err
	}
	c, err = customers.Get(ctx, id)
	if err != nil {
		return err // errors.Is(err, kivis.ErrNotFound) where there is none
	}
	c, err = customers.Modify(ctx, id, func(c *Customer) error {
		c.Address.City = "Oslo"
		return nil
	})
	if err != nil {
		return err
	}
	c.Name = ""
	err = customers.Replace(ctx, &c) // the whole record: the name is now empty
	if err != nil {
		return err
	}
	return customers.Delete(ctx, id)
}

func several(ctx context.Context, db *kivis.DB) (map[kivis.ID[Customer]]Customer, error) {
	batch := []Customer{{Name: "Eve", Email: "eve@example.com"}, {Name: "Finn", Email: "finn@example.com"}}
	ids, err := customers.With(db).InsertMany(ctx, batch) // all or none
	if err != nil {
		return nil, err
	}
	return customers.With(db).GetMany(ctx, ids...) // one batch; absent ones are absent
}

func TestCRUD(t *testing.T) {
	db := shop(t)
	if err := crud(bg, db); err != nil {
		t.Fatal(err)
	}
	found, err := several(bg, db)
	if err != nil || len(found) != 2 {
		t.Errorf("several = %v, %v", found, err)
	}
	if n, err := customers.With(db).Count(bg); err != nil || n != 5 {
		t.Errorf("count = %d, %v, want 5", n, err)
	}
}

func TestNotStored(t *testing.T) {
	db := shop(t)
	id, err := customers.With(db).Insert(bg, &Customer{Name: "Gus", cache: []byte{1}, Scratch: []byte{2}})
	if err != nil {
		t.Fatal(err)
	}
	c, err := customers.With(db).Get(bg, id)
	if err != nil || c.Name != "Gus" || c.cache != nil || c.Scratch != nil {
		t.Errorf("Get = %+v, %v, want no cache and no scratch", c, err)
	}
}

func keys(ctx context.Context, db *kivis.DB, order kivis.ID[Order]) error {
	// Several fields.
	_, err := lines.With(db).Insert(ctx, &Line{Order: order, Number: 1, Text: "a chair"})
	if err != nil {
		return err
	}
	line, err := lines.With(db).Get(ctx, LineKey{order, 1})
	if err != nil {
		return err
	}

	// All lines of one order: the keys from {order, 0} up to {order+1, 0}.
	all, err := lines.With(db).Range(LineKey{Order: order}, LineKey{Order: order + 1}).Collect(ctx)
	if err != nil {
		return err
	}
	if !slices.Contains(all, line) {
		return errors.New("the line is not in the range")
	}

	// Content: the same content has the same key.
	sum, err := blobs.With(db).Put(ctx, &Blob{Data: []byte("hello")})
	if err != nil {
		return err
	}
	again, err := blobs.With(db).Insert(ctx, &Blob{Data: []byte("hello")})
	if !errors.Is(err, kivis.ErrExists) || again != sum {
		return fmt.Errorf("content twice: %x and %x, %w", sum, again, err)
	}
	return nil
}

func TestKeys(t *testing.T) {
	db := shop(t)
	if err := keys(bg, db, 1); err != nil {
		t.Fatal(err)
	}
	id, err := sessions.With(db).Insert(bg, &Session{Expires: monday})
	if err != nil || id.Version() != 7 {
		t.Errorf("session id is %v, %v", id, err)
	}
	key, err := readings.With(db).Put(bg, &Reading{Sensor: "attic", At: monday, Value: 19.5})
	if err != nil || key.Sensor != "attic" {
		t.Errorf("reading key is %v, %v", key, err)
	}
	if _, err := countries.With(db).Insert(bg, &Country{Code: "NO", Name: "Norway"}); err != nil {
		t.Error(err)
	}
}
