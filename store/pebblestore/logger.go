package pebblestore

import (
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
)

// logger passes on what Pebble logs, and stands between it and the end of the
// process: that is what Fatalf is to Pebble.
type logger struct {
	s       *Store
	to      *slog.Logger // nil is silence
	flushes atomic.Int32 // that have failed one after the other
}

// fatalError is what Fatalf panics with in a call of the store's.
type fatalError struct{ err error }

// Infof implements pebble.Logger.
func (*logger) Infof(string, ...any) {}

// Errorf implements pebble.Logger.
func (l *logger) Errorf(format string, args ...any) {
	if l.to != nil {
		l.to.Warn("pebblestore: engine", "message", strings.TrimSpace(fmt.Sprintf(format, args...)))
	}
}

// Fatalf implements pebble.Logger. It must not return: Pebble would go on with a
// state that is broken. So the engine ends, and this goroutine: in a call of the
// store's by a panic, which the call catches, and in one of Pebble's own right
// here, with the locks that it gives free in deferred calls.
func (l *logger) Fatalf(format string, args ...any) {
	l.Errorf(format, args...)
	err := l.s.collapse.note(format, args...)
	if ours() {
		panic(fatalError{err})
	}
	runtime.Goexit()
}

// ours says whether the goroutine is in a call of the store's.
func ours() bool {
	pcs := make([]uintptr, 128)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	for {
		frame, more := frames.Next()
		if strings.Contains(frame.Function, "pebblestore.(*Store)") || strings.Contains(frame.Function, "pebblestore.(*applier)") {
			return true
		}
		if !more {
			return false
		}
	}
}

// flushTries is how often one after the other a flush may fail. Pebble tries again
// for ever, and at once, while commits wait.
const flushTries = 10

// listener returns what Pebble is to call.
func (l *logger) listener() *pebble.EventListener {
	return &pebble.EventListener{
		FlushEnd: func(info pebble.FlushInfo) {
			if info.Err == nil {
				l.flushes.Store(0)
			} else if l.flushes.Add(1) == flushTries {
				l.s.collapse.note("a memtable cannot be flushed: %w", info.Err)
			}
		},
		BackgroundError: func(err error) {
			l.Errorf("background error: %v", err)
			l.s.engineError("a compaction", err) // notes damage
		},
		DataCorruption: func(info pebble.DataCorruptionInfo) {
			l.Errorf("%v", info)
			l.s.engineError("a table", info.Details)
		},
	}
}
