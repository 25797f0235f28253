package cookbook

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/kivistest"
)

type Customer struct {
	kivis.Auto[Customer]
	Name  string
	Email string `kivis:"unique,fold"`
}

// Validate runs before each write.
func (c *Customer) Validate() error {
	if !strings.Contains(c.Email, "@") {
		return errInvalid
	}
	return nil
}

var errInvalid = errors.New("an email has an @")

// status is what an error of a call says to a client.
func status(err error) int {
	var unique *kivis.UniqueError
	var reference *kivis.ReferenceError
	var query *kivis.QueryError
	switch {
	case errors.Is(err, kivis.ErrNotFound):
		return http.StatusNotFound
	case errors.As(err, &unique), errors.As(err, &reference), errors.Is(err, kivis.ErrExists):
		return http.StatusConflict
	case errors.Is(err, errInvalid), errors.Is(err, kivis.ErrBadCursor), errors.As(err, &query):
		return http.StatusBadRequest
	case errors.Is(err, kivis.ErrConflict), errors.Is(err, kivis.ErrUnreachable):
		return http.StatusServiceUnavailable // try again
	}
	return http.StatusInternalServerError
}

// api serves customers as JSON.
type api struct {
	customers kivis.Table[Customer, kivis.ID[Customer]]
}

func (a api) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /customers", a.list)
	mux.HandleFunc("GET /customers/{id}", a.get)
	mux.HandleFunc("POST /customers", a.add)
	return mux
}

// list gives a page. Its cursors go into URLs as they are.
func (a api) list(w http.ResponseWriter, r *http.Request) {
	page, err := a.customers.Query().Page(r.Context(), 2, r.FormValue("after"))
	if err == nil && page.Next != "" {
		w.Header().Set("Link", fmt.Sprintf("</customers?after=%s>; rel=\"next\"", url.QueryEscape(page.Next)))
	}
	reply(w, http.StatusOK, page.Records, err)
}

func (a api) get(w http.ResponseWriter, r *http.Request) {
	id, err := kivis.ParseID[Customer](r.PathValue("id"))
	if err != nil {
		err = kivis.ErrNotFound // no record has such an id
	}
	var c Customer
	if err == nil {
		c, err = a.customers.Get(r.Context(), id)
	}
	reply(w, http.StatusOK, c, err)
}

func (a api) add(w http.ResponseWriter, r *http.Request) {
	var c Customer
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&c); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c.ID = 0 // the database gives it
	_, err := a.customers.Insert(r.Context(), &c)
	reply(w, http.StatusCreated, c, err)
}

// reply writes what was found, or the error.
func reply(w http.ResponseWriter, code int, v any, err error) {
	if err != nil {
		http.Error(w, err.Error(), status(err))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(v)
}

func TestHTTP(t *testing.T) {
	db := kivistest.New(t, &Customer{})
	srv := httptest.NewServer(api{kivis.TableOf[Customer](db)}.routes())
	defer srv.Close()
	call := func(method, path, body string, want int) *http.Response {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, srv.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { resp.Body.Close() })
		if resp.StatusCode != want {
			t.Errorf("%s %s is %d, want %d", method, path, resp.StatusCode, want)
		}
		return resp
	}
	for _, name := range []string{"a", "b", "c"} {
		call("POST", "/customers", `{"Name":"`+name+`","Email":"`+name+`@example.com"}`, 201)
	}
	call("POST", "/customers", `{"Email":"A@EXAMPLE.COM"}`, 409)
	call("POST", "/customers", `{"Email":"nowhere"}`, 400)
	call("GET", "/customers/2", "", 200)
	call("GET", "/customers/9", "", 404)
	call("GET", "/customers/x", "", 404)
	call("GET", "/customers?after=x", "", 400)
	next := call("GET", "/customers", "", 200).Header.Get("Link")
	path, _, _ := strings.Cut(strings.TrimPrefix(next, "<"), ">")
	var rest []Customer
	if err := json.NewDecoder(call("GET", path, "", 200).Body).Decode(&rest); err != nil || len(rest) != 1 || rest[0].Name != "c" {
		t.Errorf("the second page is %v, %v", rest, err)
	}
}
