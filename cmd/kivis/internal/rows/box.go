package rows

import (
	"io"
	"strings"

	"github.com/mattn/go-runewidth"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/internal/cells"
)

// boxRows is how many rows decide how wide the columns of a box are. Later ones
// are cut to fit, so that a box takes no more memory for more rows.
const boxRows = 1000

// maxCell is how much of a value a box has, where no terminal says less.
const maxCell = 1000

// leastWidth is how narrow a column may get before others are left out.
const leastWidth = 6

// boxWriter draws rows as a box that fits the terminal: the types under the
// names, long values cut, and columns in the middle left out where not all fit.
type boxWriter struct {
	w     io.Writer
	shape *Shape
	limit int // the width of the terminal; 0 is none

	held  [][]string // rows until the widths are known
	shown []int      // columns; -1 for those left out
	width []int      // of each shown column
	begun bool
	cell  []byte
}

func (x *boxWriter) Row(values [][]byte) error {
	row := make([]string, len(values))
	for i, v := range values {
		text, isNil, err := cells.Append(x.cell[:0], x.shape.Layout, x.shape.Columns[i].Type, v)
		if err != nil {
			return err
		}
		if x.cell = text; isNil {
			text = append(text, "nil"...)
		}
		row[i] = Escape(string(text[:min(len(text), maxCell+1)]))
		if len(text) > maxCell {
			row[i] = runewidth.Truncate(row[i], maxCell, "…")
		}
	}
	if x.begun {
		return x.line(row)
	}
	if x.held = append(x.held, row); len(x.held) < boxRows {
		return nil
	}
	return x.begin()
}

// Close draws what is left.
func (x *boxWriter) Close() error {
	if !x.begun {
		if err := x.begin(); err != nil {
			return err
		}
	}
	return x.rule("└", "┴", "┘")
}

// begin draws the head and the rows that were held.
func (x *boxWriter) begin() error {
	x.begun = true
	names, types := make([]string, len(x.shape.Columns)), make([]string, len(x.shape.Columns))
	for i, c := range x.shape.Columns {
		names[i], types[i] = Escape(c.Name), Escape(label(c.Type, x.shape.Layout))
	}
	heads := [][]string{names, types}
	if x.shape.Plain {
		heads = heads[:1]
	}
	x.measure(heads...)
	err := x.rule("┌", "┬", "┐")
	for _, head := range heads {
		if err == nil {
			err = x.line(head)
		}
	}
	if err == nil {
		err = x.rule("├", "┼", "┤")
	}
	for _, row := range x.held {
		if err == nil {
			err = x.line(row)
		}
	}
	x.held = nil
	return err
}

// measure decides which columns are shown, and how wide.
func (x *boxWriter) measure(heads ...[]string) {
	wide := make([]int, len(x.shape.Columns))
	for _, row := range append(heads, x.held...) {
		for i, s := range row {
			wide[i] = max(wide[i], runewidth.StringWidth(s))
		}
	}
	x.shown = x.choose(len(wide))
	x.width = make([]int, len(x.shown))
	for i, c := range x.shown {
		if x.width[i] = 1; c >= 0 {
			x.width[i] = wide[c]
		}
	}
	if x.limit > 0 {
		shrink(x.width, x.limit-3*len(x.width)-1)
	}
}

// choose returns which of n columns have room, at their narrowest: all, or those
// at both ends.
func (x *boxWriter) choose(n int) []int {
	room := n
	if x.limit > 0 {
		room = max(2, (x.limit-1)/(leastWidth+3))
	}
	var shown []int
	for i := range n {
		switch {
		case n <= room || i < room/2 || i >= n-(room-1)/2:
			shown = append(shown, i)
		case i == room/2:
			shown = append(shown, -1)
		}
	}
	return shown
}

// shrink narrows the widest columns until all together have the room.
func shrink(width []int, room int) {
	sum := 0
	for _, w := range width {
		sum += w
	}
	for sum > room {
		widest := 0
		for i, w := range width {
			if w > width[widest] {
				widest = i
			}
		}
		if width[widest] <= 1 {
			return
		}
		width[widest]--
		sum--
	}
}

func (x *boxWriter) line(row []string) error {
	var b strings.Builder
	for i, c := range x.shown {
		s, right := "…", false
		if c >= 0 {
			s, right = row[c], isNumber(x.shape.Columns[c].Type)
		}
		if runewidth.StringWidth(s) > x.width[i] {
			s = runewidth.Truncate(s, x.width[i], "…")
		}
		pad := strings.Repeat(" ", max(0, x.width[i]-runewidth.StringWidth(s)))
		if right {
			s, pad = pad, s
		}
		b.WriteString("│ " + s + pad + " ")
	}
	b.WriteString("│\n")
	_, err := io.WriteString(x.w, b.String())
	return err
}

func (x *boxWriter) rule(left, middle, right string) error {
	parts := make([]string, len(x.width))
	for i, w := range x.width {
		parts[i] = strings.Repeat("─", w+2)
	}
	_, err := io.WriteString(x.w, left+strings.Join(parts, middle)+right+"\n")
	return err
}

// isNumber reports whether values of a type stand at the right of their column.
func isNumber(t *codec.Type) bool {
	switch plain(t).Kind {
	case codec.Int, codec.Uint, codec.Float, codec.Duration:
		return true
	}
	return false
}
