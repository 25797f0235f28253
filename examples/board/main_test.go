package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/studio/browsertest"
)

func TestMain(m *testing.M) { os.Exit(browsertest.Main(m)) }

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// serve returns a database and where its board is served.
func serve(t *testing.T) (*kivis.DB, string) {
	t.Helper()
	db, err := openDB(context.Background())
	check(t, err)
	server := httptest.NewServer(Handler(db))
	t.Cleanup(func() {
		check(t, db.Close()) // ends the events
		server.Close()
	})
	return db, server.URL
}

func setDelay(t *testing.T, db *kivis.DB, id kivis.ID[Flight], minutes int) {
	t.Helper()
	_, err := flights.With(db).Modify(context.Background(), id, func(f *Flight) error { f.Delay = minutes; return nil })
	check(t, err)
}

// TestEvents: the first event has the latest flights, the next one what they have
// become, and a flight that is not among them is no event.
func TestEvents(t *testing.T) {
	db, url := serve(t)
	answer, err := http.Get(url + "/late")
	check(t, err)
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	next := func() (list []Flight) {
		t.Helper()
		for lines.Scan() {
			if text, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				check(t, json.Unmarshal([]byte(text), &list))
				return list
			}
		}
		t.Fatal("the events have ended")
		return nil
	}
	first := next()
	if len(first) != 10 || first[0].Delay < first[9].Delay || first[9].Delay < 30 {
		t.Errorf("the first ten are %+v", first)
	}
	setDelay(t, db, 1, 5) // not late enough
	setDelay(t, db, 2, 999)
	if list := next(); list[0].Delay != 999 || list[0].Number != "KV101" || list[9] != first[8] {
		t.Errorf("then they are %+v", list)
	}
}

// TestBrowser: the page shows each change, a late flight that is in time again
// included.
func TestBrowser(t *testing.T) {
	tab := browsertest.Open(t)
	db, url := serve(t)
	tab.Go(url)
	tab.Await("document.querySelectorAll('#board tr').length === 10")
	setDelay(t, db, 7, 480)
	tab.AwaitText("#board tr:first-child", "480")
	setDelay(t, db, 7, 0)
	tab.Await("!document.getElementById('board').innerText.includes('480')")
	_, err := flights.With(db).Insert(context.Background(), &Flight{Number: "<b>KV7</b>", To: "javascript:alert(1)", Delay: 700})
	check(t, err)
	tab.AwaitText("#board tr:first-child", "<b>KV7</b>")
	if list := tab.Complaints(); len(list) > 0 {
		t.Errorf("the browser complains: %q", list)
	}
}

// TestRun: the program says where its page is, has things happen, and ends.
func TestRun(t *testing.T) {
	ctx, stop := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer stop()
	var out bytes.Buffer
	check(t, run(ctx, []string{"-addr", "127.0.0.1:0", "-every", "1ms"}, &out))
	if !strings.Contains(out.String(), "http://127.0.0.1:") {
		t.Errorf("it prints %q", out.String())
	}
	for _, args := range [][]string{{"-every", "0s"}, {"-addr", "nowhere:x"}, {"-x"}} {
		if err := run(ctx, args, &out); err == nil {
			t.Errorf("%s is taken", fmt.Sprint(args))
		}
	}
}
