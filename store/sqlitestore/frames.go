package sqlitestore

import "sync"

// frames are the pages of the log that this process has written, up to a limit.
type frames struct {
	limit int

	mu    sync.RWMutex
	pages []*[pageSize]byte // nil for one that another process has written
}

// get copies a page to p, if it is there.
func (f *frames) get(number int, p []byte) bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if number >= len(f.pages) || f.pages[number] == nil {
		return false
	}
	copy(p, f.pages[number][:])
	return true
}

// set keeps a page.
func (f *frames) set(number int, p []byte) {
	if number >= f.limit {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.pages) <= number {
		f.grow(len(f.pages) == number)
	}
	if f.pages[number] == nil {
		f.pages[number] = new([pageSize]byte)
	}
	copy(f.pages[number][:], p)
}

// grow adds a page, which an earlier log may have left the memory for.
func (f *frames) grow(keep bool) {
	n := len(f.pages)
	if n == cap(f.pages) {
		f.pages = append(f.pages, nil)
		return
	}
	f.pages = f.pages[:n+1]
	if !keep {
		f.pages[n] = nil
	}
}

// forget forgets all pages: the log begins anew.
func (f *frames) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pages = f.pages[:0]
}
