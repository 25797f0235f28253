package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/kivisdb/kivis"
)

// Flight is a departure of today.
type Flight struct {
	kivis.Auto[Flight] `json:"-"`
	Number             string
	To                 string
	Departs            time.Time
	Delay              int `kivis:"index"` // minutes
}

var (
	flights = kivis.TableOf[Flight](nil)
	delay   = kivis.FieldOf(func(f *Flight) *int { return &f.Delay })
)

//go:embed board.html
var page []byte

//go:embed board.js
var script []byte

// Handler serves the page and its events.
func Handler(db *kivis.DB) http.Handler {
	mux := http.NewServeMux()
	serve := func(kind string, text []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			_, _ = w.Write(text) // the browser may be gone
		}
	}
	mux.HandleFunc("GET /{$}", serve("text/html; charset=utf-8", page))
	mux.HandleFunc("GET /board.js", serve("text/javascript", script))
	mux.HandleFunc("GET /late", func(w http.ResponseWriter, r *http.Request) { late(w, r, db) })
	return mux
}

// late sends the ten latest flights, and again whenever they are others: an event
// of the server for each result of a live query.
func late(w http.ResponseWriter, r *http.Request, db *kivis.DB) {
	w.Header().Set("Content-Type", "text/event-stream")
	control := http.NewResponseController(w)
	latest := flights.With(db).Where(delay.Ge(30)).OrderBy(delay.Desc()).Limit(10)
	for result, err := range latest.Watch(r.Context()) {
		if err != nil {
			return // the browser has gone, or the database is closed
		}
		text, err := json.Marshal(result.Records)
		if err != nil {
			return
		}
		if _, err := fmt.Fprintf(w, "data: %s\n\n", text); err != nil || control.Flush() != nil {
			return
		}
	}
}
