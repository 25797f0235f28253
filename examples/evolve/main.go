// Evolve is five versions of one program over the same data: 3,376 airports and
// 20,000 flights. Each prints what its structs change, and what has become of the
// records.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/memstore"
)

func main() {
	if err := run(context.Background(), os.Stdout, os.Stderr); err != nil {
		log.Fatal(err)
	}
}

// kept is a store that outlives the programs over it, as one on disk does.
type kept struct{ store.Store }

// Close does nothing.
func (kept) Close() error { return nil }

// A version is one program: what it registers, and what it asks once it runs.
type version struct {
	name    string
	records []any
	then    func(ctx context.Context, w io.Writer, db *kivis.DB) error
}

// run runs one version after the other. Progress is for a terminal.
func run(ctx context.Context, w, progress io.Writer) error {
	st := kept{memstore.New()}
	for _, v := range []version{
		{"1: the first", []any{&airport1{}, &flight1{}}, load},
		{"a mistake: a field with another name", []any{&airportBad{}}, nil},
		{"2: a rename, a wider number, an index", []any{&airport2{}, &flight2{}}, second},
		{"3: a field split, a number as a word", []any{&airport2{}, &flight3{}, kivis.Migrate(toThird)}, third},
		{"4: a table renamed, a value that may be nil, a unique field", []any{&airport4{}, &flight4{}}, fourth},
		{"and the unique field is a value", []any{&airport5{}, &flight4{}}, nil},
		{"5: an airport's key is a number of its own", []any{&airport6{}, &flight5{}, kivis.Migrate(toNumbers)}, fifth},
	} {
		if err := v.run(ctx, w, progress, st); err != nil {
			return fmt.Errorf("version %s: %w", v.name, err)
		}
	}
	return nil
}

// run is one program from its start to its end.
func (v version) run(ctx context.Context, w, progress io.Writer, st store.Store) error {
	db, err := kivis.Open(st, nil)
	if err != nil {
		return err
	}
	defer db.Close()
	diff, err := db.Diff(ctx, v.records...)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\nVersion %s\n\n%s", v.name, indent(diff.String()))
	if err := register(ctx, progress, db, v.records); err != nil {
		n := len(refused(err))
		if n == 0 {
			return err
		}
		fmt.Fprintf(w, "  => refused for %d differences; nothing has changed\n", n)
		return nil
	}
	if v.then != nil {
		if err := v.then(ctx, w, db); err != nil {
			return err
		}
	}
	report, err := db.Check(ctx, nil)
	if err == nil {
		fmt.Fprintf(w, "  => %d records, %d faults\n", report.Records, len(report.Faults))
	}
	return err
}

func indent(text string) string {
	if text == "" {
		return ""
	}
	return "  " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n  ") + "\n"
}
