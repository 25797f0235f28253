package files

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

// TestJSON reads arrays and lines, and takes no array for whole that is not.
func TestJSON(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     []string // records; the last is the error, if there is one
	}{
		{"lines", "{\"a\":1}\n\n{\"a\":2}", []string{`{"a":1}`, `{"a":2}`}},
		{"array", " [{\"a\":1},\n{\"a\":2}] \n", []string{`{"a":1}`, `{"a":2}`}},
		{"mark of the encoding", "\ufeff[{}]", []string{`{}`}},
		{"nothing in it", "[ ]", nil},
		{"cut in a record", `[{"a":1},{"a"`, []string{`{"a":1}`, "record 2, behind byte 9: unexpected EOF"}},
		{"cut behind a comma", `[{"a":1},`, []string{`{"a":1}`, "behind record 1: the file ends before the array does"}},
		{"cut behind a record", `[{"a":1}`, []string{`{"a":1}`, "behind record 1: the file ends before the array does"}},
		{"cut at once", `[`, []string{"behind record 0: the file ends before the array does"}},
		{"another array", `[{}] [{}]`, []string{`{}`, "behind record 1: something follows the array"}},
		{"a word", `[{}] x`, []string{`{}`, "behind record 1: something follows the array"}},
		{"objects of several lines", "{\n \"a\": 1\n}\n{\n \"a\": 2\n}\n", []string{"{\n \"a\": 1\n}", "{\n \"a\": 2\n}"}},
		{"the second is cut", "{\n \"a\": 1\n}\n{\n \"a\":", []string{"{\n \"a\": 1\n}", "record 2, behind byte 11: unexpected EOF"}},
		{"a mistake in the first line", "{a\n{}\n", []string{"{a", "{}"}},
		{"the second has several lines", "{}\n{\n}", []string{"{}", "{", "}"}},
		{"a brace", `[{}}`, []string{`{}`, "behind record 1: invalid character '}' after array element"}},
	} {
		r := newJSONReader(strings.NewReader(tt.in), false)
		var got []string
		for {
			item, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				got = append(got, err.Error())
				break
			}
			got = append(got, string(item.JSON))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
