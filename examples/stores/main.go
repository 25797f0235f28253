// Command stores keeps the same records in whichever store it is told to, and moves
// them into another: a program is the same over all of them. It is a module of its
// own because most stores are.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
	"github.com/kivisdb/kivis/store/boltstore"
	"github.com/kivisdb/kivis/store/memstore"
	"github.com/kivisdb/kivis/store/pebblestore"
	"github.com/kivisdb/kivis/store/sqlitestore"
)

// stores opens a store of each kind in a directory.
var stores = map[string]func(dir string) (store.Store, error){
	"memory": func(string) (store.Store, error) { return memstore.New(), nil },
	"badger": func(dir string) (store.Store, error) { return badgerstore.Open(filepath.Join(dir, "badger"), nil) },
	"bolt":   func(dir string) (store.Store, error) { return boltstore.Open(filepath.Join(dir, "data.bolt"), nil) },
	"pebble": func(dir string) (store.Store, error) { return pebblestore.Open(filepath.Join(dir, "pebble"), nil) },
	"sqlite": func(dir string) (store.Store, error) { return sqlitestore.Open(filepath.Join(dir, "data.sqlite"), nil) },
}

// Reading is what a thermometer said.
type Reading struct {
	_ struct{} `kivis:"index=hottest(-Degrees,Place)"`
	kivis.Auto[Reading]
	Place   string `kivis:"index"`
	Degrees int
}

func main() {
	err := run(context.Background(), os.Args[1:], os.Stdout)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "stores:", err)
		os.Exit(1)
	}
}

// run is the program: what it prints goes to stdout.
func run(ctx context.Context, args []string, stdout io.Writer) (err error) {
	kinds := strings.Join(slices.Sorted(maps.Keys(stores)), ", ")
	flags := flag.NewFlagSet("stores", flag.ContinueOnError)
	kind := flags.String("store", "sqlite", "keep the readings in a store of this `kind`: "+kinds)
	into := flags.String("into", "bolt", "and then move them into one of this `kind`")
	if err := flags.Parse(args); err != nil {
		return err
	}
	for _, k := range []string{*kind, *into} {
		if stores[k] == nil {
			return fmt.Errorf("there is no kind of store %q; there are %s", k, kinds)
		}
	}
	dir, err := os.MkdirTemp("", "stores-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	backup, err := first(ctx, stdout, *kind, dir)
	if err != nil {
		return err
	}
	return second(ctx, stdout, *into, filepath.Join(dir, "moved"), backup)
}

// first keeps readings in a store, asks for some, and returns a backup.
func first(ctx context.Context, stdout io.Writer, kind, dir string) (backup []byte, err error) {
	st, err := stores[kind](dir)
	if err != nil {
		return nil, err
	}
	db, err := kivis.Open(st, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.Register(&Reading{}); err != nil {
		return nil, err
	}
	var readings []Reading
	for i, place := range []string{"cellar", "kitchen", "attic", "kitchen", "roof", "attic"} {
		readings = append(readings, Reading{Place: place, Degrees: (i*37+11)%45 - 5})
	}
	if _, err := kivis.TableOf[Reading](db).InsertMany(ctx, readings); err != nil {
		return nil, err
	}
	fmt.Fprintf(stdout, "%d readings in a store of kind %s\n", len(readings), kind)
	if err := hottest(ctx, stdout, db); err != nil {
		return nil, err
	}
	var file bytes.Buffer
	_, err = db.Backup(ctx, &file, nil)
	return file.Bytes(), err
}

// second restores the backup into another store, and asks it the same.
func second(ctx context.Context, stdout io.Writer, kind, dir string, backup []byte) (err error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	st, err := stores[kind](dir)
	if err != nil {
		return err
	}
	if _, err := kivis.Restore(ctx, st, bytes.NewReader(backup)); err != nil {
		return errors.Join(err, st.Close())
	}
	db, err := kivis.Open(st, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.Register(&Reading{}); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "moved into a store of kind %s\n", kind)
	if err := hottest(ctx, stdout, db); err != nil {
		return err
	}
	report, err := db.Check(ctx, nil)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%d faults\n", len(report.Faults))
	return nil
}

// hottest prints the three highest readings.
func hottest(ctx context.Context, stdout io.Writer, db *kivis.DB) error {
	degrees := kivis.FieldOf(func(r *Reading) *int { return &r.Degrees })
	for r, err := range kivis.TableOf[Reading](db).Query().OrderBy(degrees.Desc()).Limit(3).All(ctx) {
		if err != nil {
			return err
		}
		fmt.Fprintf(stdout, "  %2d degrees, %s\n", r.Degrees, r.Place)
	}
	return nil
}
