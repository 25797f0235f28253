package badgerstore

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// flushTries is how often the last memtable is tried to be flushed.
const flushTries = 3

// flusher is what is known of the goroutine in Badger that flushes memtables.
type flusher struct {
	dir     *dirCheck
	closing atomic.Bool
	failed  atomic.Int32 // times since closing
	last    atomic.Pointer[flushFailure]
	why     atomic.Pointer[error] // it has given up
	once    sync.Once
	stopped chan struct{}

	// behind says that the memtable before this one waited as it was full, so that a
	// commit that fills this one may have to wait for it.
	behind atomic.Bool
}

// failure is called in Badger's goroutine, in which it holds nothing, when a
// memtable cannot be flushed, before it waits and tries again. It ends that
// goroutine where it is not to try again.
func (f *flusher) failure(err error) {
	f.last.Store(&flushFailure{err, time.Now()})
	gone := f.dir.gone()
	switch {
	case gone != nil:
		err = gone
	case !f.closing.Load() || f.failed.Add(1) < flushTries:
		return
	}
	f.once.Do(func() {
		f.why.Store(&err)
		close(f.stopped)
	})
	runtime.Goexit()
}

// flushFailure is why a memtable could not be flushed, and when.
type flushFailure struct {
	err error
	at  time.Time
}

// failing returns why a memtable could not be flushed a moment ago, so that the
// next one would wait for it, or nil. Badger tries every second.
func (f *flusher) failing() error {
	if last := f.last.Load(); last != nil && time.Since(last.at) < 3*time.Second/2 {
		return last.err
	}
	return nil
}

// err returns why memtables are not flushed any more, or nil.
func (f *flusher) err() error {
	if err := f.why.Load(); err != nil {
		return *err
	}
	return nil
}
