package occ_test

import (
	"testing"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/occ"
	"github.com/kivisdb/kivis/store/storetest"
)

var _ occ.PartSource = (*partReader)(nil)

// partReader is a reader that has a part of each range at hand, another time another.
type partReader struct {
	simpleReader
	turn int
}

// FillPart implements [occ.PartSource].
func (r *partReader) FillPart(dst []occ.Entry, rg store.Range) (filled []occ.Entry, rest store.Range, left bool) {
	c, _ := r.Scan(rg)
	found := c.(*simpleCursor).left
	r.turn++
	n := min(len(found), cap(dst))
	if r.turn%4 > 0 {
		n = min(n, r.turn*7%23)
	}
	for _, e := range found[:n] {
		dst = append(dst, occ.NewEntry(e.Key, e.Value))
	}
	if n == cap(dst) || n == len(found) && r.turn%2 == 0 {
		return dst, rg, false
	}
	if n == 0 {
		return dst, rg, true
	}
	last := found[n-1].Key
	if rg.Reverse {
		rg.Hi = last
	} else {
		rg.Lo = append(last[:len(last):len(last)], 0)
	}
	return dst, rg, true
}

// TestPartSource has the whole test of a store run on one whose cursors begin with
// what is at hand, and go on with the engine's.
func TestPartSource(t *testing.T) {
	storetest.Run(t, func(t testing.TB) store.Store {
		s := newSimple(occ.Options{})
		s.part = true
		return s
	})
}
