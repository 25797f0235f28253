package tables

import (
	"errors"
	"sync/atomic"
)

// ErrTxBusy: a transaction was used while another call on it was under way.
var ErrTxBusy = errors.New("the transaction is in use by another goroutine")

// use says whether a call on a transaction is under way. A transaction belongs
// to one goroutine; two at once would read each other's buffers and lose
// writes. So a call that comes while another is under way fails, and the
// transaction, in which nobody knows any more what belongs together, can then
// only be discarded.
type use struct {
	state atomic.Uint32
}

const (
	inUse uint32 = 1 << iota // a call is under way
	spoilt
)

// Enter begins a call on the transaction, which Leave ends. The error is
// ErrTxBusy where another is under way, or was when one came.
func (u *use) Enter() error {
	if u.state.CompareAndSwap(0, inUse) {
		return nil
	}
	u.state.Or(spoilt)
	return ErrTxBusy
}

// Leave ends a call, or interrupts it while a user's function runs.
func (u *use) Leave() { u.state.And(^inUse) }

// Spoilt returns ErrTxBusy if the transaction was used by two goroutines at
// once.
func (u *use) Spoilt() error {
	if u.state.Load()&spoilt != 0 {
		return ErrTxBusy
	}
	return nil
}
