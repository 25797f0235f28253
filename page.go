package kivis

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/kivisdb/kivis/query"
	"github.com/kivisdb/kivis/schema"
)

// Page is one page of a query's records. It is made for JSON as it is.
type Page[R any] struct {
	Records []R    `json:"records"`
	Next    string `json:"next,omitempty"` // cursor of the next page; "" on the last one
	Prev    string `json:"prev,omitempty"` // cursor of the page before; "" on the first one
}

// Page returns up to size records from a cursor on: "" for the first page, or
// the Next or Prev of a page of the same query. Without OrderBy they come in
// primary-key order. A cursor names a place between records, not a number of
// them: whatever is inserted or deleted in the meantime, a record that stays
// is neither skipped nor shown twice, and the cursor is good after a restart
// too. Records come in the query's order in both directions. A cursor that was
// damaged, or is of another query, is ErrBadCursor; the size of the pages may
// change. A Func counts by its position alone. Page is not combined with
// Limit, Offset or After.
func (q Query[R, K]) Page(ctx context.Context, size int, cursor string) (Page[R], error) {
	q.q.ByKey = true
	p := newPager(q.call("page"), size)
	page := Page[R]{Records: []R{}}
	err := p.run(ctx, cursor, func(row *query.Row) error {
		var none R
		page.Records = append(page.Records, none)
		return decodeRow(row, &page.Records[len(page.Records)-1])
	})
	if err != nil {
		return Page[R]{}, err
	}
	if p.back {
		slices.Reverse(page.Records)
	}
	page.Next, page.Prev = p.next, p.prev
	return page, nil
}

// pager reads one page and finds out what lies before and behind it.
type pager struct {
	a          queryCall
	size       int
	shape      []byte
	back       bool
	next, prev string
}

// newPager returns the pager of a query, or one that fails where that is not to
// be read by pages.
func newPager(a queryCall, size int) pager {
	switch {
	case a.err != nil:
	case size < 1:
		a.err = &QueryError{Clause: "page", Err: fmt.Errorf("a page of %d records", size)}
	case a.q.Limit >= 0 || a.q.Offset > 0 || a.after != "":
		a.err = &QueryError{Clause: "page", Err: errors.New("a Page is not combined with Limit, Offset or After")}
	}
	return pager{a: a, size: size}
}

// run calls fn with each row of the page, in the order in which it is read.
func (p *pager) run(ctx context.Context, token string, fn func(*query.Row) error) error {
	s, err := open(ctx, p.a.conn, p.a.op, p.a.ref, untilReturn)
	if err != nil {
		return err
	}
	defer s.abandoned()
	r, err := p.read(ctx, &s, token, fn)
	return s.close(nil, r, err)
}

func (p *pager) read(ctx context.Context, s *session, token string, fn func(*query.Row) error) (r Outcome, err error) {
	if p.a.err != nil {
		return r, inTable(p.a.err, s.table)
	}
	q := p.a.q
	if p.shape, err = shapeOf(s.table, &q); err != nil {
		return r, err
	}
	var from cursor
	if token != "" {
		if from, err = s.db.readCursor(p.shape, token); err != nil {
			return r, err
		}
	}
	p.back = from.back
	q.After, q.Backward, q.Limit = from.place, from.back, min(p.size, math.MaxInt-1)+1
	a := p.a
	a.q = q
	plan, err := a.plan(s, query.Want{Kind: query.Records})
	if err != nil {
		return r, err
	}
	defer plan.Release()
	rows := plan.Run(ctx, s.t.Reader())
	defer rows.Release()
	first, last, more, err := p.rows(rows, from.place, fn)
	if err == nil {
		err = p.ends(ctx, s, first, last, more, token == "")
	}
	return s.db.result(plan, rows.Stats()), err
}

// rows reads the page's rows, and returns the places of the first and last of
// them, in the order of reading, and whether there are more.
func (p *pager) rows(rows *query.Rows, from *query.Position, fn func(*query.Row) error) (first, last *query.Position, more bool, err error) {
	first, last = from, from
	for n := 0; rows.Next(); n++ {
		if n == p.size {
			return first, last, true, nil
		}
		at, err := rows.Position()
		if err != nil {
			return nil, nil, false, err
		}
		if n == 0 {
			first = at
		}
		last = at
		if err := fn(rows.Row()); err != nil {
			return nil, nil, false, err
		}
	}
	return first, last, false, rows.Err()
}

