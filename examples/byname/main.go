// Command byname works on a database whose Go types it does not have: it looks
// at the tables, reads, filters, pages, changes and deletes, and every rule of
// the database holds. With -dir DIR it does so on any database in a directory.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store/badgerstore"
)

func main() {
	dir := flag.String("dir", "", "list the tables of the database in this `directory`, and change nothing")
	flag.Parse()
	if err := run(context.Background(), *dir, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "byname:", err)
		os.Exit(1)
	}
}

// run opens the database in dir, or one that it has another program write.
func run(ctx context.Context, dir string, w io.Writer) error {
	if dir != "" {
		return with(dir, &badgerstore.Options{ReadOnly: true}, func(db *kivis.DB) error { return list(ctx, db, w) })
	}
	dir, err := os.MkdirTemp("", "byname-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := write(ctx, dir); err != nil {
		return err
	}
	return with(dir, nil, func(db *kivis.DB) error {
		for _, step := range []func(context.Context, *kivis.DB, io.Writer) error{list, read, change, remove} {
			if err := step(ctx, db, w); err != nil {
				return err
			}
		}
		return nil
	})
}

// with runs fn on the database in a directory, in which no type is registered.
func with(dir string, opts *badgerstore.Options, fn func(db *kivis.DB) error) error {
	st, err := badgerstore.Open(dir, opts)
	if err != nil {
		return err
	}
	db, err := kivis.Open(st, nil)
	if err != nil {
		return err
	}
	return errors.Join(fn(db), db.Close())
}

// list prints the tables with their columns.
func list(ctx context.Context, db *kivis.DB, w io.Writer) error {
	for _, tb := range db.Tables() {
		n, err := kivis.TableNamed(db, tb.Name).Count(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s, %d records\n", tb.Name, n)
		for _, c := range tb.Columns {
			fmt.Fprintf(w, "    %-12s %s\n", c.Name, c.Type)
		}
		for _, r := range tb.Refs {
			fmt.Fprintf(w, "    %s refers to %s, on delete %s\n", r.Name, r.Target.Name, r.OnDelete)
		}
	}
	return nil
}

// read asks for records by text.
func read(ctx context.Context, db *kivis.DB, w io.Writer) error {
	flights := kivis.TableNamed(db, "flights")
	late := flights.Where("Origin = ? and Delay >= 30", "ORD").OrderBy("-Delay")
	fmt.Fprintln(w, "\nThirty minutes late or more from ORD:")
	for rec, err := range late.All(ctx) {
		if err != nil {
			return err
		}
		to, err := rec.Get("Destination")
		if err != nil {
			return err
		}
		delay, err := rec.Get("Delay")
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "    flight %s to %s: %d minutes\n", rec.Key(), to, delay)
	}
	page, err := flights.Query().Page(ctx, 3, "")
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "The first page has %d flights; there are more: %t\n", len(page.Records), page.Next != "")
	return nil
}

// change updates one record and inserts another, which the rules refuse at first.
func change(ctx context.Context, db *kivis.DB, w io.Writer) error {
	flights := kivis.TableNamed(db, "flights")
	key, err := flights.Key("2")
	if err != nil {
		return err
	}
	rec, err := flights.Modify(ctx, key, func(r *kivis.Record) error { return r.Set("Delay", 5) })
	if err != nil {
		return err
	}
	delay, err := rec.Get("Delay")
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\nFlight %s is %d minutes late now.\n", key, delay)

	rec = flights.New()
	if err := errors.Join(rec.Set("Origin", "ORD"), rec.Set("Destination", "XXX")); err != nil {
		return err
	}
	_, err = flights.Insert(ctx, rec)
	fmt.Fprintln(w, err)
	err = rec.Set("Delay", "late")
	fmt.Fprintln(w, err)
	return nil
}

// remove deletes an airport, and with it the flights that refer to it.
func remove(ctx context.Context, db *kivis.DB, w io.Writer) error {
	airports, flights := kivis.TableNamed(db, "airports"), kivis.TableNamed(db, "flights")
	ord, err := airports.KeyOf("ORD")
	if err != nil {
		return err
	}
	before, err := flights.Count(ctx)
	if err != nil {
		return err
	}
	if err := airports.Delete(ctx, ord); err != nil {
		return err
	}
	after, err := flights.Count(ctx)
	if err != nil {
		return err
	}
	report, err := db.Check(ctx, nil)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\nWith %s went %d of %d flights. Check is clean: %t\n", ord, before-after, before, report.Clean())
	return nil
}
