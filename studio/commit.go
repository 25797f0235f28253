package studio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"

	"github.com/kivisdb/kivis"
)

// maxCommit is how many bytes of edits one commit may have.
const maxCommit = 32 << 20

// edits are what one commit changes.
type edits struct {
	Version string `json:"version"`
	Edits   []edit `json:"edits"`
}

// edit is one change of one record: a set of fields, a delete or an insert.
type edit struct {
	Table  string                     `json:"table"`
	Key    string                     `json:"key"`
	Set    map[string]json.RawMessage `json:"set"`
	Delete bool                       `json:"delete"`
	Insert json.RawMessage            `json:"insert"`
}

// committed is the answer to a commit.
type committed struct {
	Committed int      `json:"committed"` // edits
	Keys      []string `json:"keys"`      // of their records, in their order
}

// postCommit makes edits in one transaction.
func (s *server) postCommit(r *request) {
	r.asJSON = true
	if r.Method != http.MethodPost {
		r.w.Header().Set("Allow", "POST")
		s.fail(r, &requestError{http.StatusMethodNotAllowed, errors.New("edits are sent by POST")})
		return
	}
	done, err := s.commit(r)
	if err != nil {
		s.fail(r, commitError(err))
		return
	}
	s.write(r, page{data: done})
}

// commit reads edits and makes them.
func (s *server) commit(r *request) (done committed, err error) {
	if !s.opts.Write {
		return done, &requestError{http.StatusForbidden, errors.New("the studio is read-only")}
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return done, &requestError{http.StatusUnsupportedMediaType, errors.New("edits are application/json")}
	}
	e, err := readEdits(r)
	if err != nil {
		return done, err
	}
	v, err := parseVersion(e.Version)
	if err == nil && v.Table == "" {
		err = &requestError{http.StatusBadRequest, errors.New("version: edits are made on a page of records")}
	}
	if err != nil {
		return done, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.opts.Timeout)
	defer cancel()
	err = s.db.Update(ctx, func(ctx context.Context, tx *kivis.Tx) error {
		done = committed{Committed: len(e.Edits), Keys: []string{}}
		if err := v.check(ctx, tx); err != nil {
			return err
		}
		for i := range e.Edits {
			key, err := e.Edits[i].apply(ctx, tx)
			if err != nil {
				return err
			}
			done.Keys = append(done.Keys, key.String())
		}
		return nil
	})
	return done, err
}

// readEdits reads what is to be changed.
func readEdits(r *request) (e edits, err error) {
	d := json.NewDecoder(http.MaxBytesReader(r.w, r.Body, maxCommit))
	d.DisallowUnknownFields()
	if err = d.Decode(&e); err == nil {
		if _, end := d.Token(); end != io.EOF {
			err = errors.New("something follows their object")
		}
	}
	var long *http.MaxBytesError
	if errors.As(err, &long) {
		return e, &requestError{http.StatusRequestEntityTooLarge, fmt.Errorf("edits: they have over %d bytes", long.Limit)}
	} else if err != nil {
		return e, &requestError{http.StatusBadRequest, fmt.Errorf("edits: %w", err)}
	}
	return e, nil
}

// apply makes the edit and returns the key of its record.
func (e *edit) apply(ctx context.Context, tx *kivis.Tx) (key kivis.Key, err error) {
	t := kivis.TableNamed(tx, e.Table)
	kinds := 0
	for _, is := range []bool{e.Set != nil, e.Delete, e.Insert != nil} {
		if is {
			kinds++
		}
	}
	if kinds != 1 {
		return key, &requestError{http.StatusBadRequest, errors.New("an edit has one of set, delete and insert")}
	}
	if e.Insert != nil {
		rec := t.New()
		if err := rec.UnmarshalJSON(e.Insert); err != nil {
			return key, &requestError{http.StatusBadRequest, err}
		}
		return t.Insert(ctx, rec)
	}
	if key, err = t.Key(e.Key); errors.Is(err, kivis.ErrNoTable) {
		return key, err
	} else if err != nil {
		return key, &requestError{http.StatusBadRequest, err}
	}
	if e.Delete {
		return key, t.Delete(ctx, key)
	}
	_, err = t.Modify(ctx, key, e.set)
	return key, err
}

// set sets the fields of a record.
func (e *edit) set(rec *kivis.Record) error {
	text, err := rec.MarshalJSON()
	if err != nil {
		return err
	}
	fields := map[string]json.RawMessage{}
	if err := json.Unmarshal(text, &fields); err != nil {
		return err
	}
	for name, value := range e.Set {
		fields[name] = value
	}
	if text, err = json.Marshal(fields); err == nil {
		err = rec.UnmarshalJSON(text)
	}
	if err != nil {
		return &requestError{http.StatusBadRequest, err}
	}
	return nil
}

// commitError gives an error of a commit its status.
func commitError(err error) error {
	status := statusOf(err)
	var request *requestError
	switch {
	case errors.As(err, &request):
	case errors.Is(err, errChanged), errors.Is(err, kivis.ErrConflict), errors.Is(err, kivis.ErrNotFound):
		status = http.StatusConflict
	case errors.Is(err, kivis.ErrReadOnly):
		status = http.StatusForbidden
	case status == http.StatusInternalServerError:
		status = http.StatusUnprocessableEntity // a rule forbids it, or a Validate
	}
	return &requestError{status, err}
}
