package kivis_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/kivistest"
)

// member refers to a group, perhaps to another member, and to any number of words.
type member struct {
	kivis.Auto[member]
	Group string `kivis:"index"`
	Boss  *kivis.ID[member]
	Words []string
}

func TestLoadMany(t *testing.T) {
	one, two := kivis.ID[member](1), kivis.ID[member](2)
	group := kivis.FieldOf(func(m *member) *string { return &m.Group })
	boss := kivis.FieldOf(func(m *member) **kivis.ID[member] { return &m.Boss })
	words := kivis.FieldOf(func(m *member) *[]string { return &m.Words })
	db := kivistest.New(t, &member{})
	table := kivis.TableOf[member](db)
	must(table.InsertMany(bg, []member{{Group: "a", Words: []string{"x", "y", "x"}}, {Group: "b", Boss: &one}, {Group: "a", Boss: &one, Words: []string{"y"}}, {Group: "c", Boss: &two}}))(t)
	desc := table.Query().OrderBy(table.Key().Desc())

	groups, err := kivis.LoadMany(bg, desc, group)
	wantGroups(t, groups, err, map[string][]kivis.ID[member]{"a": {3, 1}, "b": {2}, "c": {4}})
	groups, err = kivis.LoadMany(bg, table.Where(group.In("a", "c")), group)
	wantGroups(t, groups, err, map[string][]kivis.ID[member]{"a": {1, 3}, "c": {4}})
	groups, err = kivis.LoadMany(bg, table.Where(group.Eq("z")), group)
	wantGroups(t, groups, err, map[string][]kivis.ID[member]{})
	groups, err = kivis.LoadMany(bg, table.Query(), kivis.Each(words))
	wantGroups(t, groups, err, map[string][]kivis.ID[member]{"x": {1}, "y": {1, 3}})
	bosses, err := kivis.LoadMany(bg, table.Query().OrderBy(table.Key().Asc()).Limit(2), kivis.Deref(boss))
	wantGroups(t, bosses, err, map[kivis.ID[member]][]kivis.ID[member]{1: {2, 3}})

	_, err = kivis.LoadMany(bg, table.Query(), boss)
	wantText(t, err, "use Deref")
	_, err = kivis.LoadMany(bg, table.Query(), kivis.Field[member, string]{})
	wantText(t, err, "a zero Field is no field")
	_, err = kivis.LoadMany(bg, table.Query().Limit(-1), group)
	wantText(t, err, "Limit(-1) is negative")
}

// wantGroups compares the ids of records in groups.
func wantGroups[V comparable](t *testing.T, got map[V][]member, err error, want map[V][]kivis.ID[member]) {
	t.Helper()
	ids := map[V][]kivis.ID[member]{}
	for v, list := range got {
		for _, m := range list {
			ids[v] = append(ids[v], m.ID)
		}
	}
	if err != nil || !maps.EqualFunc(ids, want, slices.Equal) {
		t.Errorf("LoadMany = %v, %v; want %v", ids, err, want)
	}
}
