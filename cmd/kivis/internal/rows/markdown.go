package rows

import (
	"io"
	"strings"

	"github.com/kivisdb/kivis/internal/cells"
)

// markdownWriter writes rows as a table of Markdown.
type markdownWriter struct {
	w     io.Writer
	shape *Shape
	cell  []byte
}

func newMarkdownWriter(w io.Writer, s *Shape) (*markdownWriter, error) {
	m := &markdownWriter{w: w, shape: s}
	var names, rules strings.Builder
	for _, c := range s.Columns {
		names.WriteString("| " + markdownText(c.Name) + " ")
		if isNumber(c.Type) {
			rules.WriteString("| ---: ")
		} else {
			rules.WriteString("| --- ")
		}
	}
	_, err := io.WriteString(w, names.String()+"|\n"+rules.String()+"|\n")
	return m, err
}

func (m *markdownWriter) Row(values [][]byte) error {
	var b strings.Builder
	for i, v := range values {
		text, isNil, err := cells.Append(m.cell[:0], m.shape.Layout, m.shape.Columns[i].Type, v)
		if err != nil {
			return err
		}
		m.cell = text
		b.WriteString("| ")
		if !isNil {
			b.WriteString(markdownText(string(text)) + " ")
		}
	}
	b.WriteString("|\n")
	_, err := io.WriteString(m.w, b.String())
	return err
}

func (m *markdownWriter) Close() error { return nil }

// markdownText returns a text so that Markdown shows it as it is.
func markdownText(s string) string { return markdownSigns.Replace(Escape(s)) }

var markdownSigns = strings.NewReplacer(
	`\`, `\\`, `|`, `\|`, "`", "\\`", `*`, `\*`, `_`, `\_`, `<`, `&lt;`, `&`, `&amp;`, `[`, `\[`, `]`, `\]`, `~`, `\~`,
)
