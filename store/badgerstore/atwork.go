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
	var profile bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
		return true
	}
	mark := fmt.Sprintf("%q:%q", labelKey, label)
	for stack := range strings.SplitSeq(profile.String(), "\n\n") {
		if !strings.Contains(stack, mark) {
			continue
		}
		part := strings.Contains(stack, enginePath+".(*levelsController).subcompact")
		compactor := strings.Contains(stack, enginePath+".(*levelsController).doCompact")
		switch {
		case part && !strings.Contains(stack, ".(*compactGate).waitMade"):
			return true // or a goroutine that makes a table
		case compactor && !strings.Contains(stack, enginePath+"/y.(*Throttle).Finish"):
			return true
		}
	}
	return false
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
