package rows

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/internal/cells"
)

// Escape returns a text as it can be shown on a terminal and in one line: control
// characters, those that turn the direction of writing, and bytes that are no
// UTF-8 by their numbers.
func Escape(s string) string {
	if strings.IndexFunc(s, isControl) < 0 && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		escapeRune(&b, r, s[:n])
		s = s[n:]
	}
	return b.String()
}

func escapeRune(b *strings.Builder, r rune, s string) {
	switch {
	case r == '\n':
		b.WriteString(`\n`)
	case r == '\t':
		b.WriteString(`\t`)
	case r == '\r':
		b.WriteString(`\r`)
	case r == utf8.RuneError && len(s) == 1:
		fmt.Fprintf(b, `\x%02x`, s[0])
	case isControl(r):
		fmt.Fprintf(b, `\u%04x`, r)
	default:
		b.WriteString(s)
	}
}

// isControl reports whether a character may do something to a terminal other
// than to appear on it.
func isControl(r rune) bool {
	switch {
	case r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069, r == 0x200E, r == 0x200F, r == 0x061C:
		return true
	case r == 0x2028, r == 0x2029:
		return true
	}
	return unicode.IsControl(r)
}

// Text returns a value as one text, or nil.
func Text(l *codec.Layout, t *codec.Type, value []byte) (*string, error) {
	b, isNil, err := cells.Append(nil, l, t, value)
	if err != nil || isNil {
		return nil, err
	}
	s := string(b)
	return &s, nil
}
