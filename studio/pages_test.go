package studio_test

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/studio"
)

// decode returns what a page is as JSON.
func decode[T any](c *client, path string) (v T) {
	c.t.Helper()
	check(c.t, json.Unmarshal([]byte(c.page(path, http.StatusOK)), &v))
	return v
}

// recordsJSON is the page of a table's records.
type recordsJSON struct {
	Version    string
	Keys       []string
	Records    []map[string]any
	Next, Prev string
	Count      struct{ N int }
	Plan       string
	Facets     []struct {
		Field  string
		Values []struct {
			Value, URL string
			Count      int
		}
	}
}

// TestTables: the first page lists the tables with counts.
func TestTables(t *testing.T) {
	c := open(t, library(t), nil)
	list := decode[struct {
		Tables []struct {
			Table      string
			Records    struct{ N int }
			References []string
		}
	}](c, "/index.json").Tables
	counts := map[string]int{}
	for _, tb := range list {
		counts[tb.Table] = tb.Records.N
	}
	if counts["books"] != 120 || counts["Author"] != 3 || len(list) != 6 {
		t.Errorf("the tables are %v", list)
	}
	if text := c.page("/", http.StatusOK); !strings.Contains(text, `href="/t/books"`) || !strings.Contains(text, ">120<") {
		t.Errorf("the first page is %s", text)
	}
}

// TestPaging: pages lead to each record once, forwards and back, by the links of
// the page and of the header.
func TestPaging(t *testing.T) {
	c := open(t, library(t), &studio.Options{PageSize: 50})
	var titles []string
	path := "/t/books.json?order=-Title"
	for path != "" {
		p := decode[recordsJSON](c, path)
		for _, rec := range p.Records {
			titles = append(titles, rec["Title"].(string))
		}
		if path = ""; p.Next != "" {
			path = "/t/books.json?order=-Title&after=" + url.QueryEscape(p.Next)
		}
	}
	if len(titles) != 120 || !slices.IsSortedFunc(titles, func(a, b string) int { return strings.Compare(b, a) }) {
		t.Errorf("%d titles: %v", len(titles), titles)
	}
	link := regexp.MustCompile(`<(.*)>; rel="next"`).FindStringSubmatch(c.get("/t/books?order=Title").Header().Get("Link"))
	if link == nil {
		t.Fatal("no link to the next page")
	}
	second := c.page(link[1], http.StatusOK)
	if !strings.Contains(second, "Book 050") || !strings.Contains(second, `rel="prev"`) || !strings.Contains(second, `rel="next"`) {
		t.Errorf("the second page is %s", second)
	}
}

// TestHeads: the head of a column orders by it, unless its values have no order.
func TestHeads(t *testing.T) {
	type Box struct {
		kivis.Auto[Box]
		Name  string
		Tags  []string
		Sizes map[string]int
		Thing any
		At    struct{ Shelf, Place int }
	}
	db := library(t)
	check(t, db.Register(&Box{}))
	_, err := kivis.TableOf[Box](db).Insert(t.Context(), &Box{})
	check(t, err)
	c := open(t, db, nil)
	text := c.page("/t/Box", http.StatusOK)
	var ordered []string
	for _, m := range regexp.MustCompile(`<th[^>]*><a href="(/t/Box\?order=([^"]*))">`).FindAllStringSubmatch(text, -1) {
		ordered = append(ordered, m[2])
		c.page(m[1], http.StatusOK)
	}
	if want := []string{"ID", "Name", "At"}; !slices.Equal(ordered, want) {
		t.Errorf("heads that order: %q, want %q", ordered, want)
	}
	if !strings.Contains(text, "Tags") {
		t.Errorf("no column Tags in %s", text)
	}
}

// TestFilter: a filter finds what the query does, with its plan, its count and
// facets that lead on; a mistake is 400 and points to the place.
func TestFilter(t *testing.T) {
	c := open(t, library(t), nil)
	p := decode[recordsJSON](c, "/t/books.json?where="+url.QueryEscape("Genre = 'novel' and Pages >= 150"))
	if p.Count.N != 23 || !strings.Contains(p.Plan, "Genre") {
		t.Errorf("found %d by %s", p.Count.N, p.Plan)
	}
	for _, f := range p.Facets {
		for _, v := range f.Values {
			inner, err := url.Parse(v.URL)
			check(t, err)
			if got := decode[recordsJSON](c, inner.Path+".json?"+inner.RawQuery).Count.N; got != v.Count {
				t.Errorf("%s = %s leads to %d records, and says %d", f.Field, v.Value, got, v.Count)
			}
		}
	}
	if len(p.Facets) < 3 {
		t.Errorf("facets %v", p.Facets)
	}
	for _, at := range []struct{ name, path, want string }{
		{"unknown field", "/t/books?where=" + url.QueryEscape("Genre = 'x' and Titel = 'a'"), "<mark>Titel"},
		{"no predicate", "/t/books?where=Genre", `role="alert"`},
		{"unknown order", "/t/books?order=-Titel", `role="alert"`},
		{"bad cursor", "/t/books?after=zzz", "cursor"},
		{"as JSON", "/t/books.json?where=Genre", `"error"`},
		{"key", "/t/books/abc", "key"},
	} {
		if text := c.page(at.path, http.StatusBadRequest); !strings.Contains(text, at.want) {
			t.Errorf("%s: no %q in %s", at.name, at.want, text)
		}
	}
	for _, path := range []string{"/t/bokks", "/t/books/9999", "/x", "/t/bokks.csv", "/t/books/1/2"} {
		c.page(path, http.StatusNotFound)
	}
}

