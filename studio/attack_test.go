package studio_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/studio"
)

// TestGuard: only the user's own browser, with the token, gets past the guard,
// whatever it asks for.
func TestGuard(t *testing.T) {
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	all := func(changes ...func(*http.Request)) func(*http.Request) {
		return func(r *http.Request) {
			for _, change := range changes {
				change(r)
			}
		}
	}
	cases := []struct {
		name, host string
		change     func(*http.Request)
		want       int
	}{
		{"loopback", "127.0.0.1:8080", nil, 200},
		{"loopback without a port", "127.0.0.1", nil, 200},
		{"another loopback address", "127.8.8.8:1", nil, 200},
		{"IPv6", "[::1]:8080", nil, 200},
		{"localhost", "LocalHost:8080", nil, 200},
		{"allowed host", "db.example:443", nil, 200},
		{"foreign host", "evil.example", nil, 403},
		{"foreign host with a port", "evil.example:8080", nil, 403},
		{"host that begins like loopback", "127.0.0.1.evil.example", nil, 403},
		{"host that ends like localhost", "evil-localhost", nil, 403},
		{"another machine", "192.168.1.7:8080", nil, 403},
		{"any address", "0.0.0.0:8080", nil, 403},
		{"no host", "", nil, 403},
		{"own origin", "localhost:8080", header("Origin", "http://localhost:8080"), 200},
		{"foreign origin", "localhost:8080", header("Origin", "http://evil.example"), 403},
		{"origin of another port", "localhost:8080", header("Origin", "http://localhost:3000"), 403},
		{"origin null", "localhost:8080", header("Origin", "null"), 403},
		{"origin that is no URL", "localhost:8080", header("Origin", "http://%zz"), 403},
		{"image in another site's page", "localhost:8080", all(header("Sec-Fetch-Site", "cross-site"), header("Sec-Fetch-Mode", "no-cors")), 403},
		{"script of another port's page", "localhost:8080", all(header("Sec-Fetch-Site", "same-site"), header("Sec-Fetch-Mode", "no-cors")), 403},
		{"own script", "localhost:8080", all(header("Sec-Fetch-Site", "same-origin"), header("Sec-Fetch-Mode", "cors")), 200},
		{"typed URL", "localhost:8080", all(header("Sec-Fetch-Site", "none"), header("Sec-Fetch-Mode", "navigate")), 200},
		{"no cookie", "localhost:8080", func(r *http.Request) { r.Header.Del("Cookie") }, 403},
		{"wrong cookie", "localhost:8080", func(r *http.Request) {
			r.Header.Set("Cookie", strings.Replace(r.Header.Get("Cookie"), token, strings.Repeat("0", 32), 1))
		}, 403},
		{"wrong token", "localhost:8080", func(r *http.Request) { r.Header.Del("Cookie"); r.URL.RawQuery = "token=x" }, 403},
		{"empty token", "localhost:8080", func(r *http.Request) { r.Header.Del("Cookie"); r.URL.RawQuery = "token=" }, 403},
		{"token in a header", "localhost:8080", all(func(r *http.Request) { r.Header.Del("Cookie") }, header("Authorization", "Bearer "+token)), 403},
	}
	c := open(t, library(t), &studio.Options{Write: true, Hosts: []string{"db.example"}})
	for _, at := range cases {
		for _, path := range []string{"/", "/t/books.json", "/t/books.csv", "/assets/studio.js"} {
			c.host = at.host
			if w := c.do("GET", path, "", at.change); w.Code != at.want || w.Code != 200 && strings.Contains(w.Body.String(), "books") {
				t.Errorf("%s, %s: status %d, want %d: %s", at.name, path, w.Code, at.want, w.Body)
			}
		}
	}
}

