package studio_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/studio"
)

// commit sends edits that were made on a page and returns the status and the
// answer.
func (c *client) commit(version, edits string) (int, string) {
	w := c.do("POST", "/commit", fmt.Sprintf(`{"version":%q,"edits":[%s]}`, version, edits), nil)
	return w.Code, w.Body.String()
}

// version returns the version of a page.
func (c *client) version(path string) string {
	c.t.Helper()
	return decode[struct{ Version string }](c, path).Version
}

// TestCommit: edits are made in one transaction with every rule of the database,
// or none of them is.
func TestCommit(t *testing.T) {
	const big = "9007199254740993" // a float64 would lose its last digit
	for _, at := range []struct {
		name, edits string
		want        int
		answer      string
	}{
		{"nothing", ``, 200, `"committed":0`},
		{"a field", `{"table":"books","key":"1","set":{"Pages":` + big + `}}`, 200, `"keys":["1"]`},
		{"nil", `{"table":"books","key":"1","set":{"Editor":null}}`, 200, `"committed":1`},
		{"a new record", `{"table":"books","insert":{"Title":"new","Author":1}}`, 200, `"keys":["121"]`},
		{"a key of two parts", `{"table":"Visit","key":"('a/b', 7)","set":{"Book":3}}`, 200, `"committed":1`},
		{"several", `{"table":"books","key":"2","delete":true},{"table":"Author","key":"1","set":{"Note":"x"}}`, 200, `"keys":["2","1"]`},
		{"a reference to nothing", `{"table":"books","key":"1","set":{"Author":99}}`, 422, "no record with key 99"},
		{"a unique value twice", `{"table":"Author","insert":{"Name":"Ada Lovelace"}}`, 422, "Name"},
		{"another key", `{"table":"Place","key":"plain","set":{"Code":"other"}}`, 422, "key"},
		{"a deleted record", `{"table":"books","key":"999","set":{"Pages":1}}`, 409, "999"},
		{"one wrong of two", `{"table":"books","key":"1","set":{"Pages":1}},{"table":"books","key":"1","set":{"Author":99}}`, 422, "no record with key 99"},
		{"an unknown table", `{"table":"boks","key":"1","delete":true}`, 404, "boks"},
	} {
		t.Run(at.name, func(t *testing.T) {
			db := library(t)
			c := open(t, db, &studio.Options{Write: true})
			before := c.page("/t/books.jsonl", 200) + c.page("/t/Author.jsonl", 200)
			status, answer := c.commit(c.version("/t/books.json"), at.edits)
			if status != at.want || !strings.Contains(answer, at.answer) {
				t.Errorf("status %d, want %d: %s, want %s", status, at.want, answer, at.answer)
			}
			after := c.page("/t/books.jsonl", 200) + c.page("/t/Author.jsonl", 200)
			if status != 200 && after != before {
				t.Error("a commit that failed has changed something")
			}
			if at.name == "a field" && !strings.Contains(after, `"Pages":`+big) {
				t.Error("the number has not come through whole")
			}
			report, err := db.Check(bg, nil)
			if err != nil || len(report.Faults) > 0 {
				t.Errorf("check: %v, %v", report.Faults, err)
			}
		})
	}
}

// TestConflict: a commit fails where what its page showed has changed, and only
// there.
func TestConflict(t *testing.T) {
	filtered := "/t/books.json?where=Genre+%3D+'novel'&order=-Pages"
	for _, at := range []struct {
		name, page string
		change     string // what another does meanwhile
		want       int
	}{
		{"the record", "/t/books/5.json", `{"table":"books","key":"5","set":{"Pages":1}}`, 409},
		{"the record is deleted", "/t/books/5.json", `{"table":"books","key":"5","delete":true}`, 409},
		{"another record", "/t/books/5.json", `{"table":"books","key":"6","set":{"Pages":1}}`, 200},
		{"another table", "/t/books/5.json", `{"table":"Author","key":"1","set":{"Note":"x"}}`, 200},
		{"a record of the page", "/t/books.json", `{"table":"books","key":"5","set":{"Pages":1}}`, 409},
		{"a record of the page is deleted", "/t/books.json", `{"table":"books","key":"5","delete":true}`, 409},
		{"a record after the page", "/t/books.json", `{"table":"books","key":"120","set":{"Pages":1}}`, 200},
		{"a new record in the page", filtered, `{"table":"books","insert":{"Title":"t","Author":1,"Genre":"novel","Pages":9999}}`, 409},
		{"a new record outside", filtered, `{"table":"books","insert":{"Title":"t","Author":1,"Genre":"notes","Pages":9999}}`, 200},
		{"a record moves in", filtered, `{"table":"books","key":"2","set":{"Genre":"novel","Pages":9999}}`, 409},
		{"a record moves out", filtered, `{"table":"books","key":"1","set":{"Genre":"notes"}}`, 200}, // it is not on the page: the longest are
		{"the same value again", "/t/books/5.json", `{"table":"books","key":"5","set":{"Genre":"letters"}}`, 200},
	} {
		t.Run(at.name, func(t *testing.T) {
			c := open(t, library(t), &studio.Options{Write: true, PageSize: 20})
			version := c.version(at.page)
			if status, answer := c.commit(c.version("/t/Place.json"), at.change); status != 200 {
				t.Fatalf("the other's change: %d, %s", status, answer)
			}
			status, answer := c.commit(version, `{"table":"Author","key":"2","set":{"Note":"mine"}}`)
			if status != at.want {
				t.Errorf("status %d, want %d: %s", status, at.want, answer)
			}
			if made := strings.Contains(c.page("/t/Author/2.json", 200), "mine"); made != (status == 200) {
				t.Errorf("status %d, and made is %t", status, made)
			}
		})
	}
}

