package studio

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"hash"
	"net/http"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/schema"
)

// shown is what a page has shown of the database, so that it can be looked up
// whether it would show the same again. As text it is the page's version.
type shown struct {
	Table string `json:"t"`           // "" is the list of tables
	Key   string `json:"k,omitempty"` // of a record's page
	Where string `json:"w,omitempty"`
	Order string `json:"o,omitempty"`
	After string `json:"a,omitempty"`
	Size  int    `json:"n,omitempty"`
	Hash  []byte `json:"h"`

	// Counts are those beside the records, in the order of the page. They are
	// watched, and no reason to refuse an edit.
	Counts []int `json:"c,omitempty"`
}

// unknown is a count that was not made in time.
const unknown = -1

// note adds a count that the page has shown.
func (v *shown) note(c count) {
	if c.Note != "" {
		c.N = unknown
	}
	v.Counts = append(v.Counts, c.N)
}

// hashOfTables returns the hash of what is shown of tables.
func hashOfTables(list []*schema.Table) []byte {
	h := sha256.New()
	for _, tb := range list {
		h.Write([]byte(tb.String()))
		h.Write([]byte{0})
	}
	return h.Sum(nil)
}

// query returns the query of a page of records.
func (v *shown) query(conn kivis.Conn) kivis.NamedQuery {
	q := kivis.TableNamed(conn, v.Table).Query()
	if v.Where != "" {
		q = q.Where(v.Where)
	}
	if v.Order != "" {
		q = q.OrderBy(v.Order)
	}
	return q
}

// maxPage is about how many bytes of records a page has, unless one alone has
// more.
const maxPage = 16 << 20

// page returns the page of records, and notes what it shows. It is shorter where
// the records are very long.
func (v *shown) page(ctx context.Context, conn kivis.Conn) (kivis.Page[kivis.Record], error) {
	p, err := v.query(conn).Page(ctx, v.Size, v.After)
	if n := fitting(p.Records); err == nil && n < len(p.Records) {
		v.Size = n
		p, err = v.query(conn).Page(ctx, n, v.After)
	}
	if err == nil {
		h := sha256.New()
		for _, rec := range p.Records {
			addRecord(h, rec)
		}
		v.Hash = h.Sum(nil)
	}
	return p, err
}

// fitting returns how many of the records make a page: as many as would fit if
// they were of one length.
func fitting(recs []kivis.Record) int {
	sum := 0
	for _, rec := range recs {
		sum += len(rec.Raw())
	}
	if sum <= maxPage {
		return len(recs)
	}
	return max(1, len(recs)*maxPage/sum)
}

// record returns the one record, and notes what it shows.
func (v *shown) record(ctx context.Context, conn kivis.Conn) (kivis.Record, error) {
	t := kivis.TableNamed(conn, v.Table)
	key, err := t.Key(v.Key)
	if err != nil {
		return kivis.Record{}, &requestError{http.StatusBadRequest, err}
	}
	rec, err := t.Get(ctx, key)
	if err == nil {
		h := sha256.New()
		addRecord(h, rec)
		v.Hash = h.Sum(nil)
	}
	return rec, err
}

// addRecord adds a record to what a page shows: two pages have one hash if and
// only if they show the same records.
func addRecord(h hash.Hash, rec kivis.Record) {
	one := sha256.New()
	one.Write([]byte(rec.Key().String()))
	h.Write(one.Sum(nil))
	one.Reset()
	one.Write(rec.Raw())
	h.Write(one.Sum(nil))
	h.Write([]byte{byte(rec.Table().Version), byte(rec.Table().Version >> 8)})
}

// errChanged: what a page has shown is no longer so.
var errChanged = errors.New("what the page showed has changed: look at it again")

// check returns errChanged where the page would show something else now.
func (v shown) check(ctx context.Context, conn kivis.Conn) error {
	before := string(v.Hash)
	var err error
	if v.Key != "" {
		_, err = v.record(ctx, conn)
	} else {
		_, err = v.page(ctx, conn)
	}
	switch {
	case errors.Is(err, kivis.ErrNotFound), errors.Is(err, kivis.ErrNoTable):
		return errChanged
	case err != nil:
		return err
	case string(v.Hash) != before:
		return errChanged
	}
	return nil
}

// text returns the version of the page.
func (v shown) text() string {
	b, err := json.Marshal(v)
	if err != nil {
		return "" // unreachable: texts, numbers and bytes only
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// parseVersion returns what a page has shown.
func parseVersion(text string) (v shown, err error) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(b, &v)
	}
	if err == nil && (len(v.Hash) != sha256.Size || v.Table != "" && v.Key == "" && (v.Size < 1 || v.Size > 1000)) {
		err = errors.New("something is missing")
	}
	if err != nil {
		return v, &requestError{http.StatusBadRequest, errors.New("version: it is not that of a page: take it from the page's JSON")}
	}
	return v, nil
}
