package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kivisdb/kivis"
)

// question is something that is asked again and again.
type question struct {
	title string
	ask   func(ctx context.Context, db *kivis.DB) (string, error)
}

var questions = []question{
	{"The five latest flights out of Chicago O'Hare", latest},
	{"Departures on New Year's Day, by airport", busiest},
	{"Where Anchorage's flights lead", destinations},
}

// latest reads the beginning of a range of an index, and the airports that it leads
// to.
func latest(ctx context.Context, db *kivis.DB) (string, error) {
	list, err := flights.With(db).Where(origin.Eq("ORD")).OrderBy(delay.Desc()).Limit(5).Collect(ctx)
	if err != nil {
		return "", err
	}
	to, err := kivis.Load(ctx, airports.With(db), list, destination.Get)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, f := range list {
		fmt.Fprintf(&b, "%s %d min, ", to[f.Destination].City, f.Delay)
	}
	return strings.TrimSuffix(b.String(), ", "), nil
}

// busiest reads a range of an index, and its records.
func busiest(ctx context.Context, db *kivis.DB) (string, error) {
	day := time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)
	counts, err := kivis.GroupCount(ctx, flights.With(db).Where(departs.Range(day, day.AddDate(0, 0, 1))), origin)
	if err != nil {
		return "", err
	}
	return most(counts, 4), nil
}

// destinations reads the range of an index that one airport's flights are in.
func destinations(ctx context.Context, db *kivis.DB) (string, error) {
	counts, err := kivis.GroupCount(ctx, flights.With(db).Where(origin.Eq("ANC")), destination)
	if err != nil {
		return "", err
	}
	return most(counts, 4), nil
}

// most names the n largest counts.
func most(counts map[string]int, n int) string {
	keys := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(counts[b]-counts[a], strings.Compare(a, b))
	})
	var b strings.Builder
	for _, key := range keys[:min(n, len(keys))] {
		fmt.Fprintf(&b, "%s %d, ", key, counts[key])
	}
	return strings.TrimSuffix(b.String(), ", ")
}
