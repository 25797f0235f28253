package migrate_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store/memstore"
)

// Two versions of a record with a generated key.
type (
	page1 struct {
		_ struct{} `kivis:"table=pages"`
		kivis.Auto[page1]
		Size string
	}
	page2 struct {
		_ struct{} `kivis:"table=pages"`
		kivis.Auto[page2]
		Size int `kivis:"index"`
	}
)

// TestMigrationKeepsKeys: a record whose generated key the function leaves zero
// keeps the one that it has.
func TestMigrationKeepsKeys(t *testing.T) {
	ctx := context.Background()
	st := memstore.New()
	defer st.Close()
	db, err := kivis.Open(kept{st}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Register(&page1{}); err != nil {
		t.Fatal(err)
	}
	for i := range 300 {
		if _, err := kivis.TableOf[page1](db).Insert(ctx, &page1{Size: strings.Repeat("x", i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if db, err = kivis.Open(kept{st}, nil); err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	fails := kivis.Migrate(func(page1) (page2, error) { return page2{}, errors.New("not today") })
	var change *kivis.SchemaChangeError
	if err := db.Register(&page2{}, fails); !errors.As(err, &change) || len(change.Changes) != 300 {
		t.Errorf("a function that always fails: %.200v, want all 300 records named", err)
	} else if lines := strings.Count(err.Error(), "\n"); lines > 25 || !strings.Contains(err.Error(), "280 more") {
		t.Errorf("the text has %d lines: %s", lines, err)
	}
	measure := kivis.Migrate(func(p page1) (page2, error) { return page2{Size: len(p.Size)}, nil })
	if err := db.Register(&page2{}, measure); err != nil {
		t.Fatal(err)
	}
	pages := kivis.TableOf[page2](db)
	for i := range 300 {
		p, err := pages.Get(ctx, kivis.ID[page2](i+1))
		if want := fmt.Sprint(i); err != nil || fmt.Sprint(p.Size) != want || p.ID != kivis.ID[page2](i+1) {
			t.Fatalf("record %d is %+v, %v", i+1, p, err)
		}
	}
	if report, err := db.Check(ctx, nil); err != nil || len(report.Faults) > 0 {
		t.Errorf("Check: %v, %v", report, err)
	}
}