// ends makes the cursors to what lies beyond the page.
func (p *pager) ends(ctx context.Context, s *session, first, last *query.Position, more, start bool) error {
	before, behind := first, last
	if p.back {
		before, behind = last, first
	}
	hasNext, hasPrev := more, more
	var err error
	switch {
	case p.back:
		hasNext, err = p.beyond(ctx, s, behind, false)
	case start:
		hasPrev = false
	default:
		hasPrev, err = p.beyond(ctx, s, before, true)
	}
	if err != nil {
		return err
	}
	if hasNext && behind != nil {
		p.next = s.db.writeCursor(p.shape, cursor{place: placed(behind, true)})
	}
	if hasPrev && before != nil {
		p.prev = s.db.writeCursor(p.shape, cursor{place: placed(before, false), back: true})
	}
	return nil
}

// placed returns the place behind or before the record at at. A place that a
// cursor named stays as it is where the page is empty.
func placed(at *query.Position, behind bool) *query.Position {
	p := *at
	p.After = behind
	return &p
}

// beyond reports whether a record lies beyond a place.
func (p *pager) beyond(ctx context.Context, s *session, at *query.Position, back bool) (bool, error) {
	if at == nil {
		return false, nil
	}
	q := p.a.q
	q.After, q.Backward, q.Limit = placed(at, !back), back, 1
	plan, err := query.Compile(s.table, &q, query.Want{Kind: query.Keys})
	if err != nil {
		return false, err
	}
	defer plan.Release()
	rows := plan.Run(ctx, s.t.Reader())
	defer rows.Release()
	return rows.Next(), rows.Err()
}

// cursor is a place in a query, and the direction in which it leads on. As
// text it is base64url of: a version byte, the direction, the head of the
// incarnation, a hash of the query, the place, and a code (HMAC-SHA-256,
// truncated) that only the database can make.
type cursor struct {
	place *query.Position
	back  bool
}

const (
	cursorVersion = 2
	oldCursor     = 1 // the version without an incarnation, which earlier releases gave out
	lifeSize      = 8 // of the incarnation
	shapeSize     = 8
	codeSize      = 16
)

// shapeOf returns a hash of what a cursor is tied to: the table, the predicate
// with its values, and the order.
func shapeOf(tb *schema.Table, q *query.Query) ([]byte, error) {
	plain := *q
	plain.After, plain.Backward = nil, false
	plan, err := query.Compile(tb, &plain, query.Want{Kind: query.Records})
	if err != nil {
		return nil, err
	}
	defer plan.Release()
	shape := plan.Shape()
	return shape[:shapeSize], nil
}

// writeCursor returns c as text.
func (db *DB) writeCursor(shape []byte, c cursor) string {
	b := []byte{cursorVersion, 0}
	if c.back {
		b[1] = 1
	}
	life := db.core.Incarnation()
	b = append(append(b, life[:lifeSize]...), shape...)
	b = query.AppendPosition(b, c.place)
	return base64.RawURLEncoding.EncodeToString(append(b, db.code(b)...))
}

// code returns the code that shows that this database made b.
func (db *DB) code(b []byte) []byte {
	mac := hmac.New(sha256.New, db.core.Secret())
	mac.Write(b)
	return mac.Sum(nil)[:codeSize]
}

// readCursor returns the cursor that text is, or ErrBadCursor.
func (db *DB) readCursor(shape []byte, text string) (cursor, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) < 2+codeSize {
		return cursor{}, fmt.Errorf("%w: it is not one of this database's", ErrBadCursor)
	}
	body, code := b[:len(b)-codeSize], b[len(b)-codeSize:]
	if !hmac.Equal(code, db.code(body)) {
		return cursor{}, fmt.Errorf("%w: it is not one of this database's", ErrBadCursor)
	}
	back, version, body := body[1] == 1, body[0], body[2:]
	if version != oldCursor {
		life := db.core.Incarnation()
		if !bytes.HasPrefix(body, life[:lifeSize]) {
			return cursor{}, fmt.Errorf("%w: %w", ErrBadCursor, ErrIncarnation)
		}
		body = body[lifeSize:]
	}
	if !bytes.HasPrefix(body, shape) {
		return cursor{}, fmt.Errorf("%w: it is one of another query", ErrBadCursor)
	}
	place, err := query.ParsePosition(body[len(shape):])
	if err != nil {
		return cursor{}, fmt.Errorf("%w: %w", ErrBadCursor, err)
	}
	return cursor{place: place, back: back}, nil
}
