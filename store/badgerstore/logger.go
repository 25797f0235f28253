package badgerstore

import (
	"fmt"
	"log/slog"
	"strings"

	"github.com/dgraph-io/badger/v4"
)

// logger passes on what Badger logs. Its information is of no use to a user of
// the store, and its warnings are about things that it then does right; both
// may hold keys. Some of it the store itself must know.
type logger struct {
	to      *slog.Logger // nil is silence
	flusher *flusher
	gate    *compactGate
	handles *handles
}

// flushFailed is how Badger says that it could not flush a memtable.
const flushFailed = "error flushing memtable to disk: %v, retrying"

// memtableFull is how it says that it is about to begin another one, with its log.
const memtableFull = "Flushing memtable, mt.size=%d size of flushChan: %d\n"

// flattenNext is how Badger's Flatten says that it is about to compact a level.
const flattenNext = "Attempting to compact with %+v\n"

// How Badger says that a compaction is about to make a table, that all tables of a
// part of one are being made, and that it has ended. The number of the compactor comes first.
const (
	partDone       = "Discard stats: %v"
	tableNext      = "[%d] LOG Compact. Added %d keys. Skipped %d keys. Iteration took: %v"
	compactionDone = "[Compactor: %d] Compaction for level: %d DONE"
	compactionFail = "[Compactor: %d] LOG Compact FAILED with error: %+v: %+v"

	compactionBuilds = "while running compactions for" // of an error before that
)

// Errorf implements badger.Logger.
func (l logger) Errorf(format string, args ...any) {
	if l.to != nil {
		l.to.Warn("badgerstore: engine", "message", strings.TrimSpace(fmt.Sprintf(format, args...)))
	}
	if format == flushFailed {
		err, _ := args[0].(error)
		l.flusher.failure(wrapEngine("flushing a memtable", err))
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
func (l logger) Debugf(format string, args ...any) {
	switch format {
	case memtableFull:
		l.handles.free()
		waiting, ok := args[1].(int)
		l.flusher.behind.Store(!ok || waiting > 0)
	case partDone:
		l.gate.waitMade()
	default:
		l.compaction(format, args)
	}
}

// compaction tells the gate of a compaction.
func (l logger) compaction(format string, args []any) {
	if format != tableNext && format != compactionDone && format != compactionFail {
		return
	}
	compactor, _ := args[0].(int)
	if format == tableNext {
		l.gate.pass(compactor)
		if keys, ok := args[1].(uint64); !ok || keys > 0 {
			l.gate.begin(compactor)
		}
		return
	}
	if err, ok := args[1].(error); ok && unlisted(err) {
		l.gate.breakOff(wrapEngine("listing the tables of a compaction", err))
	}
	l.gate.done(compactor)
}

// unlisted says whether a compaction has failed as it wrote the MANIFEST. Badger then
// goes on with tables that are not what it believes to have listed. Other failures
// come with a text, and change nothing.
func unlisted(err error) bool {
	text := err.Error()
	return !strings.HasPrefix(text, compactionBuilds) && (strings.Contains(text, badger.ManifestFilename) || strings.HasPrefix(text, "While"))
}
