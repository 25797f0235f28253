package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// report writes results as tables for a person.
type report struct {
	out   io.Writer
	res   *Results
	stats Stats
}

// writeReport writes all there is to say about results.
func writeReport(out io.Writer, res *Results) {
	r := &report{out, res, statsOf(res)}
	m := res.Machine
	r.line("%s, %d cores, %s, %s; %s UTC", m.CPU, m.Cores, m.System, m.Go, res.Began)
	for _, n := range res.sizes() {
		for _, f := range fields {
			r.field(f, n)
		}
	}
	r.growth()
	for _, n := range res.Notes {
		r.line("left out: %s", n)
	}
}

func (r *report) line(format string, args ...any) {
	fmt.Fprintf(r.out, format+"\n", args...)
}

// contenders returns the entries of a field that were measured with n records.
func (r *report) contenders(f *Field, n int) []Entry {
	return slices.DeleteFunc(entries(), func(e Entry) bool {
		return e.Field != f || !slices.ContainsFunc(r.res.Samples, func(s Sample) bool { return s.Contender == e.Name && s.Records == n })
	})
}

// field writes the tables of a field at one size: all contenders, and Kivis on
// each store in detail, against the same by hand and against SQLite.
func (r *report) field(f *Field, n int) {
	list := r.contenders(f, n)
	if len(list) == 0 {
		return
	}
	r.line("\n%s records %s, as multiples of %s (median of the ratios)\n", thousands(n), f.Title, f.Baseline)
	r.overview(f, n, namesOf(list))
	for _, e := range list {
		for _, limit := range []string{e.Limit, cgoRival} {
			if e.Limit != "" && slices.ContainsFunc(list, func(o Entry) bool { return o.Name == limit }) {
				r.line("\n%s records: %s against %s (median, and the middle half of the ratios)\n", thousands(n), e.Name, limit)
				r.against(e, limit, n)
			}
		}
	}
}

// cgoRival is the contender that Kivis on a disk wants to be ahead of.
const cgoRival = "sqlite-cgo"

// namesOf returns the names of entries.
func namesOf(list []Entry) []string {
	var names []string
	for _, e := range list {
		names = append(names, e.Name)
	}
	return names
}

