package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/examples/flights/data"
)

// load fills an empty database, and returns how many records it holds and
// whether they are new. A database that an interrupted load left half full is
// emptied first.
func load(ctx context.Context, db *kivis.DB, progress func(done, all int)) (nAirports, nFlights int, fresh bool, err error) {
	as, err := readAirports(bytes.NewReader(data.Airports))
	if err != nil {
		return 0, 0, false, err
	}
	fs, err := readFlights(bytes.NewReader(data.Flights))
	if err != nil {
		return 0, 0, false, err
	}
	n, err := flights.With(db).Count(ctx)
	if err != nil || n == len(fs) {
		return len(as), len(fs), false, err
	}
	opts := &kivis.BulkOptions{Progress: func(done int) { progress(done, len(as)+len(fs)) }}
	err = db.Bulk(ctx, opts, func(ctx context.Context, b *kivis.Bulk) error {
		airports, flights := airports.With(b), flights.With(b)
		if _, err := flights.Query().Delete(ctx); err != nil {
			return err
		}
		for i := range as {
			if _, err := airports.Put(ctx, &as[i]); err != nil {
				return err
			}
		}
		for i := range fs {
			// Each insert checks that both airports are there.
			if _, err := flights.Insert(ctx, &fs[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return len(as), len(fs), true, err
}

// readAirports parses lines of code, name, city, state, country, latitude and
// longitude.
func readAirports(r io.Reader) ([]Airport, error) {
	var list []Airport
	err := eachLine(r, "airports.csv", 7, func(f []string) error {
		lat, err := strconv.ParseFloat(f[5], 64)
		if err != nil {
			return err
		}
		long, err := strconv.ParseFloat(f[6], 64)
		if err != nil {
			return err
		}
		list = append(list, Airport{
			Code: IATA(f[0]), Name: f[1], City: known(f[2]), State: known(f[3]),
			Country: f[4], Latitude: lat, Longitude: long,
		})
		return nil
	})
	return list, err
}

// known returns s, or "" where the data says that it is not known.
func known(s string) string {
	if s == "NA" {
		return ""
	}
	return s
}

// readFlights parses compressed lines of date, delay, distance, origin and
// destination.
func readFlights(r io.Reader) ([]Flight, error) {
	text, err := gzip.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("flights.csv.gz: %w", err)
	}
	var list []Flight
	err = eachLine(text, "flights.csv.gz", 5, func(f []string) error {
		// The times are local, and their zone is not known.
		departs, err := time.Parse("2006/01/02 15:04", f[0])
		if err != nil {
			return err
		}
		delay, err := strconv.Atoi(f[1])
		if err != nil {
			return err
		}
		distance, err := strconv.Atoi(f[2])
		if err != nil {
			return err
		}
		list = append(list, Flight{
			Departs: departs, Delay: delay, Distance: distance,
			Origin: IATA(f[3]), Destination: IATA(f[4]),
		})
		return nil
	})
	return list, err
}

// eachLine calls fn with the fields of each line after the first.
func eachLine(r io.Reader, name string, fields int, fn func(fields []string) error) error {
	lines := csv.NewReader(r)
	lines.FieldsPerRecord = fields
	lines.ReuseRecord = true
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
			return fmt.Errorf("%s: line %d: %w", name, i+1, err)
		}
	}
}
