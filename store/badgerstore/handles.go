package badgerstore

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
)

// Where the process has no file handle left when Badger begins another log, Badger
// is without a memtable and fails for good; where a compaction has none for one of
// its tables, it goes on without it and loses what was in it. So the store keeps
// some handles for the first, which it gives free as Badger says that it is about
// to open the log, and has compactions wait until there are many.

const (
	// keptHandles is for the log, the store's own handle of it, the directory, and
	// the table that the memtable becomes.
	keptHandles = 6

	// spareHandles is what must be left before a compaction makes a table: it makes
	// a dozen at once.
	spareHandles = 32
)

// handles are file handles in reserve.
type handles struct {
	dir  string
	full atomic.Bool

	mu   sync.Mutex
	kept []*os.File
}

// fill takes as many handles as are missing.
func (h *handles) fill() error {
	if h.full.Load() {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.kept) < keptHandles {
		f, err := os.Open(h.dir)
		if err != nil {
			return fmt.Errorf("badgerstore: keeping handles for the next log: %w", err)
		}
		h.kept = append(h.kept, f)
	}
	h.full.Store(true)
	return nil
}

// free gives all of them free, for what is about to be opened.
func (h *handles) free() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.full.Store(false)
	for _, f := range h.kept {
		f.Close()
	}
	h.kept = h.kept[:0]
}

// spare returns an error if a compaction would not find the handles it needs.
func spare(dir string) error {
	h := handles{dir: dir}
	defer h.free()
	for range spareHandles {
		f, err := os.Open(dir)
		if err != nil {
			return err
		}
		h.kept = append(h.kept, f)
	}
	return nil
}

// noHandles says whether an error is about handles.
func noHandles(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}
