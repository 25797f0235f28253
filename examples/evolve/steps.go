package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/examples/flights/data"
)

// airportBad is airport2 without the tag that says what Town was.
type airportBad struct {
	_     struct{} `kivis:"table=airports"`
	Code  string   `kivis:"key"`
	Name  string
	Town  string `kivis:"index"`
	State string
}

// refused returns the differences that an error of Register is about.
func refused(err error) (n []string) {
	var change *kivis.SchemaChangeError
	if errors.As(err, &change) {
		for _, c := range change.Changes {
			n = append(n, c.String())
		}
	}
	return n
}

// register registers records, and draws how far the work on what is stored has
// come.
func register(ctx context.Context, w io.Writer, db *kivis.DB, records []any) error {
	done := make(chan error, 1)
	go func() { done <- db.RegisterContext(ctx, records...) }()
	for {
		select {
		case err := <-done:
			fmt.Fprint(w, clearLine)
			return err
		case <-time.After(50 * time.Millisecond):
			for _, b := range db.Builds() {
				fmt.Fprintf(w, "%s  %s of %s: %s, %d of %d, %.0f a second", clearLine, b.Work, b.Table, b.Phase, b.Done, b.Total, b.Rate)
			}
		}
	}
}

// clearLine takes back what the line of a terminal shows.
const clearLine = "\r\x1b[K"

// rows returns the lines of CSV behind its heading.
func rows(r io.Reader) ([][]string, error) {
	lines, err := csv.NewReader(r).ReadAll()
	if err != nil {
		return nil, err
	}
	return lines[1:], nil
}

// load fills the database of the first version.
func load(ctx context.Context, w io.Writer, db *kivis.DB) error {
	lines, err := rows(bytes.NewReader(data.Airports))
	if err != nil {
		return err
	}
	airports := make([]airport1, len(lines))
	for i, f := range lines {
		airports[i] = airport1{Code: f[0], Name: f[1], City: f[2], State: f[3]}
	}
	text, err := gzip.NewReader(bytes.NewReader(data.Flights))
	if err != nil {
		return err
	}
	if lines, err = rows(text); err != nil {
		return err
	}
	flights := make([]flight1, len(lines))
	for i, f := range lines {
		f1 := &flights[i]
		if f1.Departs, err = time.Parse("2006/01/02 15:04", f[0]); err != nil {
			return err
		}
		delay, _ := strconv.Atoi(f[1])
		f1.Delay, f1.Origin, f1.Destination = int16(delay), f[3], f[4]
		if f1.Distance, err = strconv.Atoi(f[2]); err != nil {
			return err
		}
	}
	if _, err := kivis.TableBy[airport1, string](db).InsertMany(ctx, airports); err != nil {
		return err
	}
	_, err = kivis.TableByID[flight1](db).InsertMany(ctx, flights)
	return err
}

func second(ctx context.Context, w io.Writer, db *kivis.DB) error {
	town := kivis.FieldOf(func(a *airport2) *string { return &a.Town })
	n, err := kivis.TableBy[airport2, string](db).Where(town.Eq("Chicago")).Count(ctx)
	fmt.Fprintf(w, "  => %d airports in the town of Chicago\n", n)
	return err
}

func third(ctx context.Context, w io.Writer, db *kivis.DB) error {
	distance := kivis.FieldOf(func(f *flight3) *haul { return &f.Distance })
	n, err := kivis.GroupCount(ctx, kivis.TableByID[flight3](db).Query(), distance)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "  => %d short, %d medium and %d long flights\n", n["short"], n["medium"], n["long"])
	f, err := kivis.TableByID[flight3](db).Get(ctx, 1)
	fmt.Fprintf(w, "  => the first flight leaves on %s at %s\n", f.Day, f.Time)
	return err
}

// fourth gives each airport its unique field, which Register then has as a
// value.
func fourth(ctx context.Context, w io.Writer, db *kivis.DB) error {
	n, err := kivis.TableBy[airport4, string](db).Query().Modify(ctx, func(a *airport4) error {
		slug := strings.ToLower(a.Code)
		a.Slug = &slug
		return nil
	})
	fmt.Fprintf(w, "  => %d airports have a slug\n", n)
	return err
}

// fifth looks an airport up by its number, as a flight has it.
func fifth(ctx context.Context, w io.Writer, db *kivis.DB) error {
	f, err := kivis.TableByID[flight5](db).Get(ctx, 1)
	if err != nil {
		return err
	}
	from, err := kivis.TableOf[airport6](db).Get(ctx, f.Origin)
	fmt.Fprintf(w, "  => the first flight leaves from place %d, which is %s\n", f.Origin, from.Code)
	return err
}