// TestForeignCommit: no other page can have anything changed.
func TestForeignCommit(t *testing.T) {
	c := open(t, library(t), &studio.Options{Write: true})
	version := decode[recordsJSON](c, "/t/Author.json").Version
	body := fmt.Sprintf(`{"version":%q,"edits":[{"table":"Author","key":"1","set":{"Note":"stolen"}}]}`, version)
	for _, at := range []struct {
		name   string
		change func(*http.Request)
		want   int
	}{
		{"foreign origin", func(r *http.Request) { r.Header.Set("Origin", "http://evil.example") }, 403},
		{"cross-site", func(r *http.Request) {
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			r.Header.Set("Sec-Fetch-Mode", "navigate")
		}, 403},
		{"foreign host", func(r *http.Request) { r.Host = "evil.example" }, 403},
		{"no cookie", func(r *http.Request) { r.Header.Del("Cookie") }, 403},
		{"token in the URL", func(r *http.Request) { r.Header.Del("Cookie"); r.URL.RawQuery = "token=" + token }, 403},
		{"a form", func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, 415},
		{"no type", func(r *http.Request) { r.Header.Del("Content-Type") }, 415},
	} {
		if w := c.do("POST", "/commit", body, at.change); w.Code != at.want {
			t.Errorf("%s: status %d, want %d", at.name, w.Code, at.want)
		}
	}
	if text := c.page("/t/Author/1.json", 200); strings.Contains(text, "stolen") {
		t.Errorf("the record has changed: %s", text)
	}
	if w := c.do("POST", "/commit", body, nil); w.Code != 200 {
		t.Errorf("the same from the studio's own page: %d, %s", w.Code, w.Body)
	}
	for _, path := range []string{"/?delete=1", "/commit", "/t/Author/1?delete=true"} {
		c.get(path)
	}
	if !strings.Contains(c.page("/t/Author/1.json", 200), "stolen") {
		t.Error("a GET has changed something")
	}
}

