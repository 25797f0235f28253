// Command layers asks questions of a database that is far away, through layers that
// remember: in memory, in a directory, and in an archive that has everything. It
// shows what each has answered, and what happens when somebody else writes, when
// the program starts again, and when the database cannot be reached.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/cache"
	"github.com/kivisdb/kivis/cache/slowstore"
	"github.com/kivisdb/kivis/store/badgerstore"
	"github.com/kivisdb/kivis/store/memstore"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "layers:", err)
		os.Exit(1)
	}
}

// run is the program: what it prints goes to stdout.
func run(ctx context.Context, args []string, stdout io.Writer) (err error) {
	flags := flag.NewFlagSet("layers", flag.ContinueOnError)
	latency := flags.Duration("latency", 5*time.Millisecond, "how far away the database is: how `long` a request takes")
	quiet := flags.Bool("q", false, "print no times and no counts, which differ from run to run")
	if err := flags.Parse(args); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "layers-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	d := &demo{w: stdout, quiet: *quiet, dir: dir, base: memstore.New()}
	if err := d.prepare(ctx); err != nil {
		return err
	}
	d.far = slowstore.Wrap(d.base, slowstore.Options{Latency: *latency})
	return d.show(ctx)
}

// demo is what the program works with.
type demo struct {
	w     io.Writer
	quiet bool
	dir   string

	base   *memstore.Store  // the database, where it is
	far    *slowstore.Store // the same, as it looks from here
	others *kivis.DB        // what somebody else has open there

	layers *cache.Store
	db     *kivis.DB
}

// elsewhere is an origin that goes on when a stack over it is closed.
type elsewhere struct{ *slowstore.Store }

// Close implements store.Store.
func (elsewhere) Close() error { return nil }

// prepare has somebody else make the database.
func (d *demo) prepare(ctx context.Context) (err error) {
	if d.others, err = kivis.Open(d.base, nil); err != nil {
		return err
	}
	if err := d.others.Register(&Airport{}, &Flight{}); err != nil {
		return err
	}
	return load(ctx, d.others)
}

// open opens the database through the layers.
func (d *demo) open() error {
	near, err := badgerstore.Open(filepath.Join(d.dir, "near"), &badgerstore.Options{NoSync: true})
	if err != nil {
		return err
	}
	archive, err := badgerstore.Open(filepath.Join(d.dir, "archive"), &badgerstore.Options{NoSync: true})
	if err != nil {
		return errors.Join(err, near.Close())
	}
	d.layers, err = cache.Stack(elsewhere{d.far}, cache.Memory(4<<20), cache.Persistent(near, 32<<20), cache.Archive(archive))
	if err != nil {
		return errors.Join(err, near.Close(), archive.Close())
	}
	if d.db, err = kivis.Open(d.layers, nil); err != nil {
		return err
	}
	return d.db.Register(&Airport{}, &Flight{})
}

// show goes through it all.
func (d *demo) show(ctx context.Context) error {
	if err := d.open(); err != nil {
		return err
	}
	for _, step := range []struct {
		title string
		do    func(ctx context.Context) error
	}{
		{"Cold: nobody has asked before", d.questions},
		{"Warm: the same once more", d.questions},
		{"The archive copies everything", d.copy},
		{"The program starts again", d.restart},
		{"Somebody else writes", d.change},
		{"The database cannot be reached", d.offline},
		{"It is back", d.back},
	} {
		fmt.Fprintf(d.w, "\n%s\n", step.title)
		if err := step.do(ctx); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", step.title, err), d.db.Close())
		}
	}
	return d.db.Close()
}
