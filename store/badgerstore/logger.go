package badgerstore

import (
	"fmt"
	"log/slog"
	"strings"
)

// logger passes on what Badger logs. Its information is of no use to a user of
// the store, and its warnings are about things that it then does right; both
// may hold keys. Some of it the store itself must know.
type logger struct {
	to      *slog.Logger // nil is silence
	flusher *flusher
}

// flushFailed is how Badger says that it could not flush a memtable.
const flushFailed = "error flushing memtable to disk: %v, retrying"

// Errorf implements badger.Logger.
func (l logger) Errorf(format string, args ...any) {
	if l.to != nil {
		l.to.Warn("badgerstore: engine", "message", strings.TrimSpace(fmt.Sprintf(format, args...)))
	}
	if format == flushFailed {
		l.flusher.failure(fmt.Errorf("a memtable cannot be flushed: %v", args...))
	}
}

// Warningf implements badger.Logger.
func (l logger) Warningf(format string, args ...any) {
	if l.to != nil {
		l.to.Debug("badgerstore: engine", "message", strings.TrimSpace(fmt.Sprintf(format, args...)))
	}
}

// Infof implements badger.Logger.
func (logger) Infof(string, ...any) {}

// Debugf implements badger.Logger.
func (logger) Debugf(string, ...any) {}
