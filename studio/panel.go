package studio

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kivisdb/kivis"
)

// A panel is a part of a page that is made beside the others and has its own
// deadline: what misses it is a note on the page.
type panel[T any] struct {
	within time.Duration
	done   chan panelResult[T]
	ctx    context.Context
	cancel context.CancelFunc
}

type panelResult[T any] struct {
	value T
	err   error
}

// startPanel has fn make a panel.
func startPanel[T any](ctx context.Context, within time.Duration, fn func(context.Context) (T, error)) panel[T] {
	p := panel[T]{within: within, done: make(chan panelResult[T], 1)}
	p.ctx, p.cancel = context.WithTimeout(ctx, within)
	go func() {
		var got panelResult[T]
		defer func() {
			if r := recover(); r != nil { // as net/http does: the program goes on
				got.err = fmt.Errorf("panic: %v", r)
			}
			p.done <- got
		}()
		got.value, got.err = fn(p.ctx)
	}()
	return p
}

// wait returns the panel, or a note that says why there is none. It does not
// wait for what is slow to notice the deadline.
func (p panel[T]) wait() (v T, note string) {
	defer p.cancel()
	select {
	case got := <-p.done:
		if got.err == nil {
			return got.value, ""
		}
		if !errors.Is(got.err, context.DeadlineExceeded) {
			return v, got.err.Error()
		}
	case <-p.ctx.Done():
	}
	return v, fmt.Sprintf("not within %v", p.within)
}

// maxCount is up to where records are counted.
const maxCount = 1_000_000

// count is a number of records on a page.
type count struct {
	N    int    `json:"n"`
	More bool   `json:"more,omitempty"` // there are more than N
	Note string `json:"note,omitempty"` // why it is not known
}

// String returns the number for a reader.
func (c count) String() string {
	switch {
	case c.Note != "":
		return "?"
	case c.More:
		return "over " + grouped(c.N)
	}
	return grouped(c.N)
}

// grouped returns n with a comma between thousands.
func grouped(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", grouped(n/1000), n%1000)
}

// startCount counts what a query finds.
func (s *server) startCount(ctx context.Context, q kivis.NamedQuery) panel[int] {
	return startPanel(ctx, s.opts.Deadline, q.Limit(maxCount+1).Count)
}

// counted waits for a count.
func counted(p panel[int]) count {
	n, note := p.wait()
	return count{N: min(n, maxCount), More: n > maxCount, Note: note}
}