// TestCommitRace: of several who edit what one page showed, one wins.
func TestCommitRace(t *testing.T) {
	c := open(t, library(t), &studio.Options{Write: true})
	for range 20 {
		version := c.version("/t/books/5.json")
		pages := decode[struct{ Record struct{ Pages int } }](c, "/t/books/5.json").Record.Pages
		var won, lost atomic.Int32
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				switch status, answer := c.commit(version, fmt.Sprintf(`{"table":"books","key":"5","set":{"Pages":%d}}`, pages+1+i)); status {
				case 200:
					won.Add(1)
				case 409:
					lost.Add(1)
				default:
					t.Errorf("status %d: %s", status, answer)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 || lost.Load() != 3 {
			t.Fatalf("%d have won and %d have lost", won.Load(), lost.Load())
		}
	}
}

// TestTableGone: what a page showed of a table that is dropped meanwhile has
// changed: a commit is refused, a watch ends, and the page says what there is.
func TestTableGone(t *testing.T) {
	c := open(t, library(t), &studio.Options{Write: true})
	for _, path := range []string{"/t/books.json", "/t/books/5.json"} {
		text, err := base64.RawURLEncoding.DecodeString(c.version(path))
		check(t, err)
		var shown map[string]any
		check(t, json.Unmarshal(text, &shown))
		shown["t"] = "gone" // as if the page had been of it
		text, err = json.Marshal(shown)
		check(t, err)
		version := base64.RawURLEncoding.EncodeToString(text)
		if status, answer := c.commit(version, `{"table":"Author","key":"2","delete":true}`); status != 409 {
			t.Errorf("status %d: %s", status, answer)
		}
		if events := c.page("/live?version="+version, 200); !strings.Contains(events, "event: changed") {
			t.Errorf("the watch says %q", events)
		}
	}
	for _, path := range []string{"/t/gone", "/t/gone/5", "/t/gone.json", "/t/gone.csv"} {
		c.page(path, http.StatusNotFound)
	}
}

// TestReadOnly: without Write nothing can be changed, and no page offers it.
func TestReadOnly(t *testing.T) {
	c := open(t, library(t), nil)
	if status, _ := c.commit(c.version("/t/books.json"), `{"table":"books","key":"1","delete":true}`); status != http.StatusForbidden {
		t.Errorf("status %d", status)
	}
	for _, path := range []string{"/t/books", "/t/books/1"} {
		if text := c.page(path, 200); strings.Contains(text, "New record") || strings.Contains(text, `id="delete"`) || strings.Contains(text, "data-write") {
			t.Errorf("%s offers a change", path)
		}
	}
}

// TestValidate: a Validate method of the program is asked.
func TestValidate(t *testing.T) {
	db := library(t)
	check(t, db.Register(&Member{}))
	_, err := kivis.TableOf[Member](db).Insert(bg, &Member{Age: 30})
	check(t, err)
	c := open(t, db, &studio.Options{Write: true})
	status, answer := c.commit(c.version("/t/Member/1.json"), `{"table":"Member","key":"1","set":{"Age":-1}}`)
	if status != http.StatusUnprocessableEntity || !strings.Contains(answer, "too young") {
		t.Errorf("status %d: %s", status, answer)
	}
}

// TestDropped: a table that is dropped while a page shows it is gone from there on:
// its pages are not found, a commit is refused, a watch says so, and nothing hangs.
func TestDropped(t *testing.T) {
	db := library(t)
	c := open(t, db, &studio.Options{Write: true})
	key := decode[recordsJSON](c, "/t/Visit.json").Keys[0]
	record := "/t/Visit/" + url.PathEscape(key)
	versions := []string{c.version("/t/Visit.json"), c.version(record + ".json")}
	check(t, db.Drop(bg, "Visit"))
	for _, version := range versions {
		within(t, time.Minute, "a commit", func() {
			if status, answer := c.commit(version, fmt.Sprintf(`{"table":"Visit","key":%q,"delete":true}`, key)); status != http.StatusConflict && status != http.StatusNotFound {
				t.Errorf("status %d: %s", status, answer)
			}
		})
		within(t, time.Minute, "a watch", func() {
			if events := c.page("/live?version="+version, 200); !strings.Contains(events, "event: changed") {
				t.Errorf("the watch says %q", events)
			}
		})
	}
	for _, path := range []string{"/t/Visit", record, "/t/Visit.json", "/t/Visit.csv"} {
		within(t, time.Minute, path, func() { c.page(path, http.StatusNotFound) })
	}
	for _, path := range []string{"/", "/schema"} {
		if text := c.page(path, 200); strings.Contains(text, "/t/Visit") {
			t.Errorf("%s still has the table", path)
		}
	}
}
