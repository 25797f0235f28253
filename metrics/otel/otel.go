// Package otel tells OpenTelemetry of databases: a span for each call, how long
// calls take by table and kind, and what kivis.DB.Stats says.
//
//	t, err := otel.New(nil) // the global providers
//	db, err := kivis.Open(st, &kivis.Options{Tracer: t.Tracer("shop")})
//	...
//	stop, err := t.Observe("shop", db)
//
// Names and attributes are those of the semantic conventions for databases, as
// far as these go. They hold names of databases, tables and calls, never values
// of records, unless Options.Plans is set.
package otel

import (
	"context"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/kivisdb/kivis"
)

// scope is the name that all of it has in common.
const scope = "github.com/kivisdb/kivis/metrics/otel"

// Options are the settings of Telemetry. A nil *Options means all defaults.
type Options struct {
	TracerProvider trace.TracerProvider // nil means the global one
	MeterProvider  metric.MeterProvider // nil means the global one

	// Plans gives the span of a query the plan, which holds the values that the
	// query asks for.
	Plans bool
}

// Telemetry tells of one or more databases.
type Telemetry struct {
	spans   trace.Tracer
	meter   metric.Meter
	seconds metric.Float64Histogram
	rows    metric.Int64Counter
	entries metric.Int64Counter
	stats   []stat
	plans   bool
}

// New returns what tells of databases.
func New(opts *Options) (*Telemetry, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.TracerProvider == nil {
		o.TracerProvider = otel.GetTracerProvider()
	}
	if o.MeterProvider == nil {
		o.MeterProvider = otel.GetMeterProvider()
	}
	t := &Telemetry{spans: o.TracerProvider.Tracer(scope), meter: o.MeterProvider.Meter(scope), plans: o.Plans}
	return t, t.instruments()
}

// instruments makes the instruments.
func (t *Telemetry) instruments() (err error) {
	t.seconds, err = t.meter.Float64Histogram("db.client.operation.duration", metric.WithUnit("s"),
		metric.WithDescription("How long calls took."),
		metric.WithExplicitBucketBoundaries(10e-6, 100e-6, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10))
	if err != nil {
		return err
	}
	t.rows, err = t.meter.Int64Counter("kivis.rows", metric.WithUnit("{record}"), metric.WithDescription("Records that calls returned or changed."))
	if err != nil {
		return err
	}
	t.entries, err = t.meter.Int64Counter("kivis.entries", metric.WithUnit("{entry}"), metric.WithDescription("Index entries and records that queries read."))
	if err != nil {
		return err
	}
	t.stats, err = newStats(t.meter)
	return err
}

// Tracer returns what tells of the calls of a database, for its Options. The name
// is the attribute db.namespace.
func (t *Telemetry) Tracer(db string) kivis.Tracer { return &tracer{t, db} }

// tracer tells of the calls of one database.
type tracer struct {
	t  *Telemetry
	db string
}

// callKey is where the context of a call has what Start knows.
type callKey struct{}

type call struct {
	began time.Time
	attrs []attribute.KeyValue
}

// Start begins the span of a call.
func (t *tracer) Start(ctx context.Context, op kivis.Op) context.Context {
	c := call{time.Now(), attributes(t.db, op)}
	name := op.Call
	if op.Table != "" {
		name += " " + op.Table
	}
	ctx, _ = t.t.spans.Start(ctx, name, trace.WithSpanKind(trace.SpanKindInternal), trace.WithTimestamp(c.began), trace.WithAttributes(c.attrs...))
	return context.WithValue(ctx, callKey{}, c)
}

// attributes returns what all signs of a call have.
func attributes(db string, op kivis.Op) []attribute.KeyValue {
	attrs := []attribute.KeyValue{
		attribute.String("db.system.name", "kivis"),
		attribute.String("db.namespace", db),
		attribute.String("db.operation.name", op.Call),
	}
	if op.Table != "" {
		attrs = append(attrs, attribute.String("db.collection.name", op.Table))
	}
	return attrs
}

// End ends the span of a call, and measures it.
func (t *tracer) End(ctx context.Context, r kivis.Outcome) {
	c, ok := ctx.Value(callKey{}).(call)
	if !ok {
		return
	}
	t.span(trace.SpanFromContext(ctx), r)
	attrs := metric.WithAttributes(c.attrs...)
	if r.Rows > 0 {
		t.t.rows.Add(ctx, int64(r.Rows), attrs)
	}
	if r.Entries > 0 {
		t.t.entries.Add(ctx, int64(r.Entries), attrs)
	}
	if r.Err != nil {
		attrs = metric.WithAttributes(append(c.attrs, attribute.String("error.type", kindOf(r.Err)))...)
	}
	t.t.seconds.Record(ctx, time.Since(c.began).Seconds(), attrs)
}

// span completes and ends a span.
func (t *tracer) span(span trace.Span, r kivis.Outcome) {
	defer span.End()
	if !span.IsRecording() {
		return
	}
	span.SetAttributes(attribute.Int("db.response.returned_rows", r.Rows), attribute.Int("kivis.entries", r.Entries), attribute.Int("kivis.attempts", r.Attempts))
	if t.t.plans && r.Plan != "" {
		span.SetAttributes(attribute.String("kivis.plan", r.Plan))
	}
	if r.Err != nil {
		kind := kindOf(r.Err)
		span.SetAttributes(attribute.String("error.type", kind))
		span.SetStatus(codes.Error, kind) // the error itself may hold a key
	}
}
