// Command anywhere is a notice board whose data is wherever a flag says: in memory, in
// a directory, in a PostgreSQL server, in a TiKV cluster, in a bucket. Several of it may
// run on one of these; each shows at once what another posts.
//
//	anywhere -at badger:board.db post "Lunch is at noon"
//	anywhere -at postgres://user@host/db?kivis_db=board watch
//	anywhere -at tikv://pd1,pd2/board list
//	anywhere -at s3://bucket/board?endpoint=https://s3.example.com list
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/kivisdb/kivis"
)

// Notice is what somebody has posted.
type Notice struct {
	kivis.Auto[Notice]
	Posted time.Time `kivis:"index"`
	Text   string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout)
	if err != nil && !errors.Is(err, flag.ErrHelp) && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "anywhere:", err)
		os.Exit(1)
	}
}

// run is the program. What it prints goes to w.
func run(ctx context.Context, args []string, w io.Writer) (err error) {
	flags := flag.NewFlagSet("anywhere", flag.ContinueOnError)
	at := flags.String("at", "mem:", "where the data is: mem:, badger:`DIR`, postgres://..., tikv://..., or s3://...")
	near := flags.Int64("near", 16<<20, "how many `bytes` of what was read to keep in memory, before a server or a cluster; 0 for none")
	if err := flags.Parse(args); err != nil {
		return err
	}
	st, err := open(ctx, *at, *near)
	if err != nil {
		return err
	}
	db, err := kivis.Open(st, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.RegisterContext(ctx, &Notice{}); err != nil {
		return err
	}
	return board{kivis.TableOf[Notice](db), w}.do(ctx, flags.Args())
}

// board does what a command asks for, whatever the store is.
type board struct {
	notices kivis.Table[Notice, kivis.ID[Notice]]
	w       io.Writer
}

func (b board) do(ctx context.Context, args []string) error {
	command, rest := "list", []string(nil)
	if len(args) > 0 {
		command, rest = args[0], args[1:]
	}
	switch command {
	case "post":
		id, err := b.notices.Insert(ctx, &Notice{Posted: time.Now().UTC(), Text: strings.Join(rest, " ")})
		if err == nil {
			fmt.Fprintln(b.w, "posted as", id)
		}
		return err
	case "list":
		return b.list(ctx)
	case "watch":
		return b.watch(ctx)
	}
	return fmt.Errorf("there is no command %q; there are post TEXT, list and watch", command)
}

func (b board) list(ctx context.Context) error {
	for n, err := range b.notices.All(ctx) {
		if err != nil {
			return err
		}
		b.show(n)
	}
	return nil
}

// watch shows all notices, and from then on each that is posted, by whomever.
func (b board) watch(ctx context.Context) error {
	for c, err := range b.notices.Follow(ctx, "") {
		switch {
		case err != nil:
			return err
		case c.Kind == kivis.Inserted:
			b.show(c.Record)
		case c.Kind == kivis.Ready:
			fmt.Fprintln(b.w, "-- from here on as they come --")
		}
	}
	return nil
}

func (b board) show(n Notice) { fmt.Fprintf(b.w, "%d  %s\n", n.ID, n.Text) }
