// Command flights loads the airports of the United States and 20,000 flights
// into a database, and asks it questions.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
	"github.com/kivisdb/kivis/store/memstore"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "flights:", err)
		os.Exit(1)
	}
}

// run is the program: what it prints goes to stdout.
func run(ctx context.Context, args []string, stdout io.Writer) (err error) {
	flags := flag.NewFlagSet("flights", flag.ContinueOnError)
	dir := flags.String("dir", "", "keep the database in this `directory` (default: a temporary one, removed at the end)")
	kind := flags.String("store", "badger", "keep records in `badger` or, in memory, in mem")
	quiet := flags.Bool("q", false, "print no times and no progress bar")
	if err := flags.Parse(args); err != nil {
		return err
	}
	st, done, err := openStore(*kind, *dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	p := &printer{w: stdout, quiet: *quiet}
	db, err := kivis.Open(st, &kivis.Options{Tracer: &p.reads})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.Register(&Airport{}, &Flight{}); err != nil {
		return err
	}
	if err := p.load(ctx, db); err != nil {
		return err
	}
	return p.answers(ctx, db)
}

// openStore returns a store, and what to do when it has been closed.
func openStore(kind, dir string) (store.Store, func() error, error) {
	keep := func() error { return nil }
	switch {
	case kind == "mem" && dir == "":
		return memstore.New(), keep, nil
	case kind == "mem":
		return nil, nil, errors.New("-store mem keeps nothing in a directory: leave out -dir")
	case kind != "badger":
		return nil, nil, fmt.Errorf("-store is %q; want badger or mem; examples/stores has the others", kind)
	case dir != "":
		st, err := badgerstore.Open(dir, nil)
		return st, keep, err
	}
	dir, err := os.MkdirTemp("", "flights-")
	if err != nil {
		return nil, nil, err
	}
	remove := func() error { return os.RemoveAll(dir) }
	st, err := badgerstore.Open(dir, nil)
	if err != nil {
		return nil, nil, errors.Join(err, remove())
	}
	return st, remove, nil
}

// printer prints what the program finds.
type printer struct {
	w     io.Writer
	quiet bool
	reads reads
}

// load loads the data and says so.
func (p *printer) load(ctx context.Context, db *kivis.DB) error {
	draw, wipe := progressBar(p.w)
	if p.quiet {
		draw, wipe = func(int, int) {}, func() {}
	}
	began := time.Now()
	nAirports, nFlights, fresh, err := load(ctx, db, draw)
	wipe()
	if err != nil {
		return err
	}
	verb := "Loaded"
	if !fresh {
		verb = "Found"
	}
	p.reads.list = nil
	fmt.Fprintf(p.w, "%s %s airports and %s flights%s.\n", verb, thousands(nAirports), thousands(nFlights), p.took(began))
	return nil
}

// took returns " in" and the time since began, or nothing when quiet.
func (p *printer) took(began time.Time) string {
	if p.quiet {
		return ""
	}
	d := time.Since(began)
	switch {
	case d > time.Second:
		d = d.Round(10 * time.Millisecond)
	case d > time.Millisecond:
		d = d.Round(10 * time.Microsecond)
	default:
		d = d.Round(time.Microsecond)
	}
	return " in " + d.String()
}
