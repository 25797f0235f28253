package guide

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/kivistest"
	"github.com/kivisdb/kivis/store/badgerstore"
	"github.com/kivisdb/kivis/store/memstore"
)

// TestErrors tests what the guide says which error comes when.
func TestErrors(t *testing.T) {
	db := shop(t)
	customers, orders := customers.With(db), orders.With(db)
	page := func() string {
		p, err := orders.Query().OrderBy(orderPlaced.Asc()).Page(bg, 1, "")
		if err != nil {
			t.Fatal(err)
		}
		return p.Next
	}
	tests := []struct {
		name string
		call func() error
		want error
		text string
	}{
		{"get nothing", func() error { _, err := customers.Get(bg, 99); return err }, kivis.ErrNotFound, "99"},
		{"replace nothing", func() error { return customers.Replace(bg, &Customer{Auto: kivis.Auto[Customer]{ID: 99}}) }, kivis.ErrNotFound, ""},
		{"one of two", func() error { _, err := orders.Where(orderCustomer.Eq(1)).One(bg); return err }, kivis.ErrManyFound, ""},
		{"drawn key set already", func() error {
			_, err := customers.Insert(bg, &Customer{Auto: kivis.Auto[Customer]{ID: 1}, Email: "x"})
			return err
		}, kivis.ErrExists, "set already"},
		{"email in another case", func() error {
			_, err := customers.Insert(bg, &Customer{Email: "ANN@example.com"})
			return err
		}, kivis.ErrExists, "unique index Email"},
		{"reference left zero", func() error { _, err := orders.Insert(bg, &Order{}); return err }, kivis.ErrReference, "forgot to set it"},
		{"key changed", func() error {
			_, err := customers.Modify(bg, 1, func(c *Customer) error { c.ID = 7; return nil })
			return err
		}, kivis.ErrKeyChanged, ""},
		{"key too large", func() error {
			_, err := countries.With(db).Insert(bg, &Country{Code: strings.Repeat("x", 3000)})
			return err
		}, kivis.ErrKeyTooLarge, "at most 2048"},
		{"cursor of another query", func() error {
			_, err := orders.Query().OrderBy(orderPlaced.Desc()).Page(bg, 1, page())
			return err
		}, kivis.ErrBadCursor, ""},
		{"cursor changed", func() error {
			_, err := orders.Query().OrderBy(orderPlaced.Asc()).Page(bg, 1, page()+"A")
			return err
		}, kivis.ErrBadCursor, ""},
		{"write in a view", func() error {
			return db.View(bg, func(ctx context.Context, tx *kivis.Tx) error { return orders.With(tx).Delete(ctx, 1) })
		}, kivis.ErrReadOnly, ""},
		{"not registered", func() error { _, err := kivis.TableOf[Job](db).Get(bg, 1); return err }, kivis.ErrNotRegistered, "Register"},
		{"another key type", func() error { _, err := kivis.TableBy[Customer, string](db).Get(bg, "1"); return err }, nil, "kivis.ID["},
		{"unbound", func() error { _, err := kivis.TableOf[Customer](nil).Get(bg, 1); return err }, nil, "With(db)"},
		{"negative limit", func() error { _, err := orders.Query().Limit(-1).Collect(bg); return err }, nil, "imit"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.call()
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error is %v, want %v with %q", err, tt.want, tt.text)
			}
		})
	}
}

// TestNilOrder tests that nil is a value, less than every other.
func TestNilOrder(t *testing.T) {
	db := shop(t)
	nick := "Annie"
	if _, err := customers.With(db).Modify(bg, 1, func(c *Customer) error { c.Nick = &nick; return nil }); err != nil {
		t.Fatal(err)
	}
	z := "Z"
	list, err := customers.With(db).Where(Customers.Nick.Lt(&z)).OrderBy(Customers.Nick.Desc()).Collect(bg)
	if got := strings.Join(names(list), " "); err != nil || got != "Ann Bob Cleo" {
		t.Errorf("by nick = %v, %v", got, err)
	}
}

