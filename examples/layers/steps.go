package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/kivisdb/kivis/cache"
	"github.com/kivisdb/kivis/store"
)

// questions asks all questions, and says what each layer has answered.
func (d *demo) questions(ctx context.Context) error {
	for _, q := range questions {
		before, began := d.layers.Stats(), time.Now()
		answer, err := q.ask(ctx, d.db)
		if err != nil {
			return fmt.Errorf("%s: %w", q.title, err)
		}
		took := time.Since(began)
		fmt.Fprintf(d.w, "    %s: %s\n", q.title, answer)
		if d.quiet {
			continue
		}
		fmt.Fprintf(d.w, "        in %v:", took.Round(10*time.Microsecond))
		after := d.layers.Stats()
		for i, l := range after.Layers {
			fmt.Fprintf(d.w, " %d from the %s,", l.Hits-before.Layers[i].Hits, l.Name)
		}
		fmt.Fprintf(d.w, " %d from far away\n", after.Reads-before.Reads)
	}
	return nil
}

// copy waits until the archive has everything.
func (d *demo) copy(ctx context.Context) error {
	snapshot, err := d.base.Begin(ctx, false)
	if err != nil {
		return err
	}
	defer snapshot.Discard()
	size, err := d.base.Size()
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- d.layers.Sync(ctx) }()
	draw, wipe := progressBar(d.w, d.quiet)
	defer wipe()
	for {
		select {
		case err := <-done:
			wipe()
			fmt.Fprintf(d.w, "    it has everything: %v\n", d.layers.Stats().Layers[2].Complete)
			return err
		case <-time.After(50 * time.Millisecond):
			draw(d.layers.Stats().Layers[2].Bytes, size)
		}
	}
}

// restart closes everything, and asks again.
func (d *demo) restart(ctx context.Context) error {
	if err := d.db.Close(); err != nil {
		return err
	}
	if err := d.open(); err != nil {
		return err
	}
	before := d.layers.Stats().Reads
	if err := d.questions(ctx); err != nil {
		return err
	}
	fmt.Fprintf(d.w, "    reads from far away: %d\n", d.layers.Stats().Reads-before)
	return nil
}

// change has somebody else make a flight of O'Hare's the latest of all: the next
// question knows.
func (d *demo) change(ctx context.Context) error {
	list, err := flights.With(d.others).Where(origin.Eq("ORD")).OrderBy(delay.Desc()).Limit(5).Collect(ctx)
	if err != nil {
		return err
	}
	last := list[4].ID
	if _, err := flights.With(d.others).Modify(ctx, last, func(f *Flight) error { f.Delay = 2001; return nil }); err != nil {
		return err
	}
	return d.questions(ctx)
}

// offline cuts the database off. Whoever asks for what is here gets it; what must
// be of now fails at once.
func (d *demo) offline(ctx context.Context) error {
	d.far.Cut()
	if err := d.questions(cache.Offline(ctx)); err != nil {
		return err
	}
	fmt.Fprintf(d.w, "    known to be the newest less than a minute ago: %v\n", d.layers.Age() < time.Minute)
	_, err := questions[0].ask(ctx, d.db)
	fmt.Fprintf(d.w, "    a question that must be answered as of now: unreachable: %v\n", errors.Is(err, store.ErrUnreachable))
	fmt.Fprintf(d.w, "    a write: unreachable: %v\n", errors.Is(d.write(ctx), store.ErrUnreachable))
	return nil
}

// back ends that, and writes.
func (d *demo) back(ctx context.Context) error {
	d.far.Mend()
	if err := d.write(ctx); err != nil {
		return err
	}
	a, err := airports.With(d.others).Get(ctx, "ORD")
	if err != nil {
		return err
	}
	fmt.Fprintf(d.w, "    written, and read by somebody else: %s\n", a.Name)
	return d.questions(ctx)
}

func (d *demo) write(ctx context.Context) error {
	_, err := airports.With(d.db).Modify(ctx, "ORD", func(a *Airport) error { a.Name = "O'Hare"; return nil })
	return err
}

// progressBar returns a function that draws on w how far a job has come, and one
// that wipes the drawing out. On anything but a terminal both do nothing.
func progressBar(w io.Writer, quiet bool) (draw func(done, all int64), wipe func()) {
	f, ok := w.(*os.File)
	if !ok || quiet || !term.IsTerminal(int(f.Fd())) {
		return func(int64, int64) {}, func() {}
	}
	draw = func(done, all int64) {
		const width = 40
		n := int(width * min(done, all) / max(all, 1))
		fmt.Fprintf(f, "\r    [%s%s]", strings.Repeat("#", n), strings.Repeat(".", width-n))
	}
	return draw, func() { fmt.Fprint(f, "\r\x1b[K") }
}
