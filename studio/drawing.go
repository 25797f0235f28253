package studio

import (
	"fmt"
	"slices"

	"github.com/kivisdb/kivis/schema"
)

const (
	boxWidth  = 210
	boxGap    = 90 // between two columns of boxes
	rowHeight = 20
	headRoom  = 28
	boxSpace  = 28 // between two boxes
	margin    = 16
	maxRows   = 14 // fields of one box
)

// drawingPage is the schema as a drawing.
type drawingPage struct {
	view
	Boxes         []*box   `json:"tables"`
	Arrows        []*arrow `json:"references"`
	Width, Height int      `json:"-"`
}

// box is one table of the drawing.
type box struct {
	Table string     `json:"table"`
	Rows  []boxField `json:"fields"`
	More  int        `json:"-"` // fields that are not drawn
	URL   string     `json:"-"`

	X, Y, W, H int `json:"-"`
}

// boxField is one field of a box.
type boxField struct {
	Name string `json:"field"`
	Type string `json:"type"`
	Mark string `json:"mark,omitempty"` // key, unique, index
	Y    int    `json:"-"`              // of its middle
}

// arrow is one reference of the drawing.
type arrow struct {
	From     string `json:"table"`
	Field    string `json:"field"`
	To       string `json:"target"`
	OnDelete string `json:"ondelete"`
	Path     string `json:"-"`
}

// drawing makes the page of the schema: tables that are referred to stand to the
// left of those that refer to them.
func (s *server) drawing(r *request) (page, error) {
	p := drawingPage{view: s.view(r, "schema"), Boxes: []*box{}, Arrows: []*arrow{}}
	all := s.db.Tables()
	boxes := map[string]*box{}
	next := map[int]int{} // where the next box of a column begins
	for _, tb := range all {
		b := makeBox(&p.view, tb)
		column := depth(tb, nil)
		b.place(margin+column*(boxWidth+boxGap), max(next[column], margin))
		next[column] = b.Y + b.H + boxSpace
		p.Width, p.Height = max(p.Width, b.X+b.W+margin+boxGap/2), max(p.Height, b.Y+b.H+margin)
		boxes[tb.Name] = b
		p.Boxes = append(p.Boxes, b)
	}
	for _, tb := range all {
		for _, ref := range tb.Refs {
			a := &arrow{From: tb.Name, Field: ref.Name, To: ref.Target.Name, OnDelete: ref.OnDelete.String()}
			a.Path = curve(boxes[a.From], boxes[a.To], ref.Parts[0].Column)
			p.Arrows = append(p.Arrows, a)
		}
	}
	return page{template: "schema.html", data: p}, nil
}

// depth returns how long the longest way along references is from a table, with
// none twice on it.
func depth(tb *schema.Table, way []string) (n int) {
	way = append(slices.Clip(way), tb.Name)
	if len(way) > 6 {
		return 0
	}
	for _, ref := range tb.Refs {
		if !slices.Contains(way, ref.Target.Name) {
			n = max(n, 1+depth(ref.Target, way))
		}
	}
	return n
}

// makeBox returns the box of a table.
func makeBox(v *view, tb *schema.Table) *box {
	b := &box{Table: tb.Name, URL: v.tableURL(tb.Name), W: boxWidth}
	for i := range tb.Columns {
		b.Rows = append(b.Rows, boxField{Name: tb.Columns[i].Name, Type: tb.Columns[i].Type.String(), Mark: markOf(tb, i)})
	}
	return b
}

// markOf returns what a column is to its table.
func markOf(tb *schema.Table, column int) string {
	if isKeyColumn(tb, column) {
		return "key"
	}
	mark := ""
	for _, x := range tb.Indexes {
		if x.Parts[0].Column == column {
			if x.Unique && len(x.Parts) == 1 {
				return "unique"
			}
			mark = "index"
		}
	}
	return mark
}

// place sets where the box and its fields are.
func (b *box) place(x, y int) {
	b.X, b.Y = x, y
	rows := min(len(b.Rows), maxRows)
	b.More = len(b.Rows) - rows
	for i := range b.Rows {
		b.Rows[i].Y = y + headRoom + min(i, maxRows)*rowHeight + rowHeight/2
	}
	b.H = headRoom + rows*rowHeight + 8
	if b.More > 0 {
		b.H += rowHeight
	}
}

// Drawn returns the fields that are drawn.
func (b *box) Drawn() []boxField { return b.Rows[:len(b.Rows)-b.More] }

// curve returns the path of an arrow from a field of one box to the head of
// another.
func curve(from, to *box, column int) string {
	y := from.Y + headRoom/2
	if column >= 0 && column < len(from.Rows) {
		y = from.Rows[column].Y
	}
	end := to.Y + headRoom/2
	if from.X <= to.X { // beside or above each other: around the right side
		x := from.X + from.W
		return fmt.Sprintf("M%d %d C%d %d %d %d %d %d", x, y, x+boxGap/2, y, to.X+to.W+boxGap/2, end, to.X+to.W, end)
	}
	return fmt.Sprintf("M%d %d C%d %d %d %d %d %d", from.X, y, from.X-boxGap/2, y, to.X+to.W+boxGap/2, end, to.X+to.W, end)
}

// Right returns where the box ends.
func (b *box) Right() int { return b.X + b.W }

// Bottom returns where the box ends below.
func (b *box) Bottom() int { return b.Y + b.H }
