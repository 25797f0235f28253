package rows

import (
	"io"
	"strings"
	"unicode/utf8"
)

// Terminal is a writer to a terminal through which no control character passes
// but the end of a line and the tabulator: what a database holds must not move
// the cursor or ask the terminal for anything.
type Terminal struct {
	w    io.Writer
	left []byte // the beginning of a character, the rest of which is still to come
}

// NewTerminal returns a Terminal over w.
func NewTerminal(w io.Writer) *Terminal { return &Terminal{w: w} }

// Write writes p with its control characters escaped.
func (t *Terminal) Write(p []byte) (int, error) {
	b := append(t.left, p...)
	var out strings.Builder
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 && !utf8.FullRune(b) {
			break
		}
		if r == '\n' || r == '\t' {
			out.WriteRune(r)
		} else {
			escapeRune(&out, r, string(b[:n]))
		}
		b = b[n:]
	}
	t.left = append([]byte(nil), b...)
	_, err := io.WriteString(t.w, out.String())
	return len(p), err
}
