package prometheus_test

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	client "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/metrics/prometheus"
	"github.com/kivisdb/kivis/store/memstore"
)

var bg = context.Background()

type Book struct {
	_ struct{} `kivis:"table=books"`
	kivis.Auto[Book]
	Title string `kivis:"unique"`
	Year  int    `kivis:"index"`
	Notes string
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// open returns a database that m measures under a name.
func open(t testing.TB, m *prometheus.Metrics, name string) *kivis.DB {
	t.Helper()
	db, err := kivis.Open(memstore.New(), &kivis.Options{Tracer: m.Tracer(name)})
	check(t, err)
	t.Cleanup(func() { _ = db.Close() })
	check(t, db.Register(&Book{}))
	m.Observe(name, db)
	return db
}

// gathered returns what a registry has of one metric, as text, without the help
// and, of a histogram, its counts alone.
func gathered(t testing.TB, r *client.Registry, name string) string {
	t.Helper()
	families, err := r.Gather()
	check(t, err)
	var lines []string
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetValue())
			}
			v := m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			lines = append(lines, fmt.Sprintf("%s=%v", strings.Join(labels, "/"), v))
		}
	}
	return strings.Join(lines, " ")
}

// TestMetrics: each call is measured under its database, table, kind and outcome,
// and the Stats are those of each database.
func TestMetrics(t *testing.T) {
	m := prometheus.New(nil)
	r := client.NewPedanticRegistry()
	check(t, r.Register(m))
	shop, other := open(t, m, "shop"), open(t, m, "other")
	books := kivis.TableOf[Book](shop)
	for i := range 5 {
		_, err := books.Insert(bg, &Book{Title: fmt.Sprint(i), Year: 1800 + i})
		check(t, err)
	}
	_, err := books.Insert(bg, &Book{Title: "1"})
	if !errors.Is(err, kivis.ErrExists) {
		t.Fatal(err)
	}
	_, err = books.Get(bg, 99)
	if !errors.Is(err, kivis.ErrNotFound) {
		t.Fatal(err)
	}
	_, err = books.WhereText("Notes = 'x'").Collect(bg)
	check(t, err)
	_, err = books.WhereText("Year >= 1803").Collect(bg)
	check(t, err)
	check(t, other.View(bg, func(context.Context, *kivis.Tx) error { return nil }))
	tx, err := shop.Begin(bg, false)
	check(t, err)
	t.Cleanup(func() { tx.Discard() })
	for _, at := range []struct{ name, want string }{
		{"kivis_call_seconds", "collect/shop/ok/books=2 get/shop/not found/books=1 insert/shop/exists/books=1 insert/shop/ok/books=5 register/other/ok/=1 register/shop/ok/=1 view/other/ok/=1"},
		{"kivis_full_scans_total", "other=0 shop=1"},
		{"kivis_open_transactions", "other=0 shop=1"},
		{"kivis_conflicts_total", "other=0 shop=0"},
	} {
		if got := gathered(t, r, at.name); got != at.want {
			t.Errorf("%s: %s, want %s", at.name, got, at.want)
		}
	}
	for name, least := range map[string]string{"kivis_rows_total": "collect/shop/books=2", "kivis_entries_total": "collect/shop/books=9"} {
		if got := gathered(t, r, name); !strings.Contains(got, least) {
			t.Errorf("%s: %s, want %s", name, got, least)
		}
	}
	if commits := shop.Stats().Commits; gathered(t, r, "kivis_commits_total") != fmt.Sprintf("other=%d shop=%d", other.Stats().Commits, commits) {
		t.Errorf("commits: %s", gathered(t, r, "kivis_commits_total"))
	}
	m.Observe("other", nil)
	if got := gathered(t, r, "kivis_full_scans_total"); got != "shop=1" {
		t.Errorf("after other is left out: %s", got)
	}
	if problems, err := testutil.CollectAndLint(m); err != nil || len(problems) > 0 {
		t.Errorf("names or help: %v, %v", problems, err)
	}
}

// secret must be in no label.
const secret = "s3cret"

// TestNoValues: labels do not hold what records or errors do.
func TestNoValues(t *testing.T) {
	m := prometheus.New(nil)
	r := client.NewPedanticRegistry()
	check(t, r.Register(m))
	books := kivis.TableOf[Book](open(t, m, "shop"))
	_, err := books.Insert(bg, &Book{Title: secret})
	check(t, err)
	_, _ = books.Insert(bg, &Book{Title: secret})
	_, _ = books.WhereText("Title = '" + secret + "'").Collect(bg)
	_, _ = books.WhereText(secret).Collect(bg)
	families, err := r.Gather()
	check(t, err)
	if text := fmt.Sprint(families); strings.Contains(text, secret) {
		t.Errorf("the metrics have a value: %s", text)
	}
}

// counting is a tracer that counts, and puts something into the context.
type counting struct{ began, ended, known int }

type mark struct{}

func (c *counting) Start(ctx context.Context, _ kivis.Op) context.Context {
	c.began++
	return context.WithValue(ctx, mark{}, true)
}

func (c *counting) End(ctx context.Context, _ kivis.Outcome) {
	c.ended++
	if ctx.Value(mark{}) != nil {
		c.known++
	}
}

// TestNext: another tracer is told of each call, with its own context.
func TestNext(t *testing.T) {
	var c counting
	m := prometheus.New(&prometheus.Options{Next: &c, Buckets: []float64{1}})
	books := kivis.TableOf[Book](open(t, m, "shop"))
	for range 3 {
		_, err := books.Count(bg)
		check(t, err)
	}
	if c.began != 4 || c.ended != 4 || c.known != 4 {
		t.Errorf("it was told of %+v, want 4 each", c)
	}
}

//go:embed dashboard.json
var dashboard []byte

// TestDashboard: the dashboard asks for metrics that there are, and shows each.
func TestDashboard(t *testing.T) {
	var d struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	check(t, json.Unmarshal(dashboard, &d))
	m := prometheus.New(nil)
	r := client.NewPedanticRegistry()
	check(t, r.Register(m))
	books := kivis.TableOf[Book](open(t, m, "shop"))
	_, err := books.Insert(bg, &Book{})
	check(t, err)
	_, err = books.WhereText("Year < 5").Collect(bg)
	check(t, err)
	families, err := r.Gather()
	check(t, err)
	shown := map[string]bool{}
	for _, f := range families {
		shown[f.GetName()] = false
	}
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			for _, name := range regexp.MustCompile(`kivis_\w+`).FindAllString(target.Expr, -1) {
				name = strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_count")
				if _, ok := shown[name]; !ok {
					t.Errorf("panel %q asks for %s, which there is not", p.Title, name)
				}
				shown[name] = true
			}
		}
	}
	for name, is := range shown {
		if !is {
			t.Errorf("no panel shows %s", name)
		}
	}
}
