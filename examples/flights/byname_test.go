package main

import (
	"bytes"
	"errors"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store/badgerstore"
)

// TestByName works on the flights without their types: the rules hold, and what
// Check finds has keys.
func TestByName(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	if err := run(ctx, []string{"-q", "-dir", dir}, new(bytes.Buffer)); err != nil {
		t.Fatal(err)
	}
	st, err := badgerstore.Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	db, err := kivis.Open(st, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	flights, airports := kivis.TableNamed(db, "flights"), kivis.TableNamed(db, "airports")
	n, err := flights.Where("Origin = 'ORD' and Delay >= ?", 120).Count(ctx)
	if err != nil || n == 0 {
		t.Fatalf("%d flights, %v", n, err)
	}
	page, err := flights.Where("Origin = 'ORD'").OrderBy("-Delay, ID").Page(ctx, 10, "")
	if err != nil || len(page.Records) != 10 || page.Next == "" {
		t.Fatalf("a page of %d records, %v", len(page.Records), err)
	}
	worst := page.Records[0].Key()
	if _, err := flights.Modify(ctx, worst, func(r *kivis.Record) error { return r.Set("Delay", 0) }); err != nil {
		t.Fatal(err)
	}
	rec, err := flights.Get(ctx, worst)
	if err != nil {
		t.Fatal(err)
	}
	if delay, err := rec.Get("Delay"); delay != int64(0) || err != nil {
		t.Errorf("the delay is %v, %v", delay, err)
	}
	ord, err := airports.Key("ORD")
	if err != nil {
		t.Fatal(err)
	}
	if err := airports.Delete(ctx, ord); !errors.Is(err, kivis.ErrReference) {
		t.Errorf("Delete of an airport with flights = %v", err)
	}
	if k, ok := kivis.KeyOf[kivis.Key](airports.Delete(ctx, ord)); !ok || k != ord {
		t.Errorf("the error is about %v, %t; want %v", k, ok, ord)
	}
	report, err := db.Check(ctx, nil)
	if err != nil || !report.Clean() || report.Records < 20_000 {
		t.Errorf("Check: %d records, %v, %v", report.Records, report.Faults, err)
	}
}
