package kivis_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
)

// Item is a record of the tests of pages and aggregates.
type Item struct {
	kivis.Auto[Item]
	Group string   `kivis:"index"`
	N     int      `kivis:"index"`
	Score *float64 `kivis:"index"`
	Tags  []string `kivis:"index,each"`
	Small int8
}

var (
	itemGroup = kivis.FieldOf(func(i *Item) *string { return &i.Group })
	itemN     = kivis.FieldOf(func(i *Item) *int { return &i.N })
	itemScore = kivis.FieldOf(func(i *Item) **float64 { return &i.Score })
	itemTags  = kivis.FieldOf(func(i *Item) *[]string { return &i.Tags })
	itemSmall = kivis.FieldOf(func(i *Item) *int8 { return &i.Small })
)

func seedItems(t testing.TB, db *kivis.DB, n int) kivis.Table[Item, kivis.ID[Item]] {
	t.Helper()
	items := kivis.TableOf[Item](db)
	recs := make([]Item, n)
	for i := range recs {
		recs[i] = Item{Group: string(rune('a' + i%3)), N: i * 7 % 10, Small: int8(i % 10)}
		if i%4 != 0 {
			score := float64(i) / 2
			recs[i].Score = &score
		}
		for tag := range i % 3 {
			recs[i].Tags = append(recs[i].Tags, fmt.Sprint("t", tag))
		}
	}
	must(items.InsertMany(bg, recs))(t)
	return items
}

// pageQueries are queries whose pages are compared with their records.
func pageQueries(items kivis.Table[Item, kivis.ID[Item]]) map[string]kivis.Query[Item, kivis.ID[Item]] {
	return map[string]kivis.Query[Item, kivis.ID[Item]]{
		"all":            items.Query(),
		"by N":           items.Query().OrderBy(itemN.Asc()),
		"by N down":      items.Query().OrderBy(itemN.Desc()),
		"by Score":       items.Query().OrderBy(itemScore.Asc()),
		"by group and N": items.Query().OrderBy(itemGroup.Desc(), itemN.Asc()),
		"where":          items.Where(itemGroup.Eq("b")),
		"where by N":     items.Where(itemGroup.In("a", "c"), itemN.Ge(3)).OrderBy(itemN.Desc()),
		"func":           items.Where(kivis.Func(func(i *Item) bool { return i.N%2 == 0 })).OrderBy(itemSmall.Asc()),
		"range":          items.Range(5, 17),
		"none":           items.Where(itemN.Lt(0)),
	}
}

func TestPages(t *testing.T) {
	onStores(t, []any{&Item{}}, func(t *testing.T, db *kivis.DB) {
		items := seedItems(t, db, 40)
		for name, q := range pageQueries(items) {
			for _, size := range []int{1, 2, 7, 40, 100} {
				t.Run(fmt.Sprint(name, " ", size), func(t *testing.T) { comparePages(t, q, size) })
			}
		}
	})
}