// TestHeaders: every answer, errors and files included, keeps other sites out and
// is kept nowhere.
func TestHeaders(t *testing.T) {
	c := open(t, library(t), nil)
	for _, path := range []string{"/", "/t/books", "/t/none", "/t/books.csv", "/index.json", "/assets/studio.js"} {
		w := c.get(path)
		for name, want := range map[string]string{
			"Content-Security-Policy": "frame-ancestors 'none'", "X-Content-Type-Options": "nosniff",
			"Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
		} {
			if got := w.Header().Get(name); !strings.Contains(got, want) {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
		for _, loose := range []string{"unsafe-inline", "unsafe-eval", "*", "http:"} {
			if got := w.Header().Get("Content-Security-Policy"); strings.Contains(got, loose) {
				t.Errorf("%s: the policy %q has %s", path, got, loose)
			}
		}
		if w.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s may be read by other sites", path)
		}
	}
}

// TestToken: it is in the first URL alone, and its cookie is for this site and no
// script. Where none is given, each studio draws its own.
func TestToken(t *testing.T) {
	db := library(t)
	c := open(t, db, nil)
	w := c.get("/t/books?where=Pages+%3E+5&token=" + token)
	if to := w.Header().Get("Location"); to != "/t/books?where=Pages+%3E+5" {
		t.Errorf("the token leads to %q", to)
	}
	k := w.Result().Cookies()[0]
	if !k.HttpOnly || k.SameSite != http.SameSiteStrictMode || k.Secure || !k.Expires.IsZero() {
		t.Errorf("the cookie is %v", k)
	}
	for _, path := range []string{"//evil.example/", "/\\evil.example/", "///evil.example"} {
		to, err := url.Parse(c.get("http://127.0.0.1:8080" + path + "?token=" + token).Header().Get("Location"))
		check(t, err)
		if path := to.EscapedPath(); to.Host != "" || strings.HasPrefix(path, "//") || strings.HasPrefix(path, `/\`) {
			t.Errorf("%s leads to %v, another site", path, to)
		}
	}
	if a, b := studio.NewToken(), studio.NewToken(); a == b || len(a) != 32 {
		t.Errorf("tokens %q and %q", a, b)
	}
	if text := c.page("/", 200); strings.Contains(text, token) {
		t.Error("the page has the token")
	}
}

// hostile are texts that a page must show as they are.
var hostile = []string{
	"javascript:alert(1)", `"><script>alert(1)</script>`, `' onmouseover='alert(1)`, "</td></table><h1>", "{{.Write}}", "${alert(1)}",
	"\u202egnp.exe", "a\x00b\x1b[31m", "</script><script>alert(1)</script>", "data:text/html,<script>alert(1)</script>", "\xff\xfe",
}

// attribute is what an attribute has in quotes, shown to nobody: quotes in it are
// escaped. Links are left.
var attribute = regexp.MustCompile(`(data-\w+|value|content)="[^"]*"`)

// TestHostileText: what a record holds is never a link, a tag or a script.
func TestHostileText(t *testing.T) {
	db := library(t)
	places := kivis.TableBy[Place, string](db)
	for _, text := range hostile {
		_, err := places.Insert(bg, &Place{Code: text, Name: text})
		check(t, err)
	}
	c := open(t, db, &studio.Options{Write: true})
	paths := []string{"/", "/t/Place", "/schema"}
	for _, key := range decode[recordsJSON](c, "/t/Place.json").Keys {
		paths = append(paths, "/t/Place/"+url.PathEscape(key))
	}
	for _, text := range hostile {
		paths = append(paths, "/t/Place?where="+url.QueryEscape(text), "/t/Place?order="+url.QueryEscape(text), "/t/"+url.PathEscape(text), "/t/Place/"+url.PathEscape(text))
	}
	for _, path := range paths {
		w := c.get(path)
		text := attribute.ReplaceAllString(w.Body.String(), "=")
		for _, bad := range []string{"<script>", `href="javascript`, `href="data:`, " onmouseover='alert", "<h1></h1>", "\u202e", "\x00", "\x1b"} {
			if strings.Contains(text, bad) {
				t.Errorf("%s has %q", path, bad)
			}
		}
		if w.Code >= 500 {
			t.Errorf("%s: status %d", path, w.Code)
		}
		if n := strings.Count(text, "<script"); n != 1 && w.Code != 404 && !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
			t.Errorf("%s has %d scripts", path, n)
		}
	}
}

// within fails the test where fn takes too long.
func within(t *testing.T, most time.Duration, what string, fn func()) {
	t.Helper()
	began := time.Now()
	fn()
	if took := time.Since(began); took > most {
		t.Errorf("%s took %v, at most %v is right", what, took, most)
	}
}

// TestLongField: records of 10 MB are shown by their beginning, whole where that
// is asked for, and a page has only as many as fit.
func TestLongField(t *testing.T) {
	db := library(t)
	authors := kivis.TableOf[Author](db)
	long := strings.Repeat("0123456789", 1<<20)
	for i := range 3 {
		_, err := authors.Insert(bg, &Author{Name: fmt.Sprint("long ", i), Note: long})
		check(t, err)
	}
	c := open(t, db, &studio.Options{Write: true, Timeout: time.Minute})
	for _, path := range []string{"/t/Author?order=-ID", "/t/Author/4"} {
		within(t, time.Minute, path, func() {
			if text := c.page(path, 200); len(text) > 100_000 || !strings.Contains(text, "0123456789") {
				t.Errorf("%s has %d bytes", path, len(text))
			}
		})
	}
	within(t, time.Minute, "the record as JSON", func() {
		if text := c.page("/t/Author/4.json", 200); !strings.Contains(text, long) {
			t.Errorf("the record's JSON has %d bytes", len(text))
		}
	})
	seen, path := 0, "/t/Author.json"
	for pages := 0; path != ""; pages++ {
		p := decode[recordsJSON](c, path)
		seen += len(p.Records)
		if path = ""; p.Next != "" {
			path = "/t/Author.json?after=" + url.QueryEscape(p.Next)
		}
		if pages > 20 {
			t.Fatal("the pages do not end")
		}
	}
	if seen != 6 {
		t.Errorf("%d records, want 6", seen)
	}
	version := decode[recordsJSON](c, "/t/Author/4.json").Version
	body := fmt.Sprintf(`{"version":%q,"edits":[{"table":"Author","key":"4","set":{"Born":1900}}]}`, version)
	within(t, time.Minute, "an edit beside 10 MB", func() {
		if w := c.do("POST", "/commit", body, nil); w.Code != 200 {
			t.Errorf("status %d: %s", w.Code, w.Body)
		}
	})
	a, err := authors.Get(bg, 4)
	check(t, err)
	if a.Born != 1900 || a.Note != long {
		t.Errorf("the record has Born %d and a note of %d bytes", a.Born, len(a.Note))
	}
	if w := c.do("POST", "/commit", `{"version":"`+strings.Repeat("x", 33<<20)+`"}`, nil); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("33 MB of edits: status %d", w.Code)
	}
}

// TestManyReferrers: 10,000 references to one record are a number and a link.
func TestManyReferrers(t *testing.T) {
	db := library(t)
	books := kivis.TableOf[Book](db)
	for i := range 10 {
		list := make([]Book, 1000)
		for j := range list {
			list[j] = Book{Title: fmt.Sprint(i, j), Author: 3, Genre: "many"}
		}
		_, err := books.InsertMany(bg, list)
		check(t, err)
	}
	c := open(t, db, nil)
	within(t, time.Minute, "the page", func() {
		text := c.page("/t/Author/3", 200)
		if !strings.Contains(text, "10,040") && !strings.Contains(text, "not within") || len(text) > 20_000 {
			t.Errorf("the page has %d bytes: %s", len(text), text)
		}
	})
}

// TestDeadlines: counts and facets that take too long are given up, and the page
// comes without them; records that take too long are an error.
func TestDeadlines(t *testing.T) {
	db := library(t)
	c := open(t, db, &studio.Options{Deadline: time.Nanosecond})
	text := c.page("/t/books", 200)
	if !strings.Contains(text, "not within 1ns") || !strings.Contains(text, "Book 000") {
		t.Errorf("the page is %s", text)
	}
	if text := c.page("/t/Author/1", 200); !strings.Contains(text, "not within 1ns") {
		t.Errorf("the record's page is %s", text)
	}
	c = open(t, db, &studio.Options{Timeout: time.Nanosecond})
	for _, path := range []string{"/t/books", "/t/books.json", "/t/books/1"} {
		w := c.get(path)
		if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "not within 1ns") {
			t.Errorf("%s: status %d: %s", path, w.Code, w.Body)
		}
	}
}

