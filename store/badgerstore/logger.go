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
	gate    *compactGate
}

// flushFailed is how Badger says that it could not flush a memtable.
const flushFailed = "error flushing memtable to disk: %v, retrying"

// How Badger says that a compaction is about to make a table, and that it has
// ended. The number of the compactor comes first.
const (
	tableNext      = "[%d] LOG Compact. Added %d keys. Skipped %d keys. Iteration took: %v"
	compactionDone = "[Compactor: %d] Compaction for level: %d DONE"
	compactionFail = "[Compactor: %d] LOG Compact FAILED with error: %+v: %+v"
)

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
	l.compaction(format, args)
	if l.to != nil {
		l.to.Debug("badgerstore: engine", "message", strings.TrimSpace(fmt.Sprintf(format, args...)))
	}
}

// Infof implements badger.Logger.
func (l logger) Infof(format string, _ ...any) {
	if format == flattenNext {
		l.gate.next()
	}
}

// Debugf implements badger.Logger.
func (l logger) Debugf(format string, args ...any) { l.compaction(format, args) }

// compaction tells the gate of a compaction.
func (l logger) compaction(format string, args []any) {
	if format != tableNext && format != compactionDone && format != compactionFail {
		return
	}
	compactor, _ := args[0].(int)
	if format == tableNext {
		l.gate.pass(compactor)
		return
	}
	l.gate.done(compactor)
}
