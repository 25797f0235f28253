package badgerstore

import (
	"bytes"
	"context"
	"fmt"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Badger says nothing when one of its goroutines could not make a table. But once
// none is left that might, it has not. So the store looks at them: they carry a
// label of its own, and a profile has all stacks of one moment.

// The names of the labels.
const (
	labelKey     = "badgerstore"           // the opening
	compactorKey = "badgerstore compactor" // of a part of a compaction, and those who make its tables
)

var openings atomic.Int64

// newLabel returns a label for the goroutines of one opening.
func newLabel() string { return strconv.FormatInt(openings.Add(1), 10) }

// labelGoroutine gives the label of an opening to the goroutine that calls, and to
// those that it starts.
func labelGoroutine(label string) {
	pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels(labelKey, label)))
}

// labelPart is labelGoroutine of a part of a compactor's compaction.
func labelPart(label string, compactor int) {
	labels := pprof.Labels(labelKey, label, compactorKey, strconv.Itoa(compactor))
	pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), labels))
}

// unknownLimit is how long a release of Badger may take to make tables whose
// functions are not known by name.
const unknownLimit = time.Minute

// atWork says whether a compaction does something, or is about to: of one that does
// not, a part waits for its tables, or, if compactions have broken off, to pass.
func (g *compactGate) atWork() bool {
	if g.look != nil {
		return g.look()
	}
	held := make(map[string]bool) // by compactor
	for _, at := range stacks(g.label) {
		waits := at.has(".(*compactGate).waitMade") || g.broken.Load() != nil && at.has(".(*compactGate).pass")
		compactor := at.label(compactorKey)
		switch {
		case at.has(enginePath + "/table.(*Builder).handleBlock"): // serves one of the others
		case !at.begun():
			return true
		case compactor != "", at.has(enginePath + ".(*levelsController).subcompact"): // a part, or who makes its table
			if !waits {
				return true
			}
			held[compactor] = true
		case at.has(enginePath+".(*levelsController).doCompact") && !at.has(enginePath+"/y.(*Throttle).Finish"):
			return true
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for compactor := range g.running {
		if !held[strconv.Itoa(compactor)] {
			return true // all of its parts have ended
		}
	}
	return false
}

// held says, where a compaction never ends, whether no compactor does or begins
// anything any more.
func (g *compactGate) held() bool {
	for _, at := range stacks(g.label) {
		if at.has(enginePath+".(*levelsController).runCompactor") && !at.has(enginePath+".(*levelsController).doCompact") {
			return false
		}
	}
	return !g.atWork()
}

// waits says what waits, where a compaction never ends, for it to take tables: the
// flush of a memtable, and a commit, or the engine's Close, that has another one
// flushed.
func waits(label string) (flush, commit, closing bool) {
	for _, at := range stacks(label) {
		waiting := at.has("sync.(*Cond).Wait")
		flush = flush || waiting && at.has(enginePath+".(*levelsController).addLevel0Table")
		commit = commit || waiting && at.has(enginePath+".(*DB).ensureRoomForWrite")
		closing = closing || at.has("time.Sleep") && at.has(enginePath+".(*DB).close")
	}
	return flush, commit, closing
}

// stack is the functions that a goroutine is in.
type stack string

func (s stack) has(function string) bool { return strings.Contains(string(s), function) }

// begun says whether the goroutine has begun to run: of one that has not, a profile
// has no function.
func (s stack) begun() bool { return s.has("#\t0x") }

// label returns the value of a label that the goroutine has.
func (s stack) label(key string) string {
	_, value, _ := strings.Cut(string(s), fmt.Sprintf("%q:\"", key))
	value, _, _ = strings.Cut(value, `"`)
	return value
}

// stacks returns the stacks of all goroutines with a label, of one moment.
func stacks(label string) (found []stack) {
	var profile bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
		return nil // unreachable: a buffer takes everything
	}
	for text := range strings.SplitSeq(profile.String(), "\n\n") {
		if at := stack(text); at.label(labelKey) == label {
			found = append(found, at)
		}
	}
	return found
}

// slowly is look of a release of Badger that is not known: for a while after each
// change.
func (g *compactGate) slowly() func() bool {
	last, since := -1, time.Now()
	return func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.changes != last {
			last, since = g.changes, time.Now()
		}
		return time.Since(since) < unknownLimit
	}
}
