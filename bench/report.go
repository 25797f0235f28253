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

// contenders returns the names of the contenders of a field that were measured
// with n records, the limit by hand first and Kivis second.
func (r *report) contenders(f *Field, n int) []string {
	names := []string{f.Baseline, f.Subject}
	for _, e := range entries() {
		if e.Field == f && !slices.Contains(names, e.Name) {
			names = append(names, e.Name)
		}
	}
	return slices.DeleteFunc(names, func(name string) bool {
		return !slices.ContainsFunc(r.res.Samples, func(s Sample) bool { return s.Contender == name && s.Records == n })
	})
}

// field writes the tables of a field at one size.
func (r *report) field(f *Field, n int) {
	names := r.contenders(f, n)
	if len(names) == 0 {
		return
	}
	r.line("\n%s records %s, as multiples of %s (median of the ratios)\n", thousands(n), f.Title, f.Baseline)
	r.overview(f, n, names)
	if slices.Contains(names, f.Baseline) && slices.Contains(names, f.Subject) {
		r.line("\n%s records: %s against %s (median, and the middle half of the ratios)\n", thousands(n), f.Subject, f.Baseline)
		r.against(f, n)
	}
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

// against writes Kivis and the limit by hand in detail.
func (r *report) against(f *Field, n int) {
	w := tabwriter.NewWriter(r.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	defer w.Flush()
	fmt.Fprintln(w, "workload\tby hand\tKivis\tratio\tmiddle half\tCPU\tinstr.\tallocs\tKivis\tgoal\t\t")
	for _, wl := range workloads() {
		if row := r.detail(wl, Cell{n, f.Subject, wl.Name}, Cell{n, f.Baseline, wl.Name}, f); row != nil {
			fmt.Fprintf(w, "%s\t\n", strings.Join(row, "\t"))
		}
	}
}

// detail returns a row of against, or nil.
func (r *report) detail(w Workload, c, base Cell, f *Field) []string {
	ratio := r.stats.ratio(c, base, w.Unit.Cost)
	if ratio.N == 0 {
		return nil
	}
	hand, own := r.stats.value(base, w.Unit.Cost), r.stats.value(c, w.Unit.Cost)
	goal, met := w.Goal.judge(f, ratio.Median, hand.Median, own.Median)
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
func (g Goal) judge(f *Field, ratio, hand, own float64) (goal, met string) {
	max := g.ratio(f)
	if max == 0 {
		return "", ""
	}
	ok := ratio <= max
	goal = multiple(max)
	switch {
	case g.Absolute:
		ok = own <= max
		goal += " itself"
	case g.Plus > 0:
		ok = own <= hand*max+float64(g.Plus)
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
		names := r.contenders(f, hi)
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
