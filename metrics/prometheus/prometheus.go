// Package prometheus measures databases for Prometheus: how many calls there are
// of each kind, how long they take and how they end, and what kivis.DB.Stats says.
//
//	m := prometheus.New(nil)
//	registry.MustRegister(m)
//	db, err := kivis.Open(st, &kivis.Options{Tracer: m.Tracer("shop")})
//	...
//	m.Observe("shop", db)
//
// Labels are names of databases, tables and calls, never values of records.
// dashboard.json beside this file shows all of it in Grafana.
package prometheus

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kivisdb/kivis"
)

// Options are the settings of Metrics. A nil *Options means all defaults.
type Options struct {
	// Buckets are the upper bounds of the histogram of seconds that calls take;
	// nil means 16 of them, from 10 µs, each twice the one before.
	Buckets []float64

	// Next is told of every call too.
	Next kivis.Tracer
}

// Metrics are those of one or more databases. It is a prometheus.Collector.
type Metrics struct {
	seconds *prometheus.HistogramVec
	rows    *prometheus.CounterVec
	entries *prometheus.CounterVec
	next    kivis.Tracer

	mu  sync.Mutex
	dbs map[string]*kivis.DB
}

// New returns metrics, to be registered.
func New(opts *Options) *Metrics {
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.Buckets == nil {
		o.Buckets = prometheus.ExponentialBuckets(10e-6, 2, 16)
	}
	of := []string{"db", "table", "call"}
	return &Metrics{
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "kivis_call_seconds", Help: "How long calls took, by how they ended.", Buckets: o.Buckets,
		}, append(of, "outcome")),
		rows:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "kivis_rows_total", Help: "Records that calls returned or changed."}, of),
		entries: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "kivis_entries_total", Help: "Index entries and records that queries read."}, of),
		next:    o.Next,
		dbs:     map[string]*kivis.DB{},
	}
}

// Tracer returns what measures the calls of a database, for its Options. The name
// is the label db.
func (m *Metrics) Tracer(db string) kivis.Tracer { return &tracer{m, db} }

// Observe has the Stats of a database measured, until it is observed as nil. The
// name is the label db.
func (m *Metrics) Observe(name string, db *kivis.DB) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if db == nil {
		delete(m.dbs, name)
		return
	}
	m.dbs[name] = db
}

// tracer measures the calls of one database.
type tracer struct {
	m  *Metrics
	db string
}

// callKey is where the context of a call has what Start knows.
type callKey struct{}

type call struct {
	kivis.Op
	began time.Time
}

// Start notes when a call begins.
func (t *tracer) Start(ctx context.Context, op kivis.Op) context.Context {
	if t.m.next != nil {
		if traced := t.m.next.Start(ctx, op); traced != nil {
			ctx = traced
		}
	}
	return context.WithValue(ctx, callKey{}, call{op, time.Now()})
}

// End measures a call that has ended.
func (t *tracer) End(ctx context.Context, r kivis.Outcome) {
	if t.m.next != nil {
		t.m.next.End(ctx, r)
	}
	c, ok := ctx.Value(callKey{}).(call)
	if !ok {
		return
	}
	t.m.seconds.WithLabelValues(t.db, c.Table, c.Call, outcome(r.Err)).Observe(time.Since(c.began).Seconds())
	if r.Rows > 0 {
		t.m.rows.WithLabelValues(t.db, c.Table, c.Call).Add(float64(r.Rows))
	}
	if r.Entries > 0 {
		t.m.entries.WithLabelValues(t.db, c.Table, c.Call).Add(float64(r.Entries))
	}
}

// outcomes are the errors that have a name of their own.
var outcomes = []struct {
	err  error
	name string
}{
	{kivis.ErrNotFound, "not found"}, {kivis.ErrConflict, "conflict"}, {kivis.ErrExists, "exists"}, {kivis.ErrReference, "reference"},
	{context.Canceled, "canceled"}, {context.DeadlineExceeded, "timeout"},
}

// outcome returns the label of how a call ended: a few words, whatever the error
// says.
func outcome(err error) string {
	if err == nil {
		return "ok"
	}
	for _, o := range outcomes {
		if errors.Is(err, o.err) {
			return o.name
		}
	}
	return "error"
}
