package otel

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/kivisdb/kivis"
)

// stat is one number of kivis.Stats.
type stat struct {
	of      func(kivis.Stats) float64
	observe metric.Float64Observable
}

// newStats makes the instruments of Stats.
func newStats(m metric.Meter) ([]stat, error) {
	var list []stat
	var faults []error
	counter := func(name, unit, text string, of func(kivis.Stats) float64) {
		c, err := m.Float64ObservableCounter(name, metric.WithUnit(unit), metric.WithDescription(text))
		list, faults = append(list, stat{of, c}), append(faults, err)
	}
	gauge := func(name, unit, text string, of func(kivis.Stats) float64) {
		g, err := m.Float64ObservableGauge(name, metric.WithUnit(unit), metric.WithDescription(text))
		list, faults = append(list, stat{of, g}), append(faults, err)
	}
	counter("kivis.commits", "{transaction}", "Write transactions committed.", func(s kivis.Stats) float64 { return float64(s.Commits) })
	counter("kivis.conflicts", "{commit}", "Commits refused because of a conflict.", func(s kivis.Stats) float64 { return float64(s.Conflicts) })
	counter("kivis.retries", "{attempt}", "Attempts made again after a conflict.", func(s kivis.Stats) float64 { return float64(s.Retries) })
	counter("kivis.full_scans", "{query}", "Queries that read a whole table for want of an index.", func(s kivis.Stats) float64 { return float64(s.FullScans) })
	gauge("kivis.failed_builds", "{index}", "Index builds in the background that have failed.", func(s kivis.Stats) float64 { return float64(s.FailedBuilds) })
	gauge("kivis.open_transactions", "{transaction}", "Transactions and iterators open now.", func(s kivis.Stats) float64 { return float64(s.OpenTx) })
	gauge("kivis.oldest_snapshot", "s", "Age of the oldest snapshot that is open.", func(s kivis.Stats) float64 { return s.OldestSnapshot.Seconds() })
	return list, errors.Join(faults...)
}

// Observe has the Stats of a database told until stop is called. The name is the
// attribute db.namespace.
func (t *Telemetry) Observe(name string, db *kivis.DB) (stop func() error, err error) {
	attrs := metric.WithAttributes(attribute.String("db.system.name", "kivis"), attribute.String("db.namespace", name))
	all := make([]metric.Observable, len(t.stats))
	for i := range t.stats {
		all[i] = t.stats[i].observe
	}
	r, err := t.meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		now := db.Stats()
		for _, s := range t.stats {
			o.ObserveFloat64(s.observe, s.of(now), attrs)
		}
		return nil
	}, all...)
	if err != nil {
		return nil, err
	}
	return r.Unregister, nil
}

// kinds are the errors that have a name of their own.
var kinds = []struct {
	err  error
	name string
}{
	{kivis.ErrNotFound, "not_found"}, {kivis.ErrConflict, "conflict"}, {kivis.ErrExists, "exists"}, {kivis.ErrReference, "reference"},
	{context.Canceled, "canceled"}, {context.DeadlineExceeded, "timeout"},
}

// kindOf returns what an error is, in a word, whatever it says.
func kindOf(err error) string {
	for _, k := range kinds {
		if errors.Is(err, k.err) {
			return k.name
		}
	}
	return "_OTHER" // as the conventions have it
}
