package studio

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

const (
	livePause = 150 * time.Millisecond // between two looks whether something was committed
	liveBeat  = 15 * time.Second       // between two signs of life
)

// live tells a page, by an event, that it would show something else now.
func (s *server) live(r *request) {
	v, err := parseVersion(r.URL.Query().Get("version"))
	if err != nil {
		s.fail(r, err)
		return
	}
	control := http.NewResponseController(r.w)
	_ = control.SetWriteDeadline(time.Time{}) // a test's recorder has none
	r.w.Header().Set("Content-Type", "text/event-stream")
	send := func(text string) bool {
		_, err := fmt.Fprint(r.w, text)
		return err == nil && control.Flush() == nil
	}
	if !send(": the page is watched\n\n") {
		return
	}
	if s.changed(r.Context(), v, func() bool { return send(": still so\n\n") }) {
		send("event: changed\ndata: {}\n\n")
	}
}

// changed waits until the page would show something else, and reports whether it
// came to that. It looks only after commits.
func (s *server) changed(ctx context.Context, v shown, beat func() bool) bool {
	tick := time.NewTicker(livePause)
	defer tick.Stop()
	beaten := time.Now()
	for looked, first := uint64(0), true; ; {
		if commits := s.db.Stats().Commits; first || commits != looked {
			looked, first = commits, false
			within, cancel := context.WithTimeout(ctx, s.opts.Timeout)
			err := v.check(within, s.db)
			cancel()
			if errors.Is(err, errChanged) {
				return true
			} else if err != nil {
				return false // the database is closed, or the page's query has become a mistake
			}
		}
		select {
		case <-ctx.Done():
			return false
		case now := <-tick.C:
			if now.Sub(beaten) > liveBeat {
				if beaten = now; !beat() {
					return false
				}
			}
		}
	}
}
