package cookbook

import (
	"context"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/kivistest"
)

// Note is found by the words of its text.
type Note struct {
	kivis.Auto[Note]
	Text  string
	Words []string `kivis:"index,each"`
}

// Validate keeps the words with the text.
func (n *Note) Validate() error {
	n.Words = words(n.Text)
	return nil
}

// words returns the words of a text, each once, in lower case.
func words(text string) []string {
	list := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	slices.Sort(list)
	return slices.Compact(list)
}

var noteWords = kivis.Each(kivis.FieldOf(func(n *Note) *[]string { return &n.Words }))

// search finds the notes that have all of the words, or begin like them.
func search(ctx context.Context, db *kivis.DB, text string) ([]Note, error) {
	q := kivis.TableOf[Note](db).Query()
	for _, word := range words(text) {
		q = q.Where(kivis.Prefix(noteWords, word))
	}
	return q.Limit(50).Collect(ctx)
}

func TestWords(t *testing.T) {
	db := kivistest.New(t, &Note{})
	for _, text := range []string{"Call Ann about the boat", "The boat is sold", "Paint, for boats"} {
		if _, err := kivis.TableOf[Note](db).Insert(t.Context(), &Note{Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	for text, want := range map[string]int{"boat": 3, "The BOAT": 2, "boat, ann": 1, "car": 0} {
		if found, err := search(t.Context(), db, text); len(found) != want || err != nil {
			t.Errorf("search(%q) finds %d, %v, want %d", text, len(found), err, want)
		}
	}
}
