package studio_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store/memstore"
	"github.com/kivisdb/kivis/studio"
)

const token = "0123456789abcdef0123456789abcdef"

var bg = context.Background()

type Author struct {
	kivis.Auto[Author]
	Name string `kivis:"unique"`
	Born int    `kivis:"index"`
	Note string
}

type Book struct {
	_ struct{} `kivis:"table=books"`
	kivis.Auto[Book]
	Title  string           `kivis:"index"`
	Author kivis.ID[Author] `kivis:"ondelete=cascade"`
	Editor *kivis.ID[Author]
	Genre  string `kivis:"index"`
	Pages  int
	Price  float64
	Out    time.Time
	Tags   []string
}

// Place has a key of two parts, and one of texts is referred to.
type Place struct {
	Code string `kivis:"key"`
	Name string
}

type Visit struct {
	Place  string `kivis:"key,ref=Place"`
	Number int    `kivis:"key"`
	Book   *kivis.ID[Book]
}

// Shelf computes its key, which Photo refers to by one field.
type Shelf struct{ Hall, Row string }

type ShelfKey struct {
	Hall string
	Row  string
}

func (s Shelf) PrimaryKey() ShelfKey { return ShelfKey{s.Hall, "row " + s.Row} }

type Photo struct {
	kivis.Auto[Photo]
	Of *ShelfKey `kivis:"ref=Shelf,ondelete=cascade"`
}

// library returns a database with a few records.
func library(t testing.TB) *kivis.DB {
	t.Helper()
	db, err := kivis.Open(memstore.New(), nil)
	check(t, err)
	t.Cleanup(func() { _ = db.Close() })
	check(t, db.Register(&Author{}, &Book{}, &Place{}, &Visit{}, &Shelf{}, &Photo{}))
	authors, books := kivis.TableOf[Author](db), kivis.TableOf[Book](db)
	var ids []kivis.ID[Author]
	for i, name := range []string{"Ada Lovelace", "Mary Shelley", "Jane Austen"} {
		id, err := authors.Insert(bg, &Author{Name: name, Born: 1775 + 20*i, Note: "note"})
		check(t, err)
		ids = append(ids, id)
	}
	genres := []string{"novel", "letters", "notes"}
	for i := range 120 {
		b := Book{
			Title: fmt.Sprintf("Book %03d", i), Author: ids[i%3], Genre: genres[i%len(genres)], Pages: 100 + i, Price: float64(i) / 4,
			Out: time.Date(1800+i, 1, 2, 3, 4, 5, 0, time.UTC), Tags: []string{"a", "b"},
		}
		if i%10 == 0 {
			b.Editor = &ids[1]
		}
		_, err := books.Insert(bg, &b)
		check(t, err)
	}
	places := kivis.TableBy[Place, string](db)
	for _, code := range []string{"a/b", "..", "x.json", "plain", `q"'`} {
		_, err := places.Insert(bg, &Place{Code: code, Name: "place " + code})
		check(t, err)
	}
	visit := kivis.TableNamed(db, "Visit").New()
	check(t, visit.Set("Place", "a/b"))
	check(t, visit.Set("Number", 7))
	_, err = kivis.TableNamed(db, "Visit").Insert(bg, visit)
	check(t, err)
	shelf, err := kivis.TableBy[Shelf, ShelfKey](db).Insert(bg, &Shelf{"main", "7"})
	check(t, err)
	_, err = kivis.TableOf[Photo](db).Insert(bg, &Photo{Of: &shelf})
	check(t, err)
	return db
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// client asks a studio, as a browser that has been let in.
type client struct {
	t      testing.TB
	h      http.Handler
	cookie *http.Cookie
	host   string
}

// open returns a client of a studio of db.
func open(t testing.TB, db *kivis.DB, opts *studio.Options) *client {
	t.Helper()
	if opts == nil {
		opts = &studio.Options{}
	}
	opts.Token = token
	c := &client{t: t, h: studio.Handler(db, opts), host: "127.0.0.1:8080"}
	w := c.get("/?token=" + token)
	if w.Code != http.StatusSeeOther || len(w.Result().Cookies()) != 1 {
		t.Fatalf("the first URL gives %d, %v", w.Code, w.Header())
	}
	c.cookie = w.Result().Cookies()[0]
	return c
}

// do sends a request, which change may change.
func (c *client) do(method, path, body string, change func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host = c.host
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.cookie != nil {
		r.AddCookie(c.cookie)
	}
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	c.h.ServeHTTP(w, r)
	return w
}

func (c *client) get(path string) *httptest.ResponseRecorder { return c.do("GET", path, "", nil) }

// page returns what a path shows, which must have a status.
func (c *client) page(path string, status int) string {
	c.t.Helper()
	w := c.get(path)
	if w.Code != status {
		c.t.Fatalf("%s: status %d, want %d: %s", path, w.Code, status, w.Body)
	}
	return w.Body.String()
}

// Member has a rule of its own.
type Member struct {
	kivis.Auto[Member]
	Age int
}

func (m *Member) Validate() error {
	if m.Age < 0 {
		return errors.New("too young")
	}
	return nil
}
