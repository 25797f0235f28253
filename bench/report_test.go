package main

import (
	"strings"
	"testing"
	"time"
)

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   Spread
	}{
		{nil, Spread{}},
		{[]float64{3}, Spread{3, 3, 3, 1}},
		{[]float64{4, 1, 2, 3}, Spread{2.5, 1.75, 3.25, 4}},
		{[]float64{5, 1, 2, 3, 4}, Spread{3, 2, 4, 5}},
	} {
		if got := spreadOf(c.values); got != c.want {
			t.Errorf("spreadOf(%v) = %+v, want %+v", c.values, got, c.want)
		}
	}
}

// sampleResults returns two rounds in which the machine got ten times slower
// and Kivis took half as long again as the limit.
func sampleResults() *Results {
	r := newResults()
	for round, slow := range []time.Duration{1, 10} {
		for _, c := range []struct {
			name string
			took time.Duration
		}{{onDisk.Baseline, 10}, {"kivis-badger", 15}} {
			r.add(Sample{1000, c.name, "get", round, 0, Measure{Ops: 1, Wall: c.took * slow * time.Microsecond}})
		}
	}
	return r
}

func TestRatiosAreWithinARound(t *testing.T) {
	st := statsOf(sampleResults())
	got := st.ratio(Cell{1000, "kivis-badger", "get"}, Cell{1000, onDisk.Baseline, "get"}, perOp.Cost)
	if want := (Spread{1.5, 1.5, 1.5, 2}); got != want {
		t.Errorf("the ratio is %+v, want %+v", got, want)
	}
}

func TestReportJudges(t *testing.T) {
	var out strings.Builder
	writeReport(&out, sampleResults())
	for _, want := range []string{"1,000 records on disk", "1.50", "1.10", "NO"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report has no %q:\n%s", want, out.String())
		}
	}
}

func TestMarkdown(t *testing.T) {
	var out strings.Builder
	writeMarkdown(&out, sampleResults())
	for _, want := range []string{"| workload | Badger by hand | Kivis |", "| get by key | 55 µs | 82 µs | 1.50 (1.50 to 1.50) |", "| 1.10 ✗ |"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("there is no %q:\n%s", want, out.String())
		}
	}
}

func TestGoals(t *testing.T) {
	for _, c := range []struct {
		name             string
		goal             Goal
		ratio, hand, own float64
		want, met        string
	}{
		{"none", Goal{}, 2, 10, 20, "", ""},
		{"met", Goal{Ratio: 1.1}, 1.1, 10, 11, "1.10", "yes"},
		{"missed", Goal{Ratio: 1.1}, 1.2, 10, 12, "1.10", "NO"},
		{"plus a constant", Goal{Ratio: 1, Plus: time.Millisecond}, 2, 1e6, 2e6, "1.00 + 1ms", "yes"},
		{"itself", Goal{Ratio: 2, Absolute: true}, 3, 0.5, 1.5, "2.00 itself", "yes"},
	} {
		if goal, met := c.goal.judge(c.ratio, c.hand, c.own); goal != c.want || met != c.met {
			t.Errorf("%s: judge() = %q, %q; want %q, %q", c.name, goal, met, c.want, c.met)
		}
	}
}

// TestGoalsHaveNames has every goal belong to a contender and a workload.
func TestGoalsHaveNames(t *testing.T) {
	for _, all := range []map[string]map[string]Goal{goals, rivalGoals} {
		for name, of := range all {
			if e, ok := entryOf(name); !ok || e.Limit == "" {
				t.Errorf("a goal is for %q, which is not Kivis", name)
			}
			for w := range of {
				if _, ok := workloadOf(w); !ok {
					t.Errorf("a goal of %s is for %q, which is no workload", name, w)
				}
			}
		}
	}
	for _, e := range entries() {
		if _, ok := entryOf(e.Limit); e.Limit != "" && !ok {
			t.Errorf("%s is held against %q, which is no contender", e.Name, e.Limit)
		}
	}
}

func TestOptions(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"-records 10", "at least 100"},
		{"-contenders kivis", `no "kivis"`},
		{"-workloads gets", `no "gets"`},
		{"-rounds 0", "-rounds"},
		{"more", "unexpected"},
	} {
		if _, err := parseOptions(strings.Fields(c.args), new(strings.Builder)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.args, err, c.want)
		}
	}
	o, err := parseOptions(strings.Fields("-records 10_000,1000000 -workloads city"), new(strings.Builder))
	if err != nil || len(o.Records) != 2 || len(o.workloads()) != 2 {
		t.Errorf("parseOptions() = %+v, %v", o, err)
	}
}
