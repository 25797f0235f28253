package occ

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/kivisdb/kivis/store"
)

// Hook is what [store.CommitHooker] calls at each commit.
type Hook = func(version uint64, changes []store.Change)

// Hooks is the set of a store's commit hooks. The zero value is empty. Its
// methods are safe for concurrent use.
type Hooks struct {
	mu    sync.Mutex
	hooks []*Hook
	n     atomic.Int32 // of hooks
}

// Add adds hook. After remove returns, the hook is not running and will not
// run again.
func (h *Hooks) Add(hook Hook) (remove func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	entry := &hook
	h.hooks = append(h.hooks, entry)
	h.n.Add(1)
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		n := len(h.hooks)
		h.hooks = slices.DeleteFunc(h.hooks, func(e *Hook) bool { return e == entry })
		h.n.Add(int32(len(h.hooks) - n))
	}
}

// None says whether there is no hook.
func (h *Hooks) None() bool { return h.n.Load() == 0 }

// Run calls every hook with what o holds, unless that is nothing, in the order in
// which they were added. Call it for each version, in ascending order, before
// [Core.Publish].
func (h *Hooks) Run(version uint64, o *Overlay) {
	if h.None() || o.Len() == 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	changes := o.AppendChanges(make([]store.Change, 0, o.Len()))
	for _, hook := range h.hooks {
		(*hook)(version, changes)
	}
}
