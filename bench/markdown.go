package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// writeMarkdown writes the tables of docs/performance.md: for each size, Kivis on each
// store beside the same by hand, beside SQLite, and all contenders.
func writeMarkdown(out io.Writer, res *Results) {
	r := &report{out, res, statsOf(res)}
	for _, n := range res.sizes() {
		for _, f := range fields {
			r.markdown(f, n)
		}
	}
}

// markdown writes the tables of a field at one size.
func (r *report) markdown(f *Field, n int) {
	list := r.contenders(f, n)
	for _, e := range list {
		if e.Limit != "" && slices.ContainsFunc(list, func(o Entry) bool { return o.Name == e.Limit }) {
			r.handTable(e, n)
		}
	}
	if slices.ContainsFunc(list, func(o Entry) bool { return o.Name == cgoRival }) {
		r.rivalTable(list, n)
	}
	if len(list) > 2 {
		r.overviewTable(f, list, n)
	}
}

// handTable writes a contender beside the same by hand.
func (r *report) handTable(e Entry, n int) {
	limit, _ := entryOf(e.Limit)
	r.line("\n%s, %s records\n", e.Title, thousands(n))
	r.line("| workload | %s | Kivis | ratio (middle half) | CPU | allocations by hand / Kivis | goal |", limit.Title)
	r.line("| --- | --: | --: | --: | --: | --: | --: |")
	for _, w := range workloads() {
		row := r.detail(w, Cell{n, e.Name, w.Name}, Cell{n, e.Limit, w.Name}, goalOf(w, e))
		if row == nil {
			continue
		}
		allocs := ""
		if row[7] != "" {
			allocs = row[7] + " / " + row[8]
		}
		r.line("| %s | %s | %s | %s (%s) | %s | %s | %s |", w.Title, row[1], row[2], row[3],
			strings.ReplaceAll(row[4], "-", " to "), row[5], allocs, strings.TrimSpace(row[9]+" "+mark(row[10])))
	}
}

// mark returns a sign for whether a goal is met.
func mark(met string) string {
	return strings.NewReplacer("yes", "✓", "NO", "✗").Replace(met)
}

// rivalTable writes Kivis on each store as multiples of SQLite in C, bold where it is
// ahead beyond the spread.
func (r *report) rivalTable(list []Entry, n int) {
	kivis := slices.DeleteFunc(slices.Clone(list), func(e Entry) bool { return e.Limit == "" })
	rival, _ := entryOf(cgoRival)
	r.tableHead("%s records, as multiples of %s", n, rival, kivis)
	for _, w := range workloads() {
		base := Cell{n, cgoRival, w.Name}
		cells := []string{r.cell(w, base, base)}
		for _, e := range kivis {
			s := r.stats.ratio(Cell{n, e.Name, w.Name}, base, w.Unit.Cost)
			text := "-"
			if s.N > 0 {
				text = fmt.Sprintf("%s (%s to %s)", multiple(s.Median), multiple(s.Low), multiple(s.High))
			}
			if s.N > 0 && s.High < 1 {
				text = "**" + multiple(s.Median) + "**" + text[len(multiple(s.Median)):]
			}
			cells = append(cells, text)
		}
		r.tableRow(w, cells)
	}
}

// overviewTable writes all contenders as multiples of the first.
func (r *report) overviewTable(f *Field, list []Entry, n int) {
	r.tableHead("%s records, as multiples of %s", n, list[0], list[1:])
	for _, w := range workloads() {
		base := Cell{n, f.Baseline, w.Name}
		var cells []string
		for _, e := range list {
			cells = append(cells, r.cell(w, Cell{n, e.Name, w.Name}, base))
		}
		r.tableRow(w, cells)
	}
}

// tableHead writes the head of a table with a column for each contender.
func (r *report) tableHead(title string, n int, base Entry, others []Entry) {
	r.line("\n"+title+"\n", thousands(n), base.Title)
	row := "| workload | " + base.Title
	for _, e := range others {
		row += " | " + e.Title
	}
	r.line("%s |\n| --- |%s", row, strings.Repeat(" --: |", 1+len(others)))
}

// tableRow writes a row, unless nothing was measured.
func (r *report) tableRow(w Workload, cells []string) {
	if strings.Trim(strings.Join(cells, ""), "-") != "" {
		r.line("| %s | %s |", w.Title, strings.Join(cells, " | "))
	}
}
