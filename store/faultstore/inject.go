package faultstore

import (
	"slices"
	"sync/atomic"
)

// Inject decides at each operation whether it fails: it returns the error, or
// nil. It may be called from several goroutines at a time.
type Inject = func(op Op) error

// Op is an operation about to be done, or in the case of Committed just done.
type Op struct {
	Kind Kind
	Key  []byte // of Get, Set, Delete, Lease and the lower bound of Scan and Guard; good during the call
}

// Kind is a kind of operation.
type Kind uint8

// The kinds of operations.
const (
	Begin     Kind = iota // Store.Begin
	Get                   // Tx.Get
	GetMany               // Tx.GetMany
	Scan                  // Tx.Scan
	Next                  // Cursor.Next and Cursor.Seek
	Count                 // Counter.Count
	Set                   // Tx.Set
	Delete                // Tx.Delete
	Guard                 // Tx.Guard
	Rollback              // Tx.Rollback
	Commit                // Tx.Commit, before the engine's
	Committed             // Tx.Commit, after the engine's
	Lease                 // Store.Lease
	Verify                // Store.Verify
	Close                 // Store.Close
)

var kindNames = [...]string{"Begin", "Get", "GetMany", "Scan", "Next", "Count", "Set", "Delete", "Guard",
	"Rollback", "Commit", "Committed", "Lease", "Verify", "Close"}

// String returns the name of the kind.
func (k Kind) String() string { return kindNames[k] }

// of says whether k is one of kinds, which are all if there are none.
func (k Kind) of(kinds []Kind) bool { return len(kinds) == 0 || slices.Contains(kinds, k) }

// Nth returns an Inject that fails the n-th operation of the given kinds, or of
// all, with err: once. The first is number 1.
func Nth(n int, err error, kinds ...Kind) Inject {
	var seen atomic.Int64
	return func(op Op) error {
		if op.Kind.of(kinds) && seen.Add(1) == int64(n) {
			return err
		}
		return nil
	}
}

// Always returns an Inject that fails every operation of the given kinds, or
// of all, with err.
func Always(err error, kinds ...Kind) Inject {
	return func(op Op) error {
		if op.Kind.of(kinds) {
			return err
		}
		return nil
	}
}

// Tally counts operations. The zero value has counted none.
type Tally struct {
	counts [Close + 1]atomic.Int64
}

// Inject counts op and fails nothing: pass it, as a method value, to [Wrap].
func (t *Tally) Inject(op Op) error {
	t.counts[op.Kind].Add(1)
	return nil
}

// Count returns how many operations of the given kinds there were, or of all.
func (t *Tally) Count(kinds ...Kind) int {
	sum := int64(0)
	for k := range t.counts {
		if Kind(k).of(kinds) {
			sum += t.counts[k].Load()
		}
	}
	return int(sum)
}

// Sweep calls run again and again, each time with an Inject that fails the next
// operation of the given kinds, or of all, with err, until run gets by without
// reaching it. It returns how many operations were failed. The function is
// given the number of the one that fails; it makes a store of its own each
// time.
func Sweep(err error, run func(n int, inject Inject), kinds ...Kind) int {
	for n := 1; ; n++ {
		var reached atomic.Bool
		nth := Nth(n, err, kinds...)
		run(n, func(op Op) error {
			err := nth(op)
			if err != nil {
				reached.Store(true)
			}
			return err
		})
		if !reached.Load() {
			return n - 1
		}
	}
}
