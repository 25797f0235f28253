package rows

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/mattn/go-runewidth"

	"github.com/kivisdb/kivis/codec"
)

var text = codec.Type{Kind: codec.String}

// write writes rows of texts.
func write(t *testing.T, f Format, o Options, names []string, rows ...[]string) string {
	t.Helper()
	l := &codec.Layout{}
	for _, n := range names {
		l.Fields = append(l.Fields, codec.Field{Name: n, Type: text})
	}
	s := Of(l)
	var b bytes.Buffer
	w, err := NewWriter(&b, f, s, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		values := make([]any, len(r))
		for i := range r {
			values[i] = r[i]
		}
		row, err := s.Values(values...)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Row(row); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestBoxFits draws random rows for terminals of every width: all lines are
// equally wide, and none is wider than the terminal.
func TestBoxFits(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	words := []string{"", "a", "word", "日本語", "e\u0301", "tab\t", "a long text that goes on and on", "😀😀"}
	for width := 20; width < 140; width++ {
		names := make([]string, 1+r.IntN(12))
		var rows [][]string
		for i := range names {
			names[i] = words[1+r.IntN(6)]
		}
		for range r.IntN(5) {
			row := make([]string, len(names))
			for i := range row {
				row[i] = words[r.IntN(len(words))] + words[r.IntN(len(words))]
			}
			rows = append(rows, row)
		}
		lines := strings.Split(strings.TrimSuffix(write(t, Box, Options{Width: width}, names, rows...), "\n"), "\n")
		wide := runewidth.StringWidth(lines[0])
		for _, l := range lines {
			if got := runewidth.StringWidth(l); got > width || got != wide {
				t.Fatalf("seed %d: width %d of %d columns: line of %d in a box of %d:\n%s", seed, width, len(names), got, wide, strings.Join(lines, "\n"))
			}
		}
	}
}

// TestBoxLater draws rows that come after the widths are decided.
func TestBoxLater(t *testing.T) {
	var rows [][]string
	for range boxRows {
		rows = append(rows, []string{"abc"})
	}
	got := write(t, Box, Options{}, []string{"name"}, append(rows, []string{"much longer"})...)
	if want := "│ much … │\n"; !strings.Contains(got, want) || strings.Count(got, "│ abc    │\n") != boxRows {
		t.Errorf("the last rows are %q, want one of %q and %d before it", got[len(got)-100:], want, boxRows)
	}
}

// TestTerminal writes to a terminal in pieces of each size.
func TestTerminal(t *testing.T) {
	const in = "a\x1b[2J\u009b\x7f\r\n\té😀\u202e\xff\xe6\x97x\u2028日\x00"
	const want = `a\u001b[2J\u009b\u007f\r` + "\n\té😀" + `\u202e\xff\xe6\x97x\u2028日\u0000`
	for size := 1; size <= len(in); size++ {
		var b bytes.Buffer
		w := NewTerminal(&b)
		for from := 0; from < len(in); from += size {
			p := []byte(in[from:min(len(in), from+size)])
			if n, err := w.Write(p); n != len(p) || err != nil {
				t.Fatalf("Write = %d, %v, want %d", n, err, len(p))
			}
		}
		if got := b.String(); got != want {
			t.Errorf("in pieces of %d: %q, want %q", size, got, want)
		}
	}
}

// TestTypeText has types in the words of a program; one that has itself inside
// comes to an end.
func TestTypeText(t *testing.T) {
	l := &codec.Layout{Structs: [][]codec.Field{{
		{Name: "Name", Type: text},
		{Name: "Next", Type: codec.Type{Kind: codec.Pointer, Elem: &codec.Type{Kind: codec.Struct}}},
	}}}
	typ := &codec.Type{Kind: codec.Slice, Elem: &codec.Type{Kind: codec.Struct}}
	const want = "[]struct{Name string; Next *struct{Name string; Next *struct{…}}}"
	if got := TypeText(typ, l); got != want {
		t.Errorf("TypeText = %s, want %s", got, want)
	}
}

func ExampleEscape() {
	fmt.Println(Escape("a\nb\x1b[31m"))
	// Output: a\nb\u001b[31m
}
