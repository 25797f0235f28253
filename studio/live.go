package studio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/kivisdb/kivis"
)

const (
	liveBeat = 15 * time.Second       // between two signs of life
	liveRest = 100 * time.Millisecond // at least, between two looks at the same page
)

// look is whether a page would show something else.
type look struct {
	run     int // each look is a new result
	changed bool
}

// watched is a look, or why there are no more.
type watched struct {
	changed bool
	err     error
}

// live tells a page, by an event, that it would show something else now.
func (s *server) live(r *request) {
	v, err := parseVersion(r.URL.Query().Get("version"))
	if err != nil {
		s.fail(r, err)
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	looks := s.watch(ctx, v)
	first, ok := <-looks
	if !ok {
		return // the reader has left
	} else if first.err != nil {
		s.fail(r, first.err)
		return
	}
	control := http.NewResponseController(r.w)
	_ = control.SetWriteDeadline(time.Time{}) // a test's recorder has none
	r.w.Header().Set("Content-Type", "text/event-stream")
	send := func(text string) bool {
		_, err := fmt.Fprint(r.w, text)
		return err == nil && control.Flush() == nil
	}
	beat := time.NewTicker(liveBeat)
	defer beat.Stop()
	for now := first; !now.changed; {
		if !send(": still so\n\n") {
			return
		}
		select {
		case now, ok = <-looks:
			if !ok || now.err != nil {
				return // the browser, if it is there, asks again and gets the error
			}
		case <-beat.C:
		}
	}
	send("event: changed\ndata: {}\n\n")
}

// watch looks at what a page has shown, and again after each commit that concerns
// it. An error is the last look, as is one that finds something else.
func (s *server) watch(ctx context.Context, v shown) <-chan watched {
	looks := make(chan watched, 1)
	send := func(w watched) {
		select {
		case looks <- w:
		case <-ctx.Done():
		}
	}
	go func() {
		defer close(looks)
		var took time.Duration
		runs := 0
		for now, err := range kivis.Live(ctx, s.db, func(ctx context.Context, tx *kivis.Tx) (look, error) {
			began := time.Now()
			changed, err := s.differs(ctx, tx, v)
			took, runs = time.Since(began), runs+1
			return look{runs, changed}, err
		}) {
			send(watched{now.changed, err})
			if err != nil || now.changed {
				return
			}
			rest(ctx, max(liveRest, 5*took)) // a costly look has a small share of the time
		}
	}()
	return looks
}

// rest waits a while, or until ctx ends.
func rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// differs reports whether a page would show something else.
func (s *server) differs(ctx context.Context, tx *kivis.Tx, v shown) (bool, error) {
	within, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	err := s.checkShown(within, tx, v)
	if errors.Is(err, errChanged) {
		return true, nil
	} else if err != nil {
		return false, err
	}
	queries := s.beside(ctx, tx, v)
	if len(queries) != len(v.Counts) {
		return true, nil
	}
	for i, q := range queries {
		if n := s.countNow(ctx, q); n != v.Counts[i] && n != unknown && v.Counts[i] != unknown {
			return true, nil
		}
	}
	return false, nil
}

// checkShown returns errChanged where the page would show other records, or other
// tables.
func (s *server) checkShown(ctx context.Context, tx *kivis.Tx, v shown) error {
	if v.Table != "" {
		return v.check(ctx, tx)
	}
	if !bytes.Equal(v.Hash, hashOfTables(s.db.Tables())) {
		return errChanged
	}
	return nil
}

// beside returns the queries whose counts a page shows beside its records.
func (s *server) beside(ctx context.Context, tx *kivis.Tx, v shown) (list []kivis.NamedQuery) {
	if v.Table == "" {
		for _, tb := range s.db.Tables() {
			list = append(list, kivis.TableNamed(tx, tb.Name).Query())
		}
		return list
	}
	if v.Key == "" {
		return nil
	}
	t := kivis.TableNamed(tx, v.Table)
	tb, err := t.Schema(ctx)
	key, keyErr := t.Key(v.Key)
	if err != nil || keyErr != nil {
		return nil
	}
	for _, ref := range tb.Incoming {
		list = append(list, kivis.TableNamed(tx, ref.Table.Name).Where(whereRefers(ref, key)))
	}
	return list
}

// countNow counts what a query finds, or gives up.
func (s *server) countNow(ctx context.Context, q kivis.NamedQuery) int {
	within, cancel := context.WithTimeout(ctx, s.opts.Deadline)
	defer cancel()
	n, err := q.Limit(maxCount + 1).Count(within)
	if err != nil {
		return unknown
	}
	return min(n, maxCount)
}
