package cookbook

import (
	"context"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/kivistest"
)

// Change is a line of the audit: who did what, and how the record was before.
type Change struct {
	kivis.Auto[Change]
	At       time.Time          `kivis:"index"`
	Who      string             `kivis:"index"`
	Document kivis.ID[Document] `kivis:"index"`
	Before   Document
	After    Document
}

// edit changes a document and says so in the audit, both or neither.
func edit(ctx context.Context, db *kivis.DB, who string, id kivis.ID[Document], fn func(*Document) error) error {
	return db.Update(ctx, func(ctx context.Context, tx *kivis.Tx) error {
		docs := kivis.TableOf[Document](tx)
		before, err := docs.Get(ctx, id)
		if err != nil {
			return err
		}
		after, err := docs.Modify(ctx, id, fn)
		if err != nil || after == before {
			return err
		}
		_, err = kivis.TableOf[Change](tx).Insert(ctx, &Change{At: time.Now().UTC(), Who: who, Document: id, Before: before, After: after})
		return err
	})
}

func TestAudit(t *testing.T) {
	ctx := t.Context()
	db := kivistest.New(t, &Document{}, &Change{})
	id, err := kivis.TableOf[Document](db).Insert(ctx, &Document{Text: "one"})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time nothing changes, which is no line
		if err := edit(ctx, db, "ann", id, func(d *Document) error { d.Text = "two"; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	lines, err := kivis.TableOf[Change](db).WhereText("Who = 'ann' and Document = 1").Collect(ctx)
	if err != nil || len(lines) != 1 || lines[0].Before.Text != "one" || lines[0].After.Text != "two" {
		t.Errorf("the audit has %+v, %v", lines, err)
	}
}
