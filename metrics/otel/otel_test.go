package otel_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/metrics/otel"
	"github.com/kivisdb/kivis/store/memstore"
)

var bg = context.Background()

type Book struct {
	_ struct{} `kivis:"table=books"`
	kivis.Auto[Book]
	Title string `kivis:"unique"`
	Year  int    `kivis:"index"`
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fixture is a database, and what has been told of it.
type fixture struct {
	t     testing.TB
	db    *kivis.DB
	books kivis.Table[Book, kivis.ID[Book]]
	spans *tracetest.SpanRecorder
	read  *sdk.ManualReader
	stop  func() error
}

func open(t testing.TB, plans bool) *fixture {
	t.Helper()
	f := &fixture{t: t, spans: tracetest.NewSpanRecorder(), read: sdk.NewManualReader()}
	tel, err := otel.New(&otel.Options{
		TracerProvider: trace.NewTracerProvider(trace.WithSpanProcessor(f.spans)),
		MeterProvider:  sdk.NewMeterProvider(sdk.WithReader(f.read)),
		Plans:          plans,
	})
	check(t, err)
	f.db, err = kivis.Open(memstore.New(), &kivis.Options{Tracer: tel.Tracer("shop")})
	check(t, err)
	t.Cleanup(func() { _ = f.db.Close() })
	check(t, f.db.Register(&Book{}))
	f.stop, err = tel.Observe("shop", f.db)
	check(t, err)
	f.books = kivis.TableOf[Book](f.db)
	return f
}

// measured returns the points of each metric, as text.
func (f *fixture) measured() map[string][]string {
	f.t.Helper()
	var all metricdata.ResourceMetrics
	check(f.t, f.read.Collect(bg, &all))
	points := map[string][]string{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					points[m.Name] = append(points[m.Name], fmt.Sprint(p.Attributes.Encoded(encoder{}), " ", p.Count))
				}
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					points[m.Name] = append(points[m.Name], fmt.Sprint(p.Attributes.Encoded(encoder{}), " ", p.Value))
				}
			case metricdata.Sum[float64]:
				for _, p := range data.DataPoints {
					points[m.Name] = append(points[m.Name], fmt.Sprint(p.Attributes.Encoded(encoder{}), " ", p.Value))
				}
			case metricdata.Gauge[float64]:
				for _, p := range data.DataPoints {
					points[m.Name] = append(points[m.Name], fmt.Sprint(p.Attributes.Encoded(encoder{}), " ", p.Value))
				}
			}
			slices.Sort(points[m.Name])
		}
	}
	return points
}

// ask makes calls that end in different ways.
func (f *fixture) ask() {
	f.t.Helper()
	for i := range 3 {
		_, err := f.books.Insert(bg, &Book{Title: fmt.Sprint("title", i), Year: 1800 + i})
		check(f.t, err)
	}
	_, err := f.books.Insert(bg, &Book{Title: "title1"})
	if !errors.Is(err, kivis.ErrExists) {
		f.t.Fatal(err)
	}
	_, err = f.books.WhereText("Title = 'title1'").Collect(bg)
	check(f.t, err)
}

// TestMetrics: each call is measured by table, kind and error, and the Stats are
// those of the database until they are not observed any more.
func TestMetrics(t *testing.T) {
	f := open(t, false)
	f.ask()
	got := f.measured()
	want := []string{
		"db.collection.name=books db.namespace=shop db.operation.name=collect db.system.name=kivis 1",
		"db.collection.name=books db.namespace=shop db.operation.name=insert db.system.name=kivis 3",
		"db.collection.name=books db.namespace=shop db.operation.name=insert db.system.name=kivis error.type=exists 1",
		"db.namespace=shop db.operation.name=register db.system.name=kivis 1",
	}
	if calls := got["db.client.operation.duration"]; !slices.Equal(calls, want) {
		t.Errorf("calls:\n%s\nwant:\n%s", strings.Join(calls, "\n"), strings.Join(want, "\n"))
	}
	of := "db.namespace=shop db.system.name=kivis "
	for _, at := range []struct{ name, want string }{
		{"kivis.commits", of + fmt.Sprint(f.db.Stats().Commits)}, {"kivis.conflicts", of + "0"}, {"kivis.retries", of + "0"}, {"kivis.full_scans", of + "0"},
		{"kivis.failed_builds", of + "0"}, {"kivis.open_transactions", of + "0"}, {"kivis.oldest_snapshot", of + "0"},
	} {
		if got := got[at.name]; !slices.Equal(got, []string{at.want}) {
			t.Errorf("%s: %q, want %q", at.name, got, at.want)
		}
	}
	if rows := strings.Join(got["kivis.rows"], "\n"); !strings.Contains(rows, "collect db.system.name=kivis 1") || len(got["kivis.entries"]) == 0 {
		t.Errorf("rows: %s, entries: %v", rows, got["kivis.entries"])
	}
	check(t, f.stop())
	if got := f.measured()["kivis.conflicts"]; len(got) > 0 {
		t.Errorf("after stop: %v", got)
	}
}

// TestSpans: each call is a span, inside of the transaction's and of the caller's,
// with how it ended.
func TestSpans(t *testing.T) {
	f := open(t, false)
	check(t, f.db.Update(bg, func(ctx context.Context, tx *kivis.Tx) error {
		_, err := f.books.With(tx).Insert(ctx, &Book{Title: "in"})
		return err
	}))
	f.ask()
	var names []string
	for _, span := range f.spans.Ended() {
		names = append(names, span.Name())
	}
	if want := []string{"register", "insert books", "update", "insert books", "insert books", "insert books", "insert books", "collect books"}; !slices.Equal(names, want) {
		t.Fatalf("spans %q, want %q", names, want)
	}
	inner, outer, failed := f.spans.Ended()[1], f.spans.Ended()[2], f.spans.Ended()[6]
	if inner.Parent().SpanID() != outer.SpanContext().SpanID() {
		t.Error("the insert's span is not inside of its transaction's")
	}
	if failed.Status().Code != codes.Error || outer.Status().Code != codes.Unset {
		t.Errorf("the status of the failed insert is %v, of the update %v", failed.Status(), outer.Status())
	}
}

// TestNoValues: no sign holds what records do, but the plan that is asked for.
func TestNoValues(t *testing.T) {
	for _, plans := range []bool{false, true} {
		f := open(t, plans)
		f.ask()
		text := fmt.Sprint(f.measured())
		for _, span := range f.spans.Ended() {
			text += fmt.Sprint(span.Name(), span.Attributes(), span.Status(), span.Events())
		}
		if has := strings.Contains(text, "title1"); has != plans {
			t.Errorf("Plans %t, and there is a value: %t: %s", plans, has, text)
		}
	}
}
