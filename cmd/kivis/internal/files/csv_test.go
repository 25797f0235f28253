package files

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

// TestCSVScanner reads lines as they are, and goes on behind those that are none.
func TestCSVScanner(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     []string // records, cells with | between; "!" is an error
	}{
		{"plain", "a,b\nc,d\n", []string{"a|b", "c|d"}},
		{"no newline at the end", "a,b\nc,d", []string{"a|b", "c|d"}},
		{"carriage returns", "a,b\r\nc,d\r\n", []string{"a|b", "c|d"}},
		{"mark of the encoding", "\ufeffa,b\n", []string{"a|b"}},
		{"empty cells", ",\n\n\"\"\n", []string{"|", "", ""}},
		{"quotes", "\"a,b\",\"c\"\"d\"\n", []string{`a,b|c"d`}},
		{"newlines inside", "\"a\r\nb\n\",c\n", []string{"a\r\nb\n|c"}},
		{"carriage return inside", "a\rb\n", []string{"a\rb"}},
		{"spaces", " a , b \n", []string{" a | b "}},
		{"quote in the middle", "a\"b\"c\nd\n", []string{"!", "d"}},
		{"behind a quote", "\"a\"b\nd\n", []string{"!", "d"}},
		{"no end", "a\n\"b\nc\n", []string{"a", "!"}},
		{"nothing", "", nil},
	} {
		s := newCSVScanner(strings.NewReader(tt.in), ',')
		var got []string
		for {
			err := s.next()
			if errors.Is(err, io.EOF) {
				break
			}
			var bad *cellError
			if errors.As(err, &bad) {
				got = append(got, "!")
				continue
			}
			if err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
			var cells []string
			for _, c := range s.cells {
				cells = append(cells, string(c))
			}
			got = append(got, strings.Join(cells, "|"))
		}
		if !slices.Equal(got, tt.want) || s.end != int64(len(tt.in)) {
			t.Errorf("%s: %q up to byte %d, want %q up to %d", tt.name, got, s.end, tt.want, len(tt.in))
		}
	}
}
