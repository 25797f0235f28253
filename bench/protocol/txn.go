package main

import (
	"time"
)

// txn is one transaction: it begins, reads in one request, writes, and commits, until
// it does not conflict.
type txn struct {
	p        *process
	reads    []int // of which it writes the first
	snapshot uint64
	began    time.Duration
	attempts int
	over     func(t *txn)
}

// attempt makes it once.
func (t *txn) attempt() {
	t.attempts++
	if t.attempts > aloneAfter && t.p.alone != t {
		t.p.enter(t, t.run)
		return
	}
	t.run()
}

func (t *txn) run() {
	t.p.pull(func() {
		t.snapshot = t.p.known
		if t.p.c.bucket { // what is read is here
			t.p.commit(t)
			return
		}
		t.p.whole(func() { t.p.commit(t) })
	})
}

// done is told what has become of an attempt.
func (t *txn) done(committed bool) {
	if t.p.alone == t {
		defer t.p.leave()
	}
	if committed {
		t.over(t)
		return
	}
	t.p.after(t.p.c.pauses.after(t.attempts, t.p.c, t.p.rng), t.attempt)
}
