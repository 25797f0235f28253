package files

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/internal/cells"
)

// appendCell appends the text of a cell as the JSON that a column of the type
// takes. What it does not understand becomes a string, which the column then
// refuses with the words that fit.
func appendCell(dst []byte, t *codec.Type, cell []byte) []byte {
	nullable := t.Kind == codec.Pointer
	for t.Kind == codec.Pointer {
		t = t.Elem
	}
	s := string(cell)
	switch {
	case s == cells.Nil:
		return append(dst, "null"...)
	case cells.LikeNil(cell):
		s = s[1:]
	}
	if s == "" && nullable && !isText(t) {
		return append(dst, "null"...)
	}
	switch t.Kind {
	case codec.Bool:
		if b, err := strconv.ParseBool(strings.ToLower(s)); err == nil && len(s) > 1 {
			return strconv.AppendBool(dst, b)
		}
	case codec.Int, codec.Uint, codec.Float, codec.Duration:
		return appendNumber(dst, t, s)
	case codec.Time:
		return appendQuoted(dst, timeText(s))
	case codec.Slice, codec.Array, codec.Map, codec.Struct, codec.Any:
		if json.Valid(cell) {
			return append(dst, cell...)
		}
	}
	return appendQuoted(dst, s)
}

// isText reports whether an empty cell is a value of the type.
func isText(t *codec.Type) bool {
	switch t.Kind {
	case codec.String, codec.Text, codec.JSON, codec.Bytes, codec.Binary, codec.Custom:
		return true
	}
	return false
}

// appendNumber appends a number, also one with zeros or a plus sign before it.
func appendNumber(dst []byte, t *codec.Type, s string) []byte {
	switch t.Kind {
	case codec.Uint:
		if n, err := strconv.ParseUint(strings.TrimPrefix(s, "+"), 10, 64); err == nil {
			return strconv.AppendUint(dst, n, 10)
		}
	default:
		if n, err := strconv.ParseInt(s, 10, 64); err == nil && (n != 0 || !strings.HasPrefix(s, "-")) {
			return strconv.AppendInt(dst, n, 10)
		}
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil && !math.IsInf(f, 0) && f == f {
		if json.Valid([]byte(s)) {
			return append(dst, s...)
		}
		if t.Kind == codec.Float && !strings.ContainsAny(s, "xX_") {
			return strconv.AppendFloat(dst, f, 'g', -1, 64)
		}
	}
	return appendQuoted(dst, s)
}

// timeText returns a time as RFC 3339 has it: such a text, or one with a space in
// place of the T, without a zone, which is UTC then, or a day alone.
func timeText(s string) string {
	if _, err := time.Parse(time.RFC3339, s); err == nil {
		return s
	}
	for _, layout := range []string{"2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.Format(time.RFC3339Nano)
		}
	}
	return s
}

// appendQuoted appends a text as JSON, in the marked form that codec reads where
// it is no UTF-8.
func appendQuoted(dst []byte, s string) []byte {
	if !utf8.ValidString(s) {
		dst = append(dst, `{"$text":"`...)
		dst = base64.StdEncoding.AppendEncode(dst, []byte(s))
		return append(dst, `"}`...)
	}
	plain := true
	for i := 0; i < len(s); i++ {
		plain = plain && s[i] >= ' ' && s[i] != '"' && s[i] != '\\'
	}
	if plain {
		return append(append(append(dst, '"'), s...), '"')
	}
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // unreachable: every string has a form
	}
	return append(dst, b...)
}
