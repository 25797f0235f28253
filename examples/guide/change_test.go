package guide

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store/badgerstore"
)

// Yesterday's program.
type productV1 struct {
	_     struct{} `kivis:"table=products"`
	SKU   string   `kivis:"key"`
	Title string
	Stock int32
}

// Product is today's: a renamed field, a wider number, a new field, an index.
type Product struct {
	_     struct{} `kivis:"table=products"`
	SKU   string   `kivis:"key"`
	Name  string   `kivis:"was=Title,index"`
	Stock int64
	Cents int64
}

// A change that would lose data.
type productV3 struct {
	_     struct{} `kivis:"table=products"`
	SKU   string   `kivis:"key"`
	Name  string
	Stock bool
	Cents int64
}

func differences(ctx context.Context, db *kivis.DB) error {
	diff, err := db.Diff(ctx, &Product{})
	if err != nil {
		return err
	}
	fmt.Print(diff)
	return nil
}

func TestChange(t *testing.T) {
	dir := t.TempDir()
	reopen := func(fn func(db *kivis.DB)) {
		t.Helper()
		st, err := badgerstore.Open(dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		db, err := kivis.Open(st, nil)
		if err != nil {
			t.Fatal(err)
		}
		fn(db)
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
	reopen(func(db *kivis.DB) {
		if err := db.Register(&productV1{}); err != nil {
			t.Fatal(err)
		}
		if _, err := kivis.TableBy[productV1, string](db).Insert(bg, &productV1{SKU: "1", Title: "chair", Stock: 3}); err != nil {
			t.Fatal(err)
		}
	})
	reopen(func(db *kivis.DB) {
		if err := differences(bg, db); err != nil {
			t.Fatal(err)
		}
		if err := db.Register(&Product{}); err != nil {
			t.Fatal(err)
		}
		p, err := kivis.TableBy[Product, string](db).Get(bg, "1")
		if want := (Product{SKU: "1", Name: "chair", Stock: 3}); err != nil || p != want {
			t.Errorf("Get = %v, %v, want %v", p, err, want)
		}
	})
	reopen(func(db *kivis.DB) {
		err := db.Register(&productV3{})
		var refused *kivis.SchemaChangeError
		if !errors.As(err, &refused) || refused.Table != "products" {
			t.Errorf("err = %v, want a SchemaChangeError", err)
		}
		t.Log(err)
	})
}
