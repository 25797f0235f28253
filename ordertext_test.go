package kivis_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/kivistest"
)

// listed is a record to be put in order.
type listed struct {
	kivis.Auto[listed]
	Name string
	Rank int `kivis:"index"`
	Tags []string
}

func TestOrderByText(t *testing.T) {
	ctx := t.Context()
	db := kivistest.New(t, &listed{})
	list := kivis.TableOf[listed](db)
	if _, err := list.InsertMany(ctx, []listed{{Name: "b", Rank: 2}, {Name: "A", Rank: 1}, {Name: "a", Rank: 2}, {Name: "C", Rank: 1}}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, text string
		want       []kivis.ID[listed]
		bad        bool
	}{
		{"nothing", "", []kivis.ID[listed]{1, 2, 3, 4}, false},
		{"a minus", "-Rank, ID", []kivis.ID[listed]{1, 3, 2, 4}, false},
		{"words", "Rank desc, ID desc", []kivis.ID[listed]{3, 1, 4, 2}, false},
		{"without case in names and words", "rank DESC,-id", []kivis.ID[listed]{3, 1, 4, 2}, false},
		{"exact", "Name", []kivis.ID[listed]{2, 4, 3, 1}, false},
		{"folded", "fold(Name), -ID", []kivis.ID[listed]{3, 2, 1, 4}, false},
		{"folded, descending", "-fold(Name)", []kivis.ID[listed]{4, 1, 2, 3}, false},
		{"the key", "key() desc", []kivis.ID[listed]{4, 3, 2, 1}, false},
		{"both", "-Rank desc", nil, true},
		{"unknown", "Rang", nil, true},
		{"no comma", "Rank Name", nil, true},
		{"an end", "Rank,", nil, true},
		{"no order", "Tags", nil, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ids := func(recs []listed, err error) (ids []kivis.ID[listed], _ error) {
				for _, r := range recs {
					ids = append(ids, r.ID)
				}
				return ids, err
			}
			got, err := ids(list.Query().OrderByText(tt.text).Collect(ctx))
			if bad := (*kivis.QueryError)(nil); !slices.Equal(got, tt.want) || errors.As(err, &bad) != tt.bad {
				t.Errorf("OrderByText(%q) = %v, %v; want %v", tt.text, got, err, tt.want)
			}
			var named []kivis.ID[listed]
			recs, err := kivis.TableNamed(db, "listed").Query().OrderBy(tt.text).Collect(ctx)
			for _, rec := range recs {
				id, _ := rec.Get("ID")
				named = append(named, kivis.ID[listed](id.(uint64)))
			}
			if !slices.Equal(named, tt.want) || (err != nil) != tt.bad {
				t.Errorf("OrderBy(%q) by name = %v, %v; want %v", tt.text, named, err, tt.want)
			}
		})
	}
}

// TestOrderByTextReplaces takes the place of an earlier order, and keeps the first
// mistake.
func TestOrderByTextReplaces(t *testing.T) {
	rank := kivis.FieldOf(func(l *listed) *int { return &l.Rank })
	q := kivis.TableOf[listed](kivistest.New(t, &listed{})).Query().OrderBy(rank.Asc()).OrderByText("Name")
	if plan, err := q.Explain(); err != nil || !plan.Sorts() {
		t.Errorf("plan = %v, %v; want a sort by Name", plan, err)
	}
	if plan, err := q.OrderByText("").Explain(); err != nil || plan.Sorts() {
		t.Errorf("plan = %v, %v; want the order of the key", plan, err)
	}
	var bad *kivis.QueryError
	if _, err := q.Limit(-1).OrderByText("?").Collect(t.Context()); !errors.As(err, &bad) || bad.Clause != "limit" {
		t.Errorf("the error is %v; want that of Limit", err)
	}
}