// TestClosed: pages of a database that is closed meanwhile are errors.
func TestClosed(t *testing.T) {
	db := library(t)
	c := open(t, db, &studio.Options{Write: true})
	version := decode[recordsJSON](c, "/t/books.json").Version
	check(t, db.Close())
	for _, path := range []string{"/t/books", "/t/books.json", "/t/books/1", "/t/books.csv", "/live?version=" + version} {
		within(t, time.Minute, path, func() {
			if w := c.get(path); w.Code != http.StatusServiceUnavailable && !strings.HasPrefix(path, "/live") {
				t.Errorf("%s: status %d: %s", path, w.Code, w.Body)
			}
		})
	}
	if w := c.do("POST", "/commit", fmt.Sprintf(`{"version":%q,"edits":[]}`, version), nil); w.Code != http.StatusServiceUnavailable {
		t.Errorf("a commit: status %d: %s", w.Code, w.Body)
	}
	c.page("/schema", 200)
}

// TestMangledRequests: no path and no parameter is more than an error.
func TestMangledRequests(t *testing.T) {
	c := open(t, library(t), &studio.Options{Write: true})
	for _, path := range []string{
		"/t/", "/t", "/t//", "/t/books/", "/t//1", "/t/%00", "/t/books/%ff", "/t/books/%2e%2e", "/.json", "/t/.json", "/t/.csv", "/t/books.csv.json",
		"/live", "/live?version=%ff", "/live?version=e30", "/t/books?after=%00", "/t/books?where=%00", "/t/books?where=" + strings.Repeat("(", 5000),
		"/t/books?order=" + strings.Repeat("Title,", 5000), "/assets/../studio.go", "/assets/%2e%2e/studio.go", "/assets//", "/t/books/1%2c2", "/t/books/'",
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RequestURI, r.Host = path, c.host
		u, err := url.ParseRequestURI(path)
		check(t, err)
		r.URL = u
		r.AddCookie(c.cookie)
		w := httptest.NewRecorder()
		c.h.ServeHTTP(w, r)
		if w.Code < 300 && !strings.HasPrefix(path, "/.json") || w.Code >= 500 {
			t.Errorf("%.40s: status %d: %.200s", path, w.Code, w.Body)
		}
	}
	version := decode[recordsJSON](c, "/t/books.json").Version
	for _, body := range []string{
		"", "x", "[]", "null", `{"version":5}`, `{"version":"e30"}`, `{"what":1}`, `{"version":"` + version + `"}{}`, `{"version":"` + version + `"}}`,
		`{"version":"` + version + `","edits":[{"table":"books","key":"1"}]}`,
		`{"version":"` + version + `","edits":[{"table":"books","key":"1","set":{"Nope":1}}]}`,
		`{"version":"` + version + `","edits":[{"table":"books","key":"1","set":{"Pages":"x"}}]}`,
		`{"version":"` + version + `","edits":[{"table":"books","key":"x","delete":true}]}`,
		`{"version":"` + version + `","edits":[{"table":"books","key":"1","delete":true,"set":{}}]}`,
		`{"version":"` + version + `","edits":[{"table":"books","insert":[1]}]}`,
	} {
		w := c.do("POST", "/commit", body, func(r *http.Request) { r.Header.Set("Content-Type", "application/json") })
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), `"error"`) {
			t.Errorf("%.200s: status %d: %s", body, w.Code, w.Body)
		}
	}
	if n := decode[recordsJSON](c, "/t/books.json").Count.N; n != 120 {
		t.Errorf("%d books are left", n)
	}
}
