// Command board serves a web page with the latest of an airport's flights. The
// page is a live query: whoever changes a flight, each browser that shows it is
// told. It is a module of its own because its test drives a browser.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store/memstore"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "board:", err)
		os.Exit(1)
	}
}

// run serves the page until ctx ends.
func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("board", flag.ContinueOnError)
	addr := flags.String("addr", "127.0.0.1:8080", "serve the page at this `address`")
	every := flags.Duration("every", time.Second, "how often something happens to a flight")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *every <= 0 {
		return fmt.Errorf("-every is %v; want more than 0", *every)
	}
	db, err := openDB(ctx)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", *addr)
	if err != nil {
		return errors.Join(err, db.Close())
	}
	fmt.Fprintf(stdout, "http://%s shows the late flights; Ctrl+C ends it\n", ln.Addr())
	server := &http.Server{Handler: Handler(db), ReadHeaderTimeout: 10 * time.Second}
	go happen(ctx, db, *every)
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	if err := server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return errors.Join(err, db.Close())
	}
	return db.Close()
}

// openDB returns a database in memory with the flights of a day.
func openDB(ctx context.Context) (*kivis.DB, error) {
	db, err := kivis.Open(memstore.New(), nil)
	if err != nil {
		return nil, err
	}
	if err = db.Register(&Flight{}); err == nil {
		_, err = flights.With(db).InsertMany(ctx, ofTheDay())
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// ofTheDay returns flights, some of them late.
func ofTheDay() []Flight {
	cities := []string{"Atlanta", "Boston", "Denver", "Miami", "Phoenix", "Seattle", "St. Louis", "Tampa"}
	begin := time.Date(2001, 2, 8, 6, 0, 0, 0, time.UTC)
	var list []Flight
	for i := range 48 {
		list = append(list, Flight{
			Number: fmt.Sprint("KV", 100+i), To: cities[i%len(cities)], Departs: begin.Add(time.Duration(i) * 15 * time.Minute), Delay: max(0, i*37%97-45),
		})
	}
	return list
}

// happen makes a flight later, or puts it back in time, now and then.
func happen(ctx context.Context, db *kivis.DB, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		id := kivis.ID[Flight](1 + rand.IntN(48))
		_, err := flights.With(db).Modify(ctx, id, func(f *Flight) error {
			f.Delay = max(0, f.Delay+rand.IntN(60)-25)
			return nil
		})
		if err != nil && ctx.Err() == nil {
			fmt.Fprintln(os.Stderr, "board:", err)
		}
	}
}
