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
		"No: " + inserted.Error(),
		fmt.Sprintf("The second error says so in fields, too: Table %s, Field %s, Target %s, Key %v.",
			broken.Table, broken.Field, broken.Target, broken.Key),
	}}, nil
}

// errJustAsking rolls a transaction back.
var errJustAsking = errors.New("just asking")

// whatIf: a transaction sees what it has written. Nobody else does, and since
// its function returns an error, nobody ever will.
func whatIf(ctx context.Context, db *kivis.DB) (answer, error) {
	evening := time.Date(2001, 1, 8, 17, 0, 0, 0, time.UTC)
	moved := flights.Where(origin.Eq("JFK"), departs.Range(evening, evening.Add(7*time.Hour)))
	t := newTable("departures", "JFK", "EWR")
	count := func(ctx context.Context, when string, conn kivis.Conn) error {
		jfk, err := flights.With(conn).Where(origin.Eq("JFK")).Count(ctx)
		if err != nil {
			return err
		}
		ewr, err := flights.With(conn).Where(origin.Eq("EWR")).Count(ctx)
		t.row(when, jfk, ewr)
		return err
	}
	if err := count(ctx, "before", db); err != nil {
		return answer{}, err
	}
	err := db.Update(ctx, func(ctx context.Context, tx *kivis.Tx) error {
		_, err := moved.With(tx).Modify(ctx, func(f *Flight) error {
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
	return answer{table: t}.explain(moved.With(db))
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