// comparePages reads a query page by page to its end and back again.
func comparePages(t *testing.T, q kivis.Query[Item, kivis.ID[Item]], size int) {
	t.Helper()
	var want []kivis.ID[Item]
	page := must(q.Page(bg, 1000, ""))(t)
	for _, r := range page.Records {
		want = append(want, r.ID)
	}
	if page.Next != "" || page.Prev != "" {
		t.Errorf("a page with everything has Next %q, Prev %q", page.Next, page.Prev)
	}
	var got []kivis.ID[Item]
	var last kivis.Page[Item]
	for cursor := ""; ; {
		last = must(q.Page(bg, size, cursor))(t)
		if (cursor == "") != (last.Prev == "") {
			t.Fatalf("Prev = %q on the page at %q", last.Prev, cursor)
		}
		for _, r := range last.Records {
			got = append(got, r.ID)
		}
		if cursor = last.Next; cursor == "" {
			break
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("forwards %v, want %v", got, want)
	}
	end := len(want) - len(last.Records)
	for last.Prev != "" {
		next := must(q.Page(bg, size, last.Prev))(t)
		for i := len(next.Records) - 1; i >= 0; i-- {
			if end--; next.Records[i].ID != want[end] {
				t.Fatalf("backwards at %d: %d, want %d", end, next.Records[i].ID, want[end])
			}
		}
		if next.Next == "" {
			t.Fatal("a page before another has no Next")
		}
		last = next
	}
	if end != 0 {
		t.Fatalf("backwards ended %d records too early", end)
	}
}

// TestPagesUnderChange inserts and deletes between pages: of the records that
// stay, none may be skipped or come twice.
func TestPagesUnderChange(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	onStores(t, []any{&Item{}}, func(t *testing.T, db *kivis.DB) {
		items := seedItems(t, db, 60)
		q := items.Query().OrderBy(itemN.Desc())
		stay := map[kivis.ID[Item]]bool{}
		for id := range kivis.ID[Item](60) {
			stay[id+1] = true
		}
		seen := map[kivis.ID[Item]]bool{}
		for cursor := ""; ; {
			page := must(q.Page(bg, 4, cursor))(t)
			for _, r := range page.Records {
				if seen[r.ID] {
					t.Fatalf("record %d came twice", r.ID)
				}
				seen[r.ID] = true
			}
			for range 3 {
				id := kivis.ID[Item](rng.IntN(60) + 1)
				if stay[id] {
					check(t, items.Delete(bg, id))
					delete(stay, id)
				}
				must(items.Insert(bg, &Item{N: rng.IntN(10)}))(t)
			}
			if cursor = page.Next; cursor == "" {
				break
			}
		}
		for id := range stay {
			if !seen[id] {
				t.Errorf("record %d stayed and was skipped", id)
			}
		}
	})
}

func TestBadCursors(t *testing.T) {
	dir := t.TempDir()
	db := openDB(t, reopenBadger(t, dir), &Item{})
	items := seedItems(t, db, 10)
	q := items.Where(itemGroup.Eq("a")).OrderBy(itemN.Asc())
	page := must(q.Page(bg, 2, ""))(t)
	text := must(json.Marshal(page))(t)
	if !strings.Contains(string(text), `"records":[`) || !strings.Contains(string(text), `"next":"`) || strings.Contains(string(text), `"prev"`) {
		t.Errorf("as JSON: %s", text)
	}
	check(t, db.Close())
	db = openDB(t, reopenBadger(t, dir), &Item{})
	items = kivis.TableOf[Item](db)
	q = items.Where(itemGroup.Eq("a")).OrderBy(itemN.Asc())
	if again := must(q.Page(bg, 1, page.Next))(t); len(again.Records) != 1 { // after a restart, another size
		t.Errorf("page = %+v", again)
	}
	rest := must(q.After(page.Next).Collect(bg))(t)
	if len(rest) != 2 {
		t.Errorf("After a cursor: %d records, want 2", len(rest))
	}
	bad := map[string]func() error{
		"garbage": func() error { _, err := q.Page(bg, 2, "garbage!"); return err },
		"cut":     func() error { _, err := q.Page(bg, 2, page.Next[:len(page.Next)-2]); return err },
		"another value": func() error {
			_, err := items.Where(itemGroup.Eq("b")).OrderBy(itemN.Asc()).Page(bg, 2, page.Next)
			return err
		},
		"another order": func() error {
			_, err := items.Where(itemGroup.Eq("a")).OrderBy(itemN.Desc()).Page(bg, 2, page.Next)
			return err
		},
		"no order":        func() error { _, err := items.Where(itemGroup.Eq("a")).Page(bg, 2, page.Next); return err },
		"after of others": func() error { _, err := items.Query().After(page.Next).Collect(bg); return err },
	}
	for i := range page.Next {
		c := byte('A')
		if page.Next[i] == c {
			c = 'B'
		}
		token := page.Next[:i] + string(c) + page.Next[i+1:]
		bad[fmt.Sprint("byte ", i)] = func() error { _, err := q.Page(bg, 2, token); return err }
	}
	for name, call := range bad {
		if err := call(); !errors.Is(err, kivis.ErrBadCursor) {
			t.Errorf("%s: error = %v, want ErrBadCursor", name, err)
		}
	}
	if all := must(q.Page(bg, math.MaxInt, page.Next))(t); len(all.Records) == 0 || all.Next != "" {
		t.Errorf("a page without bounds: %d records, next %q", len(all.Records), all.Next)
	}
	var wrong *kivis.QueryError
	for name, call := range map[string]func() error{
		"size":   func() error { _, err := q.Page(bg, 0, ""); return err },
		"limit":  func() error { _, err := q.Limit(3).Page(bg, 1, ""); return err },
		"offset": func() error { _, err := q.Offset(3).Page(bg, 1, ""); return err },
		"after":  func() error { _, err := q.After(page.Next).Page(bg, 1, ""); return err },
	} {
		if err := call(); !errors.As(err, &wrong) || wrong.Table != "Item" {
			t.Errorf("%s: error = %v, want a QueryError", name, err)
		}
	}
}