// TestBulkError tests that an error of a Bulk says how many records are in.
func TestBulkError(t *testing.T) {
	db := kivistest.New(t, &Country{})
	err := db.Bulk(bg, &kivis.BulkOptions{ChunkSize: 2}, func(ctx context.Context, b *kivis.Bulk) error {
		for _, code := range []string{"A", "B", "C", "A"} {
			if _, err := countries.With(b).Insert(ctx, &Country{Code: code}); err != nil {
				return err
			}
		}
		return nil
	})
	if !errors.Is(err, kivis.ErrExists) || !strings.Contains(err.Error(), "2 records are in") {
		t.Errorf("err = %v", err)
	}
	if n, err := countries.With(db).Count(bg); err != nil || n != 2 {
		t.Errorf("count = %d, %v, want 2", n, err)
	}
}

// TestBackup copies the directory of a closed database and checks the copy.
func TestBackup(t *testing.T) {
	dir, backup := t.TempDir(), filepath.Join(t.TempDir(), "copy")
	db, err := openShop(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := customers.With(db).Insert(bg, &Customer{Name: "Ann"}); err != nil {
		t.Fatal(err)
	}
	if _, err := badgerstore.Open(dir, nil); !errors.Is(err, kivis.ErrInUse) {
		t.Errorf("a second Open: %v, want ErrInUse", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(backup, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	st, err := badgerstore.Open(backup, &badgerstore.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	if db, err = kivis.Open(st, nil); err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Register(&Customer{}, &Order{}); err != nil {
		t.Fatal(err)
	}
	if err := audit(bg, db, false); err != nil {
		t.Error(err)
	}
	if c, err := customers.With(db).Get(bg, 1); err != nil || c.Name != "Ann" {
		t.Errorf("Get = %v, %v", c, err)
	}
	if _, err := customers.With(db).Insert(bg, &Customer{}); !errors.Is(err, kivis.ErrReadOnly) {
		t.Errorf("a write: %v, want ErrReadOnly", err)
	}
}

// TestOlder tests that a program older than the catalog is refused unless it
// asks.
func TestOlder(t *testing.T) {
	type v1 struct {
		_    struct{} `kivis:"table=things"`
		Code string   `kivis:"key"`
	}
	type v2 struct {
		_    struct{} `kivis:"table=things"`
		Code string   `kivis:"key"`
		More int
	}
	dir := t.TempDir()
	register := func(opts *kivis.Options, record any) error {
		st, err := badgerstore.Open(dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		db, err := kivis.Open(st, opts)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		return db.Register(record)
	}
	if err := errors.Join(register(nil, &v1{}), register(nil, &v2{})); err != nil {
		t.Fatal(err)
	}
	if err := register(nil, &v1{}); err == nil || !strings.Contains(err.Error(), "AllowOlder") {
		t.Errorf("an older program: %v, want an error that names AllowOlder", err)
	}
	if err := register(&kivis.Options{AllowOlder: true}, &v1{}); err != nil {
		t.Errorf("an older program that asks: %v", err)
	}
}

// TestLogsHoldNoValues tests that no value gets into a log.
func TestLogsHoldNoValues(t *testing.T) {
	var out bytes.Buffer
	db, err := kivis.Open(memstore.New(), &kivis.Options{Logger: slog.New(slog.NewTextHandler(&out, nil)), Slow: time.Nanosecond})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Register(&Customer{}); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second fails
		_, _ = customers.With(db).Insert(bg, &Customer{Email: "secret@example.com"})
	}
	if _, err := customers.With(db).Where(Customers.Email.Eq("secret@example.com")).Collect(bg); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "slow call") || strings.Contains(out.String(), "secret") {
		t.Errorf("the log is\n%s", &out)
	}
}
