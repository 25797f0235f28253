// Package storetest is the whole test of a [store.Store]:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t testing.TB) store.Store { return memstore.New() })
//	}
//
// It checks the contract of package store, each topic in a file of its own, and
// then has random transactions compete and checks that what they saw and did is
// what they would have seen and done one after the other.
package storetest

import (
	"testing"

	"github.com/kivisdb/kivis/store"
)

// Option says what else can be tested of a store, or what cannot.
type Option func(*harness)

// Reopen has Run test what survives Close. The function opens the store in
// directory dir, which is empty the first time.
func Reopen(open func(t testing.TB, dir string) store.Store) Option {
	return func(h *harness) { h.reopen = open }
}

// Limited has Run test transactions over the store's limit. The function opens
// a store that takes less than 64 MiB or a million keys in one.
func Limited(open func(t testing.TB) store.Store) Option {
	return func(h *harness) { h.limited = open }
}

// MaxValue bounds the values that Run writes; the default is 1 MiB.
func MaxValue(n int) Option {
	return func(h *harness) { h.maxValue = n }
}

// OneWriter says that the store lets one write transaction run at a time, so
// that Begin waits for the one before. It must then be a [store.Leaser]: a
// writer that asks for a lease would otherwise wait for itself.
func OneWriter() Option {
	return func(h *harness) { h.oneWriter = true }
}

// Run tests the store that open returns: a new and empty one at each call. Run
// closes it.
func Run(t *testing.T, open func(t testing.TB) store.Store, options ...Option) {
	h := &harness{open: open, maxValue: 1 << 20}
	for _, option := range options {
		option(h)
	}
	for _, topic := range topics {
		t.Run(topic.name, func(t *testing.T) {
			for _, test := range topic.tests {
				t.Run(test.name, func(t *testing.T) { h.run(t, test) })
			}
		})
	}
}

// harness is a store under test.
type harness struct {
	open      func(t testing.TB) store.Store
	reopen    func(t testing.TB, dir string) store.Store // nil: cannot
	limited   func(t testing.TB) store.Store             // nil: cannot
	maxValue  int
	oneWriter bool
}

// test is one property. It runs in a store of its own.
type test struct {
	name  string
	run   func(t *testing.T, h *harness)
	needs needs
}

// needs says what a test asks of a store.
type needs uint8

const (
	writers needs = 1 << iota // several write transactions at a time
	reopen                    // Reopen
	limit                     // Limited
)

func (h *harness) run(t *testing.T, test test) {
	switch {
	case test.needs&writers != 0 && h.oneWriter:
		t.Skip("one writer at a time")
	case test.needs&reopen != 0 && h.reopen == nil:
		t.Skip("no storetest.Reopen")
	case test.needs&limit != 0 && h.limited == nil:
		t.Skip("no storetest.Limited")
	}
	test.run(t, h)
}

var topics = []struct {
	name  string
	tests []test
}{
	{"Get", getTests},
	{"Newest", newestTests},
	{"Scan", scanTests},
	{"Tx", txTests},
	{"Conflict", conflictTests},
	{"Guard", guardTests},
	{"Footprint", footprintTests},
	{"Watch", watchTests},
	{"Feed", feedTests},
	{"FeedKept", keepTests},
	{"Savepoint", savepointTests},
	{"Context", contextTests},
	{"Close", closeTests},
	{"Large", largeTests},
	{"Hook", hookTests},
	{"Lease", leaseTests},
	{"Reopen", reopenTests},
	{"Model", modelTests},
}
