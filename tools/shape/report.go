package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// nameWidth is how wide the column of names is, which is the one to begin at
// the left.
const nameWidth = 24

// report prints shapes as a table, the whole module last, and what a table has
// no room for below it.
func report(w io.Writer, shapes []shape) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "%-*s\t%s\n", nameWidth, "package", "files\tlines\tfile\tfuncs\tlength\t>60\t>100\tdocumented\tcomments\ttest/source\tcircle\treflect\t")
	all := shape{name: "all"}
	for i := range shapes {
		row(t, &shapes[i])
		all.add(&shapes[i])
	}
	row(t, &all)
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w, "\nthe largest circle of files in each package:")
	for i := range shapes {
		names(w, shapes[i].name, shapes[i].circle)
	}
	fmt.Fprintln(w, "\nfiles that import reflect:")
	for i := range shapes {
		names(w, shapes[i].name, shapes[i].reflects)
	}
	return nil
}

// ties prints what holds the largest circle of a package together.
func ties(w io.Writer, p *source) {
	used, circle := namesUsed(p), largestCircle(p)
	for _, from := range circle {
		for _, to := range circle {
			if names := used[from][to]; len(names) > 0 {
				slices.Sort(names)
				fmt.Fprintf(w, "%s -> %s: %s\n", from, to, strings.Join(names, ", "))
			}
		}
	}
}

// row prints the figures of one package.
func row(w io.Writer, s *shape) {
	lines := sum(s.files)
	fmt.Fprintf(w, "%-*s\t%d\t%d\t%d/%d\t%d\t%d/%d/%d\t%d\t%d\t%d/%d\t%s\t%s\t%d\t%d\t\n",
		nameWidth, s.name, len(s.files), lines, quantile(s.files, 0.5), quantile(s.files, 1),
		len(s.funcs), quantile(s.funcs, 0.5), quantile(s.funcs, 0.9), quantile(s.funcs, 1),
		over(s.funcs, 60), over(s.funcs, 100), s.documented, s.exports,
		share(s.comments, lines-s.blank), ratio(s.tests, lines), len(s.circle), len(s.reflects))
}

func share(part, all int) string {
	if all == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f%%", 100*float64(part)/float64(all))
}

func ratio(a, b int) string {
	if b == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", float64(a)/float64(b))
}

// add adds the figures of a package to those of a module, of which the largest
// circle is that of its largest package in this respect.
func (s *shape) add(p *shape) {
	s.files, s.funcs = append(s.files, p.files...), append(s.funcs, p.funcs...)
	s.exports, s.documented = s.exports+p.exports, s.documented+p.documented
	s.comments, s.blank, s.tests = s.comments+p.comments, s.blank+p.blank, s.tests+p.tests
	if len(p.circle) > len(s.circle) {
		s.circle = p.circle
	}
	s.reflects = append(s.reflects, p.reflects...)
}

// names prints the files of a package, a few to a line.
func names(w io.Writer, name string, files []string) {
	if len(files) == 0 {
		return
	}
	line := fmt.Sprintf("  %s (%d):", name, len(files))
	for _, f := range files {
		if len(line)+len(f) > 110 {
			fmt.Fprintln(w, line)
			line = "   "
		}
		line += " " + strings.TrimSuffix(f, ".go")
	}
	fmt.Fprintln(w, line)
}
