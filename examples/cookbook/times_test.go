package cookbook

import (
	"testing"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/kivistest"
)

// Times is when a record was made and last written. Embed it.
type Times struct {
	Created, Updated time.Time
}

// Stamp is called by the Validate of what Times is embedded in.
func (t *Times) Stamp() {
	t.Updated = time.Now().UTC()
	if t.Created.IsZero() {
		t.Created = t.Updated
	}
}

type Article struct {
	kivis.Auto[Article]
	Times
	Title string
}

// Validate runs before each write, and may set fields.
func (a *Article) Validate() error {
	a.Stamp()
	return nil
}

func TestTimes(t *testing.T) {
	db := kivistest.New(t, &Article{})
	articles := kivis.TableOf[Article](db)
	id, err := articles.Insert(t.Context(), &Article{Title: "First"})
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Millisecond)
	a, err := articles.Modify(t.Context(), id, func(a *Article) error { a.Title = "Changed"; return nil })
	if err != nil || a.Created.IsZero() || !a.Updated.After(a.Created) {
		t.Errorf("times are %v, %v", a.Times, err)
	}
}
