package kivis_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/kivistest"
)

// spelled has a string with a folded index, one without, and lists of them.
type spelled struct {
	_ struct{} `kivis:"table=spelled,index=folded(Name:fold)"`
	kivis.Auto[spelled]
	Name string
	Free string
	Nick *string
	Tags []string
}

var spelledFields = struct {
	name, free kivis.Field[spelled, string]
	nick       kivis.Field[spelled, *string]
	tags       kivis.Field[spelled, []string]
}{
	kivis.FieldOf(func(s *spelled) *string { return &s.Name }), kivis.FieldOf(func(s *spelled) *string { return &s.Free }),
	kivis.FieldOf(func(s *spelled) **string { return &s.Nick }), kivis.FieldOf(func(s *spelled) *[]string { return &s.Tags }),
}

// spellings are words of which many are equal in another case.
var spellings = []string{"", "a", "A", "ab", "AB", "aB", "b", "straße", "STRASSE", "STRAßE", "ſ", "s", "S", "k", "K", "K", "é", "É", "a\x00b", "A\x00B"}

// smallest returns s with each rune as the least of its case, as an index has it.
func smallest(s string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for o := unicode.SimpleFold(r); o != r; o = unicode.SimpleFold(o) {
			least = min(least, o)
		}
		return least
	}, s)
}

func TestFold(t *testing.T) {
	f := spelledFields
	for _, s := range stores {
		t.Run(s.name, func(t *testing.T) {
			db := openDB(t, s.open(t), &spelled{})
			table := kivis.TableOf[spelled](db)
			for range 200 {
				w := spellings[rand.IntN(len(spellings))]
				must(table.Insert(bg, &spelled{Name: w, Free: w, Nick: &w, Tags: []string{"x", w}}))(t)
			}
			must(table.Insert(bg, &spelled{Name: "zz", Free: "zz"}))(t)
			all := must(table.Query().Collect(bg))(t)
			for _, v := range spellings {
				folded := smallest(v)
				for _, tt := range []struct {
					name  string
					preds []kivis.Pred[spelled]
					want  func(s spelled) bool
				}{
					{"eq", []kivis.Pred[spelled]{kivis.Fold(f.name).Eq(v), kivis.Fold(f.free).Eq(v)}, func(s spelled) bool { return strings.EqualFold(s.Name, v) }},
					{"ne", []kivis.Pred[spelled]{kivis.Fold(f.name).Ne(v), kivis.Fold(f.free).Ne(v)}, func(s spelled) bool { return !strings.EqualFold(s.Name, v) }},
					{"lt", []kivis.Pred[spelled]{kivis.Fold(f.name).Lt(v), kivis.Fold(f.free).Lt(v)}, func(s spelled) bool { return smallest(s.Name) < folded }},
					{"ge", []kivis.Pred[spelled]{kivis.Fold(f.name).Ge(v), kivis.Fold(f.free).Ge(v)}, func(s spelled) bool { return smallest(s.Name) >= folded }},
					{"in", []kivis.Pred[spelled]{kivis.Fold(f.name).In(v, "b"), kivis.Fold(f.free).In(v, "b")}, func(s spelled) bool { return strings.EqualFold(s.Name, v) || strings.EqualFold(s.Name, "b") }},
					{"range", []kivis.Pred[spelled]{kivis.Fold(f.name).Range(v, "k"), kivis.Fold(f.free).Range(v, "k")}, func(s spelled) bool { return smallest(s.Name) >= folded && smallest(s.Name) < smallest("k") }},
					{"prefix", []kivis.Pred[spelled]{kivis.Prefix(kivis.Fold(f.name), v), kivis.Prefix(kivis.Fold(f.free), v)}, func(s spelled) bool { return strings.HasPrefix(smallest(s.Name), folded) }},
					{"substring", []kivis.Pred[spelled]{kivis.SubstringFold(f.name, v), kivis.SubstringFold(f.free, v)}, func(s spelled) bool { return strings.Contains(smallest(s.Name), folded) }},
					{"deref", []kivis.Pred[spelled]{kivis.Fold(kivis.Deref(f.nick)).Eq(v)}, func(s spelled) bool { return s.Nick != nil && strings.EqualFold(*s.Nick, v) }},
					{"each", []kivis.Pred[spelled]{kivis.Fold(kivis.Each(f.tags)).Eq(v)}, func(s spelled) bool { return s.Tags != nil && strings.EqualFold(s.Tags[1], v) }},
				} {
					for _, pred := range tt.preds {
						for how, q := range map[string]kivis.Query[spelled, kivis.ID[spelled]]{"typed": table.Where(pred), "text": table.WhereText(pred.String())} {
							var got, want []kivis.ID[spelled]
							for rec, err := range q.OrderBy(table.Key().Asc()).All(bg) {
								check(t, err)
								got = append(got, rec.ID)
							}
							for _, rec := range all {
								if tt.want(rec) {
									want = append(want, rec.ID)
								}
							}
							if !slices.Equal(got, want) {
								t.Errorf("%s, %s, %s of %q: %v, want %v", pred, tt.name, how, v, got, want)
							}
						}
					}
				}
			}
			for _, q := range []kivis.Query[spelled, kivis.ID[spelled]]{table.Query().OrderBy(kivis.Fold(f.name).Asc()), table.Query().OrderByText("fold(Free)")} {
				got := must(q.Collect(bg))(t)
				if !slices.IsSortedFunc(got, func(a, b spelled) int { return strings.Compare(smallest(a.Name), smallest(b.Name)) }) {
					t.Errorf("not in order without regard to case")
				}
			}
			if plan := must(table.Where(kivis.Fold(f.name).Range("a", "c")).OrderBy(kivis.Fold(f.name).Desc()).Explain())(t); plan.Sorts() || !strings.Contains(plan.String(), "spelled.folded") {
				t.Errorf("the index does not serve: %v", plan)
			}
			if got := kivis.Fold(f.name).Get(&spelled{Name: "aB"}); got != "aB" {
				t.Errorf("Get = %q", got)
			}
		})
	}
}

// TestFoldedValues gives what is read through the view folded.
func TestFoldedValues(t *testing.T) {
	table := kivis.TableOf[spelled](kivistest.New(t, &spelled{}))
	for _, w := range []string{"b", "A", "a", "B", "c"} {
		must(table.Insert(bg, &spelled{Name: w}))(t)
	}
	var got []string
	for v, err := range kivis.Distinct(bg, table.Query(), kivis.Fold(spelledFields.name)) {
		check(t, err)
		got = append(got, v)
	}
	if want := []string{"A", "B", "C"}; !slices.Equal(got, want) {
		t.Errorf("Distinct = %q, want %q", got, want)
	}
	if n, err := kivis.GroupCount(bg, table.Query(), kivis.Fold(spelledFields.name)); err != nil || n["A"] != 2 || n["C"] != 1 || len(n) != 3 {
		t.Errorf("GroupCount = %v, %v", n, err)
	}
}
