package studio

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/schema"
)

const (
	maxCellText = 160     // bytes of a value in the grid
	maxPageText = 8 << 10 // bytes of a value on the record's page
	maxEditable = 8 << 10 // bytes of a value that can be edited in its place
)

// cell is the value of one field, for a page.
type cell struct {
	Name     string
	Type     string
	Text     string // shortened, with what could be taken for something else escaped
	Full     string // the value as JSON; "" where that is too long to be edited
	Nil      bool
	Short    bool   // Text is not all of it
	Link     string // to the record that it refers to
	IsKey    bool
	IsNumber bool
}

// cellsOf returns the cells of a record, with up to max bytes of text each.
func cellsOf(rec kivis.Record, max int) []cell {
	tb := rec.Table()
	offs, err := codec.Split(rec.Raw(), len(tb.Columns), nil)
	if err != nil {
		return nil // unreachable: the record was read whole
	}
	cells := make([]cell, len(tb.Columns))
	for i := range tb.Columns {
		c := &tb.Columns[i]
		cells[i] = cell{Name: c.Name, Type: c.Type.String(), IsKey: isKeyColumn(tb, i)}
		cells[i].fill(tb.Layout, &tb.Layout.Fields[i].Type, rec.Raw()[offs[i]:offs[i+1]], max)
	}
	return cells
}

// fill sets what the cell says of a value.
func (c *cell) fill(l *codec.Layout, t *codec.Type, value []byte, max int) {
	switch t.Kind {
	case codec.Int, codec.Uint, codec.Float:
		c.IsNumber = true
	}
	if len(value) > maxEditable {
		c.Text, c.Short = fmt.Sprintf("(%s bytes)", grouped(len(value))), true
		if v, err := l.Value(t, value); err == nil {
			if s, ok := v.(string); ok {
				c.Text, _ = shorten(s, max)
			}
		}
		return
	}
	text, err := l.AppendJSON(nil, t, value)
	if err != nil {
		c.Text = err.Error()
		return
	}
	c.Full, c.Nil = string(text), string(text) == "null"
	shown := c.Full
	var s string
	if shown[0] == '"' && json.Unmarshal(text, &s) == nil {
		shown = s
	}
	c.Text, c.Short = shorten(shown, max)
}

// shorten returns up to max bytes of a text, made safe for the eye.
func shorten(s string, max int) (string, bool) {
	short := len(s) > max
	if short {
		s = strings.ToValidUTF8(s[:max], "") + "…"
	}
	return visible(s), short
}

// visible returns a text with control characters, and those that turn the
// direction of others, as escapes.
func visible(s string) string {
	if strings.IndexFunc(s, hidden) < 0 && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if hidden(r) {
			fmt.Fprintf(&b, `\u{%x}`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func hidden(r rune) bool {
	return r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r))
}

// isKeyColumn reports whether a column is in the primary key.
func isKeyColumn(tb *schema.Table, i int) bool {
	for _, p := range tb.Key.Parts {
		if p.Column == i {
			return true
		}
	}
	return false
}

// partNames returns the names of the parts of a key or an index.
func partNames(parts []schema.Part) string {
	names := make([]string, len(parts))
	for i := range parts {
		names[i] = parts[i].Name
	}
	return strings.Join(names, ", ")
}
