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
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/examples/flights/data"
)

// Airport is an airport of the United States.
type Airport struct {
	_    struct{} `kivis:"table=airports"`
	Code string   `kivis:"key"`
	Name string
	City string
}

// Flight is a flight in the first quarter of 2001.
type Flight struct {
	_                  struct{}  `kivis:"table=flights,index=late(Origin,-Delay)"`
	kivis.Auto[Flight]           // ID, drawn on insert
	Departs            time.Time `kivis:"index"`
	Delay              int       // minutes; negative is early
	Origin             string    `kivis:"ref=airports"`
	Destination        string    `kivis:"ref=airports"`
}

// The tables, and the fields that questions are asked about.
var (
	airports = kivis.TableBy[Airport, string](nil)
	flights  = kivis.TableOf[Flight](nil)

	delay       = kivis.FieldOf(func(f *Flight) *int { return &f.Delay })
	departs     = kivis.FieldOf(func(f *Flight) *time.Time { return &f.Departs })
	origin      = kivis.FieldOf(func(f *Flight) *string { return &f.Origin })
	destination = kivis.FieldOf(func(f *Flight) *string { return &f.Destination })
)

// load fills an empty database.
func load(ctx context.Context, db *kivis.DB) error {
	return db.Bulk(ctx, nil, func(ctx context.Context, b *kivis.Bulk) error {
		err := eachLine(bytes.NewReader(data.Airports), func(f []string) error {
			_, err := airports.With(b).Put(ctx, &Airport{Code: f[0], Name: f[1], City: f[2]})
			return err
		})
		if err != nil {
			return err
		}
		text, err := gzip.NewReader(bytes.NewReader(data.Flights))
		if err != nil {
			return err
		}
		return eachLine(text, func(f []string) error {
			departs, err := time.Parse("2006/01/02 15:04", f[0])
			late, bad := strconv.Atoi(f[1])
			if err := errors.Join(err, bad); err != nil {
				return err
			}
			_, err = flights.With(b).Insert(ctx, &Flight{Departs: departs, Delay: late, Origin: f[3], Destination: f[4]})
			return err
		})
	})
}

// eachLine calls fn with the fields of each line after the first.
func eachLine(r io.Reader, fn func(fields []string) error) error {
	lines := csv.NewReader(r)
	for i := 0; ; i++ {
		f, err := lines.Read()
		switch {
		case err == io.EOF:
			return nil
		case err == nil && i == 0:
			continue
		case err == nil:
			err = fn(f)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", i+1, err)
		}
	}
}
