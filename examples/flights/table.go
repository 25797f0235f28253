package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// margin is what every line of an answer starts with.
const margin = "    "

// table is rows under headings, printed in columns. Numbers align right.
type table struct {
	heads []string
	rows  [][]string
	right []bool
}

func newTable(heads ...string) *table {
	return &table{heads: heads, right: make([]bool, len(heads))}
}

// row adds a row.
func (t *table) row(cells ...any) {
	texts := make([]string, len(cells))
	for i, c := range cells {
		switch c := c.(type) {
		case int:
			texts[i], t.right[i] = thousands(c), true
		case float64:
			texts[i], t.right[i] = strconv.FormatFloat(c, 'f', 1, 64), true
		case time.Time:
			texts[i] = c.Format("Mon 2 Jan 15:04")
		default:
			texts[i] = fmt.Sprint(c)
		}
	}
	t.rows = append(t.rows, texts)
}

// print writes the table.
func (t *table) print(w io.Writer) {
	if len(t.rows) == 0 {
		fmt.Fprintln(w, margin+"nothing")
		return
	}
	widths := make([]int, len(t.heads))
	rule := make([]string, len(t.heads))
	all := append([][]string{t.heads, rule}, t.rows...)
	for _, row := range all {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for i, n := range widths {
		rule[i] = strings.Repeat("-", n)
	}
	for _, row := range all {
		fmt.Fprintln(w, margin+strings.TrimRight(t.line(row, widths), " "))
	}
}

// line returns the cells of a row, padded to the columns' widths.
func (t *table) line(row []string, widths []int) string {
	var b strings.Builder
	for i, cell := range row {
		pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
		if t.right[i] {
			cell, pad = pad+cell, ""
		}
		b.WriteString(cell + pad + "   ")
	}
	return b.String()
}

// thousands returns n with its digits in groups of three.
func thousands(n int) string {
	s := strconv.Itoa(n)
	first := 1
	if n < 0 {
		first = 2
	}
	for i := len(s) - 3; i >= first; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
