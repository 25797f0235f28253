package occ

import (
	"slices"
	"sync"

	"github.com/kivisdb/kivis/store"
)

// Hook is what [store.CommitHooker] calls at each commit.
type Hook = func(version uint64, changes []store.Change)

// Hooks is the set of a store's commit hooks. The zero value is empty. Its
// methods are safe for concurrent use.
type Hooks struct {
	mu    sync.Mutex
	hooks []*Hook
}

// Add adds hook. After remove returns, the hook is not running and will not
// run again.
func (h *Hooks) Add(hook Hook) (remove func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	entry := &hook
	h.hooks = append(h.hooks, entry)
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.hooks = slices.DeleteFunc(h.hooks, func(e *Hook) bool { return e == entry })
	}
}

// None says whether there is no hook.
func (h *Hooks) None() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.hooks) == 0
}

// Run calls every hook with what o holds, in the order in which they were
// added. A store without hooks pays for a lock. Call it for each version, in
// ascending order, before [Core.Publish].
func (h *Hooks) Run(version uint64, o *Overlay) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.hooks) == 0 {
		return
	}
	changes := o.AppendChanges(make([]store.Change, 0, o.Len()))
	for _, hook := range h.hooks {
		(*hook)(version, changes)
	}
}