// overview writes a row for each workload and a column for each contender.
func (r *report) overview(f *Field, n int, names []string) {
	w := tabwriter.NewWriter(r.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	defer w.Flush()
	fmt.Fprintf(w, "workload\t%s\t\n", strings.Join(names, "\t"))
	for _, wl := range workloads() {
		base := Cell{n, f.Baseline, wl.Name}
		row := []string{wl.Name}
		for _, name := range names {
			row = append(row, r.cell(wl, Cell{n, name, wl.Name}, base))
		}
		if strings.Trim(strings.Join(row[1:], ""), "-") != "" {
			fmt.Fprintf(w, "%s\t\n", strings.Join(row, "\t"))
		}
	}
}

// cell returns what a contender did at a workload: for the limit by hand, and
// where there is none, as it is, for others as a multiple.
func (r *report) cell(w Workload, c, base Cell) string {
	if ratio := r.stats.ratio(c, base, w.Unit.Cost); c != base && ratio.N > 0 {
		return multiple(ratio.Median)
	}
	if v := r.stats.value(c, w.Unit.Cost); v.N > 0 {
		return w.Unit.text(v.Median)
	}
	return "-"
}

// against writes Kivis on a store and another contender in detail.
func (r *report) against(e Entry, other string, n int) {
	w := tabwriter.NewWriter(r.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	defer w.Flush()
	fmt.Fprintf(w, "workload\t%s\tKivis\tratio\tmiddle half\tCPU\tinstr.\tallocs\tKivis\tgoal\t\t\n", other)
	for _, wl := range workloads() {
		goal := goalOf(wl, e)
		if other != e.Limit {
			goal = rivalGoal(wl, e)
		}
		if row := r.detail(wl, Cell{n, e.Name, wl.Name}, Cell{n, other, wl.Name}, goal); row != nil {
			fmt.Fprintf(w, "%s\t\n", strings.Join(row, "\t"))
		}
	}
}

// detail returns a row of against, or nil.
func (r *report) detail(w Workload, c, base Cell, g Goal) []string {
	ratio := r.stats.ratio(c, base, w.Unit.Cost)
	if ratio.N == 0 {
		return nil
	}
	hand, own := r.stats.value(base, w.Unit.Cost), r.stats.value(c, w.Unit.Cost)
	goal, met := g.judge(ratio.Median, hand.Median, own.Median)
	if g.Absolute && w.Unit == perOp {
		goal = w.Unit.text(g.Ratio)
	}
	row := []string{w.Name, w.Unit.text(hand.Median), w.Unit.text(own.Median), multiple(ratio.Median),
		multiple(ratio.Low) + "-" + multiple(ratio.High)}
	for _, number := range []func(Measure) float64{cpuPerOp, instrPerOp} {
		row = append(row, multipleOf(r.stats.ratio(c, base, number)))
	}
	if w.Unit == perOp {
		row = append(row, count(r.stats.value(base, allocsPerOp)), count(r.stats.value(c, allocsPerOp)))
	} else {
		row = append(row, "", "")
	}
	return append(row, goal, met)
}

// judge returns the goal as text, and whether it is met.
func (g Goal) judge(ratio, hand, own float64) (goal, met string) {
	if g.Ratio == 0 {
		return "", ""
	}
	ok := ratio <= g.Ratio
	goal = multiple(g.Ratio)
	switch {
	case g.Absolute:
		ok = own <= g.Ratio
		goal = multiple(g.Ratio) + " itself"
	case g.Plus > 0:
		ok = own <= hand*g.Ratio+float64(g.Plus)
		goal += " + " + g.Plus.String()
	}
	if ok {
		return goal, "yes"
	}
	return goal, "NO"
}

// growth writes how much dearer operations get from the smallest table to the
// largest, where there are several.
func (r *report) growth() {
	sizes := r.res.sizes()
	if len(sizes) < 2 {
		return
	}
	lo, hi := sizes[0], sizes[len(sizes)-1]
	for _, f := range fields {
		names := namesOf(r.contenders(f, hi))
		if len(names) == 0 {
			continue
		}
		r.line("\n%s to %s records %s: cost of an operation as a multiple\n", thousands(lo), thousands(hi), f.Title)
		r.growthOf(names, lo, hi)
	}
}

func (r *report) growthOf(names []string, lo, hi int) {
	w := tabwriter.NewWriter(r.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	defer w.Flush()
	fmt.Fprintf(w, "workload\t%s\t\n", strings.Join(names, "\t"))
	for _, wl := range workloads() {
		row := []string{wl.Name}
		for _, name := range names {
			small := r.stats.value(Cell{lo, name, wl.Name}, wl.Unit.Cost)
			large := r.stats.value(Cell{hi, name, wl.Name}, wl.Unit.Cost)
			if small.N == 0 || large.N == 0 || small.Median == 0 {
				row = append(row, "-")
				continue
			}
			row = append(row, multiple(large.Median/small.Median))
		}
		fmt.Fprintf(w, "%s\t\n", strings.Join(row, "\t"))
	}
}

// text returns a number of the unit with three digits.
func (u Unit) text(x float64) string {
	switch u {
	case bytes1:
		return fmt.Sprintf("%.0f B", x)
	case bytesN:
		return fmt.Sprintf("%.0f MB", x/1e6)
	case factor:
		return multiple(x) + "x"
	}
	switch d := time.Duration(x); {
	case d < 10*time.Microsecond:
		return fmt.Sprintf("%.2f µs", x/1e3)
	case d < time.Millisecond:
		return fmt.Sprintf("%.0f µs", x/1e3)
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.2f ms", x/1e6)
	case d < time.Second:
		return fmt.Sprintf("%.0f ms", x/1e6)
	}
	return fmt.Sprintf("%.1f s", x/1e9)
}

// multiple returns a ratio with two or three digits.
func multiple(x float64) string {
	switch {
	case x < 10:
		return fmt.Sprintf("%.2f", x)
	case x < 100:
		return fmt.Sprintf("%.1f", x)
	}
	return thousands(int(x + 0.5))
}

// multipleOf is multiple of a median, or nothing.
func multipleOf(s Spread) string {
	if s.N == 0 {
		return ""
	}
	return multiple(s.Median)
}

// count returns a number of allocations.
func count(s Spread) string {
	if s.Median < 10 {
		return fmt.Sprintf("%.1f", s.Median)
	}
	return thousands(int(s.Median + 0.5))
}

// thousands returns n with commas.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
