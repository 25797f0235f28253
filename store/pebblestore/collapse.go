package pebblestore

import (
	"fmt"
	"sync"
	"sync/atomic"
)

// collapse is the end of the engine before that of the store: after a write to the
// disk that failed, from which Pebble does not recover. It would end the process,
// or panic where that ends the process, too, for a lock of its is not held then.
//
// So the goroutine that cannot go on stops for good where it is, and what it
// unwinds is nothing. No call of the store's waits for such a goroutine without
// waiting for the collapse as well. From then on nothing of the engine's gets to
// the disk, so that the directory may be given free and opened anew.
type collapse struct {
	store *Store
	once  sync.Once
	ended chan struct{}
	why   atomic.Pointer[error]
}

func newCollapse(s *Store) *collapse { return &collapse{store: s, ended: make(chan struct{})} }

// note begins the collapse.
func (c *collapse) note(format string, args ...any) error {
	err := fmt.Errorf("pebblestore: %s: the engine has given up: "+format, append([]any{c.store.dir}, args...)...)
	c.once.Do(func() {
		c.why.Store(&err)
		close(c.ended)
		// Whoever holds the core's lock may wait for this goroutine.
		go c.store.core.Fail(errUnknown{err})
	})
	return c.err()
}

// err returns why the engine has ended, or nil.
func (c *collapse) err() error {
	if err := c.why.Load(); err != nil {
		return *err
	}
	return nil
}

// pass stops the goroutine for good if the engine has ended.
func (c *collapse) pass() {
	select {
	case <-c.ended:
		stop()
	default:
	}
}

// stop never returns.
func stop() { select {} }

// await returns what f does, which may use the engine, or why the engine has ended.
func await[T any](c *collapse, f func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := f()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-c.ended:
		var none T
		return none, c.err()
	}
}
