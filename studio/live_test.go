package studio_test

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/memstore"
	"github.com/kivisdb/kivis/studio"
)

// A watcher reads the events of one page.
type watcher struct {
	t     testing.TB
	lines chan string // closed at the end
	stop  context.CancelFunc
}

// watch opens the events of a page of a studio that is served.
func watch(c *client, server *httptest.Server, version string) *watcher {
	c.t.Helper()
	ctx, stop := context.WithCancel(bg)
	r, err := http.NewRequestWithContext(ctx, "GET", server.URL+"/live?version="+version, nil)
	check(c.t, err)
	r.AddCookie(c.cookie)
	answer, err := server.Client().Do(r)
	check(c.t, err)
	if answer.StatusCode != 200 || answer.Header.Get("Content-Type") != "text/event-stream" {
		c.t.Fatalf("status %d, %v", answer.StatusCode, answer.Header)
	}
	w := &watcher{t: c.t, lines: make(chan string), stop: stop}
	go func() {
		defer close(w.lines)
		defer answer.Body.Close()
		for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
			select {
			case w.lines <- lines.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	c.t.Cleanup(stop)
	return w
}

// changed reports whether an event comes within a time.
func (w *watcher) changed(within time.Duration) bool {
	end := time.After(within)
	for {
		select {
		case line, ok := <-w.lines:
			if !ok {
				return false
			} else if line == "event: changed" {
				return true
			}
		case <-end:
			return false
		}
	}
}

// TestLive: a page that is watched is told of a commit after which it would show
// something else, and of no other.
func TestLive(t *testing.T) {
	for _, at := range []struct {
		name, page string
		change     string
		want       bool
	}{
		{"the record", "/t/books/5.json", `{"table":"books","key":"5","set":{"Pages":1}}`, true},
		{"the record is deleted", "/t/books/5.json", `{"table":"books","key":"5","delete":true}`, true},
		{"another record", "/t/books/5.json", `{"table":"books","key":"6","set":{"Pages":1}}`, false},
		{"one more refers to it", "/t/Author/1.json", `{"table":"books","insert":{"Title":"t","Author":1}}`, true},
		{"one more refers to another", "/t/Author/1.json", `{"table":"books","insert":{"Title":"t","Author":2}}`, false},
		{"a record of the page", "/t/books.json", `{"table":"books","key":"5","set":{"Pages":1}}`, true},
		{"a record after the page", "/t/books.json", `{"table":"books","key":"120","set":{"Pages":1}}`, false},
		{"a record moves in", "/t/books.json?where=Genre+%3D+'novel'", `{"table":"books","key":"2","set":{"Genre":"novel"}}`, true},
		{"a new record in the list of tables", "/index.json", `{"table":"Place","insert":{"Code":"new"}}`, true},
		{"a change that the list of tables does not show", "/index.json", `{"table":"Author","key":"1","set":{"Note":"x"}}`, false},
	} {
		t.Run(at.name, func(t *testing.T) {
			t.Parallel()
			c := open(t, library(t), &studio.Options{Write: true, PageSize: 20, Deadline: 10 * time.Second})
			server := httptest.NewServer(c.h)
			t.Cleanup(server.Close)
			w := watch(c, server, c.version(at.page))
			t.Cleanup(w.stop) // before Close, which waits
			if status, answer := c.commit(c.version("/t/Place.json"), at.change); status != 200 {
				t.Fatalf("the change: %d, %s", status, answer)
			}
			patience := 30 * time.Second
			if !at.want {
				patience = 500 * time.Millisecond
			}
			if got := w.changed(patience); got != at.want {
				t.Errorf("changed: %t, want %t", got, at.want)
			}
		})
	}
}

// TestLiveNewTable: the list of tables is told of one that is registered.
func TestLiveNewTable(t *testing.T) {
	db := library(t)
	c := open(t, db, &studio.Options{Deadline: 10 * time.Second})
	server := httptest.NewServer(c.h)
	t.Cleanup(server.Close)
	w := watch(c, server, c.version("/index.json"))
	t.Cleanup(w.stop)
	check(t, db.Register(&Member{}))
	if !w.changed(30 * time.Second) {
		t.Error("the list is not told")
	}
}

// TestLiveBetween: what was committed between the page and its watch is told.
func TestLiveBetween(t *testing.T) {
	c := open(t, library(t), &studio.Options{Write: true})
	version := c.version("/t/books/5.json")
	if status, answer := c.commit(version, `{"table":"books","key":"5","set":{"Pages":1}}`); status != 200 {
		t.Fatal(status, answer)
	}
	if text := c.page("/live?version="+version, 200); !strings.HasSuffix(text, "event: changed\ndata: {}\n\n") {
		t.Errorf("the watch says %q", text)
	}
}

// TestLiveEnds: a watch ends with its reader and with the database.
func TestLiveEnds(t *testing.T) {
	db := library(t)
	c := open(t, db, nil)
	version := c.version("/t/books/5.json")
	ctx, leave := context.WithCancel(bg)
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.do("GET", "/live?version="+version, "", func(r *http.Request) { *r = *r.WithContext(ctx) })
	}()
	time.Sleep(50 * time.Millisecond)
	leave()
	within(t, 10*time.Second, "the end of a watch whose reader has left", func() { <-done })
	go func() {
		time.Sleep(50 * time.Millisecond)
		_ = db.Close()
	}()
	within(t, 10*time.Second, "the end of a watch of a closed database", func() { c.get("/live?version=" + version) })
}

// plain is a store that does not say what is written to it.
type plain struct{ store.Store }

// TestNotWatched: over a store that cannot be watched pages work, and their watch
// is refused once and for all.
func TestNotWatched(t *testing.T) {
	db, err := kivis.Open(plain{memstore.New()}, nil)
	if errors.Is(err, errors.ErrUnsupported) {
		t.Fatal(err)
	}
	check(t, err)
	t.Cleanup(func() { _ = db.Close() })
	check(t, db.Register(&Place{}))
	c := open(t, db, nil)
	if w := c.get("/live?version=" + c.version("/t/Place.json")); w.Code != http.StatusNotImplemented {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
}