// TestReferences: a record leads to what it refers to and to what refers to it.
func TestReferences(t *testing.T) {
	c := open(t, library(t), nil)
	book := decode[struct {
		References []struct{ Field, Table, Key, URL string }
	}](c, "/t/books/1.json")
	photo := decode[struct {
		References []struct{ Field, Table, Key, URL string }
	}](c, "/t/Photo/1.json")
	if len(photo.References) != 1 || photo.References[0].Key != `("main", "row 7")` {
		t.Fatalf("photo 1 refers to %v", photo.References)
	}
	if text := c.page(photo.References[0].URL, http.StatusOK); !strings.Contains(text, `href="/t/Photo?where=`) || !strings.Contains(text, "<b>1</b>") {
		t.Errorf("the shelf does not lead back: %s", text)
	}
	if len(book.References) != 2 || book.References[0].URL != "/t/Author/1" || book.References[1].Key != "2" {
		t.Errorf("book 1 refers to %v", book.References)
	}
	author := decode[struct {
		Referrers []struct {
			Table, Field, Where, URL string
			Records                  struct{ N int }
		}
	}](c, "/t/Author/2.json")
	got := map[string]int{}
	for _, r := range author.Referrers {
		got[r.Field] = r.Records.N
		to, err := url.Parse(r.URL)
		check(t, err)
		if n := decode[recordsJSON](c, to.Path+".json?"+to.RawQuery).Count.N; n != r.Records.N {
			t.Errorf("%s leads to %d, and says %d", r.Where, n, r.Records.N)
		}
	}
	if got["Author"] != 40 || got["Editor"] != 12 {
		t.Errorf("author 2 is referred to by %v", got)
	}
}

// TestKeysInPaths: each record's page is where its link leads, whatever the key,
// also behind the mux of a program and below a path.
func TestKeysInPaths(t *testing.T) {
	db := library(t)
	mux := http.NewServeMux()
	mux.Handle("/debug/studio/", http.StripPrefix("/debug/studio", studio.Handler(db, &studio.Options{Token: token})))
	c := &client{t: t, h: mux, host: "localhost"}
	w := c.get("/debug/studio/?token=" + token)
	if w.Header().Get("Location") != "/debug/studio/" || w.Result().Cookies()[0].Path != "/debug/studio/" {
		t.Fatalf("the first URL leads to %v", w.Header())
	}
	c.cookie = w.Result().Cookies()[0]
	n := 0
	for _, table := range []string{"Place", "Visit", "Shelf", "Photo"} {
		text := c.page("/debug/studio/t/"+table, http.StatusOK)
		for _, m := range regexp.MustCompile(`<tr data-url="([^"]*)"`).FindAllStringSubmatch(text, -1) {
			if page := c.page(m[1], http.StatusOK); !strings.Contains(page, `id="referrers"`) {
				t.Errorf("%s is no record's page", m[1])
			}
			c.page(m[1]+".json", http.StatusOK)
			n++
		}
	}
	if n != 8 {
		t.Errorf("%d records", n)
	}
}

// TestDrawing: the schema has each table and each reference.
func TestDrawing(t *testing.T) {
	c := open(t, library(t), nil)
	text := c.page("/schema", http.StatusOK)
	if boxes, arrows := strings.Count(text, `class="box"`), strings.Count(text, `class="arrow"`); boxes != 6 || arrows != 5 {
		t.Errorf("%d boxes and %d arrows", boxes, arrows)
	}
	if !strings.Contains(c.page("/schema.json", http.StatusOK), `"ondelete":"cascade"`) {
		t.Error("the JSON lacks the rule")
	}
}

// TestExport: files have all that the filter finds, and tell nil from texts.
func TestExport(t *testing.T) {
	db := library(t)
	authors := kivis.TableOf[Author](db)
	for _, note := range []string{"", `\N`, `\\N`, "a,\"b\"\n", "null"} {
		_, err := authors.Insert(bg, &Author{Name: "n" + note, Born: 9, Note: note})
		check(t, err)
	}
	c := open(t, db, nil)
	w := c.get("/t/Author.csv?where=" + url.QueryEscape("Born = 9") + "&order=ID")
	lines, err := csv.NewReader(w.Body).ReadAll()
	check(t, err)
	var notes []string
	for _, line := range lines {
		notes = append(notes, line[3])
	}
	if want := []string{"Note", "", `\\N`, `\\\N`, "a,\"b\"\n", "null"}; !slices.Equal(notes, want) {
		t.Errorf("the notes are %q, want %q", notes, want)
	}
	text := c.page("/t/books.csv", http.StatusOK)
	if n := strings.Count(text, `\N`); n != 108 {
		t.Errorf("%d nils, want 108", n)
	}
	if n := strings.Count(c.page("/t/books.jsonl?where=Pages+%3C+110", http.StatusOK), "\n"); n != 10 {
		t.Errorf("%d lines, want 10", n)
	}
	c.page("/t/books.csv?where=Pages", http.StatusBadRequest)
}

// TestMethods: what only reads is not posted to.
func TestMethods(t *testing.T) {
	c := open(t, library(t), nil)
	for _, r := range []struct {
		method, path string
		want         int
	}{
		{"POST", "/", 405}, {"DELETE", "/t/books/1", 405}, {"PUT", "/t/books", 405}, {"GET", "/commit", 405}, {"HEAD", "/t/books", 200},
		{"GET", "/assets/studio.js", 200}, {"GET", "/assets/none.js", 404},
	} {
		if w := c.do(r.method, r.path, "", nil); w.Code != r.want {
			t.Errorf("%s %s: %d, want %d", r.method, r.path, w.Code, r.want)
		}
	}
}
