package kivis_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/kivistest"
)

// alias has strings with no other index than a folded one: alone, with what is
// behind it, unique, of a pointer, of elements.
type alias struct {
	_ struct{} `kivis:"table=aliases,index=named(Name:fold,Rank),unique=login(Realm,Login:fold)"`
	kivis.Auto[alias]
	Name  string
	Rank  int `kivis:"index"`
	Realm int
	Login string
	Nick  *string  `kivis:"index,fold"`
	Tags  []string `kivis:"index,each,fold"`
}

var (
	aliases    = kivis.TableOf[alias](nil)
	aliasName  = kivis.FieldOf(func(a *alias) *string { return &a.Name })
	aliasRank  = kivis.FieldOf(func(a *alias) *int { return &a.Rank })
	aliasRealm = kivis.FieldOf(func(a *alias) *int { return &a.Realm })
	aliasLogin = kivis.FieldOf(func(a *alias) *string { return &a.Login })
	aliasNick  = kivis.FieldOf(func(a *alias) **string { return &a.Nick })
	aliasTags  = kivis.FieldOf(func(a *alias) *[]string { return &a.Tags })
)

// looseWords are words that differ in case, in ways of their own, and by pieces of
// runes.
var looseWords = []string{
	"", "a", "A", "ab", "AB", "aB", "abc", "ABD", "i", "I", "İ", "ı", "ß", "ẞ", "SS", "ss", "k", "K", "\u212A", "\u212Aa", "ſ", "s",
	"é", "É", "\xC3", "\xE9", "\xFF", "\uFFFD", "a\xC3", "aé", "aÉ", "a\x00", "A\x00b", "σ", "ς", "Σ",
}

// loosely is a predicate on an exact field, and what it says by itself.
type loosely struct {
	pred kivis.Pred[alias]
	ok   func(a alias) bool
}

// randomLoosely draws a predicate, which a folded index bounds.
func randomLoosely(r *rand.Rand) loosely {
	word := func() string { return looseWords[r.IntN(len(looseWords))] }
	v, w, rank := word(), word(), r.IntN(4)
	head := v[:len(v)-r.IntN(min(len(v), 2)+1)]
	eq := loosely{aliasName.Eq(v), func(a alias) bool { return a.Name == v }}
	switch r.IntN(9) {
	case 0:
		return loosely{aliasName.In(v, w), func(a alias) bool { return a.Name == v || a.Name == w }}
	case 1:
		return loosely{kivis.Prefix(aliasName, head), func(a alias) bool { return strings.HasPrefix(a.Name, head) }}
	case 2:
		return loosely{kivis.And(eq.pred, aliasRank.Ge(rank)), func(a alias) bool { return eq.ok(a) && a.Rank >= rank }}
	case 3:
		return loosely{kivis.And(aliasRealm.Eq(rank), aliasLogin.Eq(v)), func(a alias) bool { return a.Realm == rank && a.Login == v }}
	case 4:
		return loosely{kivis.Prefix(kivis.Deref(aliasNick), head), func(a alias) bool { return a.Nick != nil && strings.HasPrefix(*a.Nick, head) }}
	case 5:
		return loosely{kivis.Each(aliasTags).Eq(v), func(a alias) bool { return slices.Contains(a.Tags, v) }}
	case 6:
		return loosely{kivis.Prefix(kivis.Each(aliasTags), head), func(a alias) bool {
			return slices.ContainsFunc(a.Tags, func(s string) bool { return strings.HasPrefix(s, head) })
		}}
	case 7:
		return loosely{kivis.Or(eq.pred, kivis.Prefix(kivis.Deref(aliasNick), head)), func(a alias) bool {
			return eq.ok(a) || a.Nick != nil && strings.HasPrefix(*a.Nick, head)
		}}
	}
	return eq
}

// fillAliases inserts n records at random.
func fillAliases(t *testing.T, table kivis.Table[alias, kivis.ID[alias]], r *rand.Rand, n int) {
	t.Helper()
	word := func() string { return looseWords[r.IntN(len(looseWords))] }
	for i := range n {
		a := alias{Name: word(), Rank: r.IntN(4), Realm: i, Login: word(), Tags: []string{word(), word()}[:r.IntN(3)]}
		if a.Realm = r.IntN(4); len(must(table.Where(aliasRealm.Eq(a.Realm), kivis.EqualFold(aliasLogin, a.Login)).Collect(bg))(t)) > 0 {
			a.Realm = 10 + i
		}
		if r.IntN(4) > 0 {
			w := word()
			a.Nick = &w
		}
		must(table.Insert(bg, &a))(t)
	}
}

// aliasIDs returns the keys of records.
func aliasIDs(list []alias) (ids []kivis.ID[alias]) {
	for _, a := range list {
		ids = append(ids, a.ID)
	}
	return ids
}

// TestFoldedServesExact compares what is asked of exact fields that have a folded
// index alone with a naive filter, by every call that there is.
func TestFoldedServesExact(t *testing.T) {
	for _, s := range stores {
		t.Run(s.name, func(t *testing.T) {
			seed := rand.Uint64()
			r := rand.New(rand.NewPCG(seed, 0))
			db := openDB(t, s.open(t), &alias{})
			table := aliases.With(db)
			fillAliases(t, table, r, 300)
			for range 60 {
				checkLoosely(t, db, table, r)
			}
			if t.Failed() {
				t.Logf("seed %d", seed)
			}
		})
	}
}

