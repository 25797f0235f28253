package cli

import (
	"errors"
	"strings"

	"github.com/mattn/go-runewidth"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/cmd/kivis/internal/rows"
)

// message returns an error as it is shown: what it says and, where it is about a
// place in a text of the user's, that place.
func (c *call) message(err error) string {
	s := "kivis: " + plain(err) + "\n"
	var q *kivis.QueryError
	if !errors.As(err, &q) || q.Pos == 0 {
		return s
	}
	for _, a := range c.texts {
		if (a.clause == "order by") == (q.Clause == "order by") && q.Pos <= len(a.text)+1 {
			return s + pointer(a.text, q.Pos-1)
		}
	}
	return s
}

// plain returns what an error says, without the names of the packages that have
// passed it on.
func plain(err error) string {
	s := strings.TrimPrefix(err.Error(), "kivis: ")
	return strings.NewReplacer(": kivis: ", ": ", ": codec: encode: ", ": ", ": codec: ", ": ").Replace(s)
}

// pointedWidth is how much of a text is shown around a place in it.
const pointedWidth = 72

// pointer returns a text with a sign under one of its bytes: all of it, or if it
// is long what is around.
func pointer(text string, at int) string {
	before, after := []rune(rows.Escape(text[:at])), []rune(rows.Escape(text[at:]))
	if cut := len(before) - pointedWidth/2; cut > 0 {
		before = append([]rune("…"), before[cut:]...)
	}
	if len(after) > pointedWidth/2 {
		after = append(after[:pointedWidth/2:pointedWidth/2], '…')
	}
	pad := strings.Repeat(" ", runewidth.StringWidth(string(before)))
	return "    " + string(before) + string(after) + "\n    " + pad + "^\n"
}
