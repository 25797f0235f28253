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

// labelKey is the name of the label.
const labelKey = "badgerstore"

var openings atomic.Int64

// newLabel returns a label for the goroutines of one opening.
func newLabel() string { return strconv.FormatInt(openings.Add(1), 10) }

// labelGoroutine gives a label to the goroutine that calls, and to those that it starts.
func labelGoroutine(label string) {
	pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels(labelKey, label)))
}

// unknownLimit is how long a release of Badger may take to make tables whose
// functions are not known by name.
const unknownLimit = time.Minute

// atWork says whether a compaction does something: that none does it says only if
// each is a compactor that waits for its parts, and parts that wait for their tables.
func (g *compactGate) atWork() bool {
	if g.look != nil {
		return g.look()
	}
	return compacting(g.label)
}

// compacting is atWork of the goroutines with a label.
func compacting(label string) bool {
	for _, at := range stacks(label) {
		part := at.has(enginePath + ".(*levelsController).subcompact")
		switch {
		case part && !at.has(".(*compactGate).waitMade"):
			return true // or a goroutine that makes a table
		case at.has(enginePath+".(*levelsController).doCompact") && !at.has(enginePath+"/y.(*Throttle).Finish"):
			return true
		}
	}
	return false
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

// stacks returns the stacks of all goroutines with a label, of one moment.
func stacks(label string) (found []stack) {
	var profile bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
		return nil // unreachable: a buffer takes everything
	}
	mark := fmt.Sprintf("%q:%q", labelKey, label)
	for text := range strings.SplitSeq(profile.String(), "\n\n") {
		if strings.Contains(text, mark) {
			found = append(found, stack(text))
		}
	}
	return found
}

// slowly is atWork of a release of Badger that is not known: for a while after each
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
