package cells_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/internal/cells"
)

// row writes one value as a file of one column.
func row(t *testing.T, typ codec.Type, v any) string {
	t.Helper()
	l := &codec.Layout{Fields: []codec.Field{{Name: "x", Type: typ}}}
	value, err := l.AppendValue(nil, &typ, v)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	c, err := cells.NewCSV(&b, ',', l, []cells.Column{{Name: "x", Type: &typ}})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Row([][]byte{value}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestCSVCells writes values of each sort, and texts that CSV, or nil, could be
// taken for.
func TestCSVCells(t *testing.T) {
	text := codec.Type{Kind: codec.String}
	for _, tt := range []struct {
		name string
		typ  codec.Type
		in   any
		want string
	}{
		{"plain", text, "a b", "a b"},
		{"empty", text, "", `""`},
		{"comma", text, "a,b", `"a,b"`},
		{"quote", text, `a"b`, `"a""b"`},
		{"newline", text, "a\nb", "\"a\nb\""},
		{"carriage return", text, "a\rb", "\"a\rb\""},
		{"like nil", text, `\N`, `\\N`},
		{"like like nil", text, `\\N`, `\\\N`},
		{"backslash", text, `\n`, `\n`},
		{"N", text, "N", "N"},
		{"no UTF-8", text, "\xff", "\xff"},
		{"nil", codec.Type{Kind: codec.Pointer, Elem: &text}, nil, `\N`},
		{"nil bytes", codec.Type{Kind: codec.Bytes}, nil, `\N`},
		{"bytes", codec.Type{Kind: codec.Bytes}, []byte{0, 255}, "AP8="},
		{"time", codec.Type{Kind: codec.Time}, time.Date(2001, 2, 3, 4, 5, 6, 7, time.UTC), "2001-02-03T04:05:06.000000007Z"},
		{"nested", codec.Type{Kind: codec.Slice, Elem: &text}, []any{"a", "b"}, `"[""a"",""b""]"`},
		{"null inside", codec.Type{Kind: codec.Any}, "null", `"""null"""`},
	} {
		if got, want := row(t, tt.typ, tt.in), "x\n"+tt.want+"\n"; got != want {
			t.Errorf("%s: %q, want %q", tt.name, got, want)
		}
	}
}
