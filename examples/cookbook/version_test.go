package cookbook

import (
	"context"
	"errors"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/kivistest"
)

// Document has a version, which a form carries along while somebody edits it.
type Document struct {
	kivis.Auto[Document]
	Version int
	Text    string
}

var errStale = errors.New("somebody else has changed it meanwhile")

// save writes a document, if it is still the version that was read.
func save(ctx context.Context, db *kivis.DB, d Document) (Document, error) {
	return kivis.TableOf[Document](db).Modify(ctx, d.ID, func(stored *Document) error {
		if stored.Version != d.Version {
			return errStale
		}
		d.Version++
		*stored = d
		return nil
	})
}

func TestVersion(t *testing.T) {
	db := kivistest.New(t, &Document{})
	first := Document{Text: "draft"}
	if _, err := kivis.TableOf[Document](db).Insert(t.Context(), &first); err != nil {
		t.Fatal(err)
	}
	second := first
	first.Text, second.Text = "mine", "yours"
	if _, err := save(t.Context(), db, first); err != nil {
		t.Fatal(err)
	}
	if _, err := save(t.Context(), db, second); !errors.Is(err, errStale) {
		t.Errorf("the second of two who read the same: %v, want %v", err, errStale)
	}
}
