package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kivisdb/kivis"
)

// refusals: a reference is a rule, both ways.
func refusals(ctx context.Context, db *kivis.DB) (answer, error) {
	removed := airports.With(db).Delete(ctx, "JFK")
	if !errors.Is(removed, kivis.ErrReference) {
		return answer{}, fmt.Errorf("deleting JFK: %w", removed)
	}
	_, inserted := flights.With(db).Insert(ctx, &Flight{Departs: time.Now(), Origin: "JFK", Destination: "JKF"})
	var broken *kivis.ReferenceError
	if !errors.As(inserted, &broken) {
		return answer{}, fmt.Errorf("a flight to nowhere: %w", inserted)
	}
	return answer{notes: []string{
		"No: " + removed.Error(),
		"No: " + broken.Error(),
		fmt.Sprintf("In the fields of the error: Table %s, Field %s, Target %s, Key %v.",
			broken.Table, broken.Field, broken.Target, broken.Key),
	}}, nil
}

// errJustAsking rolls a transaction back.
var errJustAsking = errors.New("just asking")

// whatIf: a transaction sees what it has written. Nobody else does, and since
// its function returns an error, nobody ever will.
func whatIf(ctx context.Context, db *kivis.DB) (answer, error) {
	january := time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)
	firstWeek := departs.Range(january, january.AddDate(0, 0, 7))
	t := newTable("departures", "JFK", "EWR")
	count := func(ctx context.Context, when string, conn kivis.Conn) error {
		both := flights.With(conn).Where(origin.In("JFK", "EWR"))
		n, err := kivis.GroupCount(ctx, both, origin)
		t.row(when, n["JFK"], n["EWR"])
		return err
	}
	if err := count(ctx, "before", db); err != nil {
		return answer{}, err
	}
	err := db.Update(ctx, func(ctx context.Context, tx *kivis.Tx) error {
		_, err := flights.With(tx).Where(origin.Eq("JFK"), firstWeek).Modify(ctx, func(f *Flight) error {
			f.Origin = "EWR"
			return nil
		})
		if err != nil {
			return err
		}
		if err := count(ctx, "in the transaction", tx); err != nil {
			return err
		}
		return errJustAsking
	})
	if !errors.Is(err, errJustAsking) {
		return answer{}, err
	}
	if err := count(ctx, "rolled back", db); err != nil {
		return answer{}, err
	}
	return answer{table: t}, nil
}

// check: reads everything there is.
func check(ctx context.Context, db *kivis.DB) (answer, error) {
	report, err := db.Check(ctx, nil)
	if err != nil {
		return answer{}, err
	}
	t := newTable("records", "index entries", "faults")
	t.row(report.Records, report.Entries, len(report.Faults))
	return answer{table: t}, nil
}
