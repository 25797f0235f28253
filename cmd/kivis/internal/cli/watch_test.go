package cli

import (
	"bufio"
	"context"
	"io"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store/memstore"
)

// TestWatch watches a table that is written to by the same process.
func TestWatch(t *testing.T) {
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	db, err := kivis.Open(memstore.New(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Register(&Airport{}, &Flight{}, &Sample{}); err != nil {
		t.Fatal(err)
	}
	if err := insert(ctx, db); err != nil {
		t.Fatal(err)
	}
	r, w := io.Pipe()
	c := newCall(ctx, Streams{In: r, Out: w, Err: io.Discard})
	c.shell = &session{text: "DB", db: db}
	code := make(chan int, 1)
	go func() {
		err := c.run([]string{"watch", "DB", "flights", "Delay > 100", "--fields", "ID"})
		w.Close()
		code <- c.report(err)
	}()
	lines := bufio.NewScanner(r)
	expect := func(want ...string) {
		t.Helper()
		for _, line := range want {
			if !lines.Scan() || lines.Text() != line {
				t.Fatalf("line %q, %v, want %q", lines.Text(), lines.Err(), line)
			}
		}
	}
	expect(`{"ID":5}`, `{"ID":6}`)
	flights := kivis.TableBy[Flight, kivis.ID[Flight]](db)
	if err := flights.Delete(ctx, 1); err != nil { // not in the result
		t.Fatal(err)
	}
	if err := flights.Delete(ctx, 5); err != nil {
		t.Fatal(err)
	}
	expect("", `{"ID":6}`)
	stop()
	if lines.Scan() {
		t.Errorf("after the end there is %q", lines.Text())
	}
	if got := <-code; got != exitOK {
		t.Errorf("exit code %d, want 0", got)
	}
}
