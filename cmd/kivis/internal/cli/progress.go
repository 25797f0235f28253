package cli

import (
	"fmt"
	"sync"
	"time"
)

// progress shows on standard error how far something has come, if that is a
// terminal, and if it takes more than a second.
type progress struct {
	c     *call
	what  string
	mu    sync.Mutex
	next  time.Time // when it is to be shown again
	shown bool
}

// Progress is shown after a moment, and then so often.
const (
	progressAfter = time.Second
	progressEvery = 200 * time.Millisecond
)

// progress begins to show how far something has come.
func (c *call) progress(what string) *progress {
	return &progress{c: c, what: what, next: time.Now().Add(progressAfter)}
}

// total returns set for what has to count first what there is in all, or nil where
// nobody would see it.
func (p *progress) total() func(done, total int64) {
	if !p.c.std.ErrTerminal {
		return nil
	}
	return p.set
}

// set tells how much has been done, of a total that is 0 where it is not known.
func (p *progress) set(done, total int64) {
	if !p.c.std.ErrTerminal {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if now.Before(p.next) {
		return
	}
	p.next, p.shown = now.Add(progressEvery), true
	if total > 0 {
		fmt.Fprintf(p.c.std.Err, "\r\x1b[K%s: %d %%", p.what, done*100/total)
		return
	}
	fmt.Fprintf(p.c.std.Err, "\r\x1b[K%s: %s", p.what, thousands(done))
}

// end wipes what has been shown.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		fmt.Fprint(p.c.std.Err, "\r\x1b[K")
	}
	p.shown = false
}

// thousands returns a number with commas.
func thousands(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
