package studio

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/kivisdb/kivis"
)

// assets are the files that pages load.
//
//go:embed assets/*
var assets embed.FS

//go:embed pages/*.html
var templates embed.FS

var pages = template.Must(template.New("").ParseFS(templates, "pages/*.html"))

// request is what one page is asked for.
type request struct {
	*http.Request
	w      http.ResponseWriter
	base   string // where the studio is: "" or a path without a slash at the end
	asJSON bool
}

// view is what every page knows, whatever it shows.
type view struct {
	Base    string   `json:"-"`
	Title   string   `json:"-"`
	Write   bool     `json:"-"`
	Tables  []string `json:"-"` // for the list on the side
	Table   string   `json:"table,omitempty"`
	Version string   `json:"version,omitempty"` // what POST /commit and /live take
}

// A page is shown as HTML or as JSON.
type page struct {
	template string
	status   int
	data     any
	links    []string // of the Link header
}

func (s *server) route(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.EscapedPath(), "/")
	req := &request{Request: r, w: w, base: baseOf(r)}
	switch {
	case path == "commit":
		s.postCommit(req)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "this page can only be read", http.StatusMethodNotAllowed)
	case path == "live":
		s.live(req)
	case strings.HasPrefix(path, "assets/") && !strings.HasSuffix(path, "/"):
		http.ServeFileFS(w, r, assets, path)
	default:
		s.show(req, path)
	}
}

// show makes the page with a path and writes it.
func (s *server) show(r *request, path string) {
	path, r.asJSON = strings.CutSuffix(path, ".json")
	ctx, cancel := context.WithTimeout(r.Context(), s.opts.Timeout)
	defer cancel()
	parts := strings.Split(path, "/")
	for i, part := range parts {
		name, err := url.PathUnescape(part)
		if err != nil {
			s.fail(r, &requestError{http.StatusBadRequest, err})
			return
		}
		parts[i] = name
	}
	var p page
	var err error
	switch {
	case path == "" || path == "index":
		p, err = s.tables(ctx, r)
	case path == "schema":
		p, err = s.drawing(r)
	case parts[0] == "t" && len(parts) == 2:
		if name, format, ok := exportName(parts[1]); ok && !r.asJSON {
			s.export(r, name, format) // as long as it takes
			return
		}
		p, err = s.records(ctx, r, parts[1])
	case parts[0] == "t" && len(parts) == 3:
		p, err = s.record(ctx, r, parts[1], parts[2])
	default:
		err = &requestError{http.StatusNotFound, errors.New("there is no such page")}
	}
	if err != nil {
		s.fail(r, err)
		return
	}
	s.write(r, p)
}

// write writes a page.
func (s *server) write(r *request, p page) {
	var out bytes.Buffer
	var err error
	if r.asJSON {
		r.w.Header().Set("Content-Type", "application/json")
		err = json.NewEncoder(&out).Encode(p.data)
	} else {
		r.w.Header().Set("Content-Type", "text/html; charset=utf-8")
		err = pages.ExecuteTemplate(&out, p.template, p.data)
	}
	if err != nil {
		s.opts.Logger.Error("studio: a page cannot be written", "page", p.template, "error", err)
		http.Error(r.w, "the page cannot be written", http.StatusInternalServerError)
		return
	}
	for _, link := range p.links {
		r.w.Header().Add("Link", link)
	}
	if p.status != 0 {
		r.w.WriteHeader(p.status)
	}
	_, _ = r.w.Write(out.Bytes()) // the browser may be gone
}

// view returns what every page knows.
func (s *server) view(r *request, title string) view {
	v := view{Base: r.base, Title: visible(title), Write: s.opts.Write}
	for _, tb := range s.db.Tables() {
		v.Tables = append(v.Tables, tb.Name)
	}
	return v
}

// requestError is a mistake of a request, with its status.
type requestError struct {
	status int
	err    error
}

func (e *requestError) Error() string { return e.err.Error() }
func (e *requestError) Unwrap() error { return e.err }

// errorPage is what went wrong.
type errorPage struct {
	view
	Status int    `json:"status"`
	Err    string `json:"error"`
}

// fail writes what went wrong.
func (s *server) fail(r *request, err error) {
	p := errorPage{view: s.view(r, "error"), Status: statusOf(err), Err: visible(s.message(err))}
	s.write(r, page{template: "error.html", status: p.Status, data: p})
}

// message returns the error for the reader; one that is not the reader's is
// logged too.
func (s *server) message(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Sprintf("not within %v", s.opts.Timeout)
	}
	if statusOf(err) == http.StatusInternalServerError && !errors.Is(err, context.Canceled) {
		s.opts.Logger.Error("studio", "error", err)
	}
	return err.Error()
}

// statusOf returns the status of an answer that is an error.
func statusOf(err error) int {
	var query *kivis.QueryError
	var request *requestError
	switch {
	case errors.As(err, &request):
		return request.status
	case errors.As(err, &query), errors.Is(err, kivis.ErrBadCursor), errors.Is(err, kivis.ErrFullScan):
		return http.StatusBadRequest
	case errors.Is(err, kivis.ErrNoTable), errors.Is(err, kivis.ErrNotFound):
		return http.StatusNotFound
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, kivis.ErrClosed):
		return http.StatusServiceUnavailable
	case errors.Is(err, errors.ErrUnsupported):
		return http.StatusNotImplemented
	}
	return http.StatusInternalServerError
}
