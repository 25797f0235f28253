package kivis

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/internal/tables"
	"github.com/kivisdb/kivis/schema"
)

// chunk is what one transaction of a Bulk has done, to be done again where its
// commit conflicts.
//
// Invariant: whatever the chunk has read is either read again, by a call that is
// made again, or compared with what is there by then. So a chunk that commits is
// one that could have run by itself at that moment.
type chunk struct {
	steps   []repeatable
	reads   []observation
	scanned bool // it has read what cannot be compared
}

// repeatable is one step of a chunk.
type repeatable interface {
	again(t *tables.Tx) error
}

// observation is a record as a chunk has read it.
type observation struct {
	table uint32
	tuple []byte
	value []byte // as stored; nil where there was none
}

// maxReads bounds how many records a chunk remembers having read.
const maxReads = 10_000

func (c *chunk) add(s repeatable) { c.steps = append(c.steps, s) }

// write adds writes that are made again as they were.
func (c *chunk) write(wrote []tables.Write) {
	if n := len(c.steps); n > 0 {
		if last, ok := c.steps[n-1].(*repeatedWrites); ok {
			last.calls = append(last.calls, wrote)
			return
		}
	}
	c.add(&repeatedWrites{calls: [][]tables.Write{wrote}})
}

// read adds a read of one record, after the writes so far. What the chunk has
// put there or deleted itself it need not compare, and what it has made from
// something else it cannot.
func (c *chunk) read(writes []tables.Write, tb *schema.Table, tuple, value []byte) {
	switch {
	case c.scanned || c.wrote(tb, tuple):
	case slices.ContainsFunc(writes, func(w tables.Write) bool { return w.Of(tb, tuple) }), len(c.reads) == maxReads:
		c.scanned = true
	default:
		c.reads = append(c.reads, observation{tb.ID, bytes.Clone(tuple), value})
	}
}

// wrote reports whether the last write to the record is made again as it was.
func (c *chunk) wrote(tb *schema.Table, tuple []byte) bool {
	for _, s := range slices.Backward(c.steps) {
		w, ok := s.(*repeatedWrites)
		if !ok {
			return false // it may have written there
		}
		for _, call := range w.calls {
			if slices.ContainsFunc(call, func(w tables.Write) bool { return w.Of(tb, tuple) }) {
				return true
			}
		}
	}
	return false
}

// again does the chunk's work in t, a new transaction.
func (c *chunk) again(t *tables.Tx) error {
	if c.scanned {
		return fmt.Errorf("%w: the chunk has read by a query, or what it has changed itself, and others have changed what it builds upon; put what reads and writes into Bulk.Update, which runs again", ErrConflict)
	}
	for i := range c.reads {
		if err := c.reads[i].compare(t); err != nil {
			return err
		}
	}
	for _, s := range c.steps {
		if err := s.again(t); err != nil {
			return err
		}
	}
	return nil
}

// compare fails where the record is not as it was.
func (o *observation) compare(t *tables.Tx) error {
	tb := t.Schema().ByID(o.table)
	value, err := t.Get(tb, o.tuple)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if bytes.Equal(value, o.value) && (value == nil) == (o.value == nil) {
		return nil
	}
	return fmt.Errorf("%w: record %s of %s, which the chunk has read, was changed by others; put what reads and writes into Bulk.Update, which runs again",
		ErrConflict, record.RefTo(tb, o.tuple), tb.Name)
}

// repeatedWrites are calls whose writes are made again as they were.
type repeatedWrites struct{ calls [][]tables.Write }

func (w *repeatedWrites) again(t *tables.Tx) error {
	for _, call := range w.calls {
		if err := t.Replay(call); err != nil {
			return err
		}
	}
	return nil
}

// repeatedCall is a call that is made again.
type repeatedCall struct{ m *mutation }

func (c repeatedCall) again(t *tables.Tx) error { return c.m.within(t) }
