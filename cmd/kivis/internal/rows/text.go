package rows

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/kivisdb/kivis/codec"
)

// IsNested reports whether values of a type are written as JSON where a format
// has room for one text only: what has values in it, or may be anything.
func IsNested(t *codec.Type) bool {
	switch plain(t).Kind {
	case codec.Slice, codec.Array, codec.Map, codec.Struct, codec.Any:
		return true
	}
	return false
}

// IsText reports whether values of a type are texts.
func IsText(t *codec.Type) bool {
	switch plain(t).Kind {
	case codec.String, codec.Text, codec.JSON:
		return true
	}
	return false
}

// appendText appends a value as one text, and reports whether it is nil, which
// has none: texts as they are, nested values as JSON, and all else as JSON without
// quotation marks.
func appendText(dst []byte, l *codec.Layout, t *codec.Type, value []byte) (out []byte, isNil bool, err error) {
	switch {
	case codec.IsNil(value):
		return dst, true, nil
	case IsText(t):
		v, err := l.Value(t, value)
		if s, ok := v.(string); ok {
			return append(dst, s...), false, err
		}
		return dst, v == nil, err
	}
	from := len(dst)
	if dst, err = l.AppendJSON(dst, t, value); err != nil || IsNested(t) {
		return dst, false, err
	}
	if n := len(dst) - 1; n > from && dst[from] == '"' {
		dst = append(dst[:from], dst[from+1:n]...)
	}
	return dst, false, nil
}

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
	b, isNil, err := appendText(nil, l, t, value)
	if err != nil || isNil {
		return nil, err
	}
	s := string(b)
	return &s, nil
}
