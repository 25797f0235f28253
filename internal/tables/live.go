package tables

import (
	"container/list"
	"sync"
	"time"
)

// liveList is the transactions that are open beyond a single call, oldest
// first. The zero value is empty.
type liveList struct {
	mu    sync.Mutex
	begun list.List // of time.Time
}

// A LiveTx is an entry in a list of open transactions; nil is in none.
type LiveTx struct {
	elem *list.Element // nil once it is removed
}

func (l *liveList) add() *LiveTx {
	l.mu.Lock()
	defer l.mu.Unlock()
	return &LiveTx{l.begun.PushBack(time.Now())}
}

// remove takes an entry out, if it is still in the list.
func (l *liveList) remove(x *LiveTx) {
	if x == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if x.elem != nil {
		l.begun.Remove(x.elem)
		x.elem = nil
	}
}

// count returns how many transactions are open, and the age of the oldest.
func (l *liveList) count() (n int, age time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if oldest := l.begun.Front(); oldest != nil {
		age = time.Since(oldest.Value.(time.Time))
	}
	return l.begun.Len(), age
}