// checkLoosely asks for one predicate in all ways.
func checkLoosely(t *testing.T, db *kivis.DB, table kivis.Table[alias, kivis.ID[alias]], r *rand.Rand) {
	t.Helper()
	p := randomLoosely(r)
	var want []kivis.ID[alias]
	sum, groups := 0, map[int]int{}
	for _, a := range must(table.Query().Collect(bg))(t) {
		if p.ok(a) {
			want = append(want, a.ID)
			sum += a.Rank
			groups[a.Rank]++
		}
	}
	q := table.Where(p.pred)
	plan := must(q.Explain())(t)
	same := func(how string, got []kivis.ID[alias]) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s, %s: %v, want %v\n%v", p.pred, how, got, want, plan)
		}
	}
	byKey := table.Key().Asc()
	same("typed", aliasIDs(must(q.OrderBy(byKey).Collect(bg))(t)))
	same("text", aliasIDs(must(table.WhereText(p.pred.String()).OrderBy(byKey).Collect(bg))(t)))
	same("by name", namedIDs(t, kivis.TableNamed(db, "aliases").Where(p.pred.String()).OrderBy("ID")))
	if strings.Contains(plan.String(), "aliases.named") {
		same("using", aliasIDs(must(q.Using("named").OrderBy(byKey).Collect(bg))(t)))
	}
	if n := must(q.Count(bg))(t); n != len(want) {
		t.Errorf("%s: Count = %d, want %d\n%v", p.pred, n, len(want), plan)
	}
	if got, err := kivis.Sum(bg, q, aliasRank); err != nil || got != sum {
		t.Errorf("%s: Sum = %d, %v; want %d", p.pred, got, err, sum)
	}
	if got, err := kivis.GroupCount(bg, q, aliasRank); err != nil || !maps.Equal(got, groups) {
		t.Errorf("%s: GroupCount = %v, %v; want %v", p.pred, got, err, groups)
	}
	checkLooseWrites(t, db, p, want)
}

// namedIDs returns the keys of what a query by name finds.
func namedIDs(t *testing.T, q kivis.NamedQuery) (ids []kivis.ID[alias]) {
	t.Helper()
	for rec, err := range q.All(bg) {
		check(t, err)
		id := must(kivis.ParseID[alias](rec.Key().String()))(t)
		ids = append(ids, id)
	}
	return ids
}

// checkLooseWrites changes and deletes what a predicate finds, in a transaction that
// is then undone.
func checkLooseWrites(t *testing.T, db *kivis.DB, p loosely, want []kivis.ID[alias]) {
	t.Helper()
	tx := must(db.Begin(bg, true))(t)
	defer tx.Discard()
	q := aliases.With(tx).Where(p.pred)
	var got []kivis.ID[alias]
	n, err := q.Modify(bg, func(a *alias) error { got = append(got, a.ID); a.Rank += 100; return nil })
	slices.Sort(got)
	if err != nil || n != len(want) || !slices.Equal(got, want) {
		t.Errorf("%s: Modify = %d, %v, of %v; want %v", p.pred, n, err, got, want)
	}
	if n := must(aliases.With(tx).Where(aliasRank.Ge(100)).Count(bg))(t); n != len(want) {
		t.Errorf("%s: %d records are changed, want %d", p.pred, n, len(want))
	}
	tx.Discard()
	tx = must(db.Begin(bg, true))(t)
	defer tx.Discard()
	before := must(aliases.With(tx).Count(bg))(t)
	if n, err := aliases.With(tx).Where(p.pred).Delete(bg); err != nil || n != len(want) {
		t.Errorf("%s: Delete = %d, %v; want %d", p.pred, n, err, len(want))
	}
	if n := must(aliases.With(tx).Count(bg))(t); n != before-len(want) {
		t.Errorf("%s: %d records are left of %d, want %d fewer", p.pred, n, before, len(want))
	}
}

// TestFoldedReadsLittle: what is asked of the exact field reads the folded range, and
// is no full scan.
func TestFoldedReadsLittle(t *testing.T) {
	db := kivistest.Open(t, &kivis.Options{RefuseScans: true}, &alias{})
	table := aliases.With(db)
	for i := range 500 {
		name := fmt.Sprintf("Name %03d", i)
		must(table.Insert(bg, &alias{Name: name, Realm: i, Login: name, Nick: &name, Tags: []string{name}}))(t)
	}
	must(table.Insert(bg, &alias{Name: "NAME 007", Realm: 1000}))(t)
	for _, c := range []struct {
		pred       kivis.Pred[alias]
		rows, read int
	}{
		{aliasName.Eq("Name 007"), 1, 4},
		{aliasName.Eq("name 007"), 0, 4},
		{aliasName.In("Name 007", "Name 008"), 2, 6},
		{kivis.Prefix(aliasName, "Name 00"), 10, 22},
		{kivis.Prefix(aliasName, "Name 00\xC3"), 0, 22},
		{kivis.And(aliasRealm.Eq(7), aliasLogin.Eq("Name 007")), 1, 2},
		{kivis.Prefix(kivis.Deref(aliasNick), "Name 00"), 10, 20},
		{kivis.Each(aliasTags).Eq("Name 007"), 1, 2},
		{aliasName.Range("Name 007", "Name 009"), 2, 22},
	} {
		plan := must(table.Where(c.pred).Analyze(bg))(t)
		a, _ := plan.Analysis()
		if plan.FullScan() || a.Rows != c.rows || a.Entries+a.Records > c.read || !strings.Contains(plan.String(), "fold(") {
			t.Errorf("%s finds %d, want %d, and reads %d, want at most %d:\n%v", c.pred, a.Rows, c.rows, a.Entries+a.Records, c.read, plan)
		}
	}
}
