package badgerstore

import (
	"fmt"
	"maps"
	"syscall"
	"time"
)

// A compaction of Badger's that cannot make one of its tables goes on without it,
// lists the others in the MANIFEST, and removes those that it was made of: what was
// to be in the table is lost, without an error. So each part of a compaction waits
// at its end, which it says in its log, until there are all the tables that
// compactions were about to make. If there never are, it stays there for good: the
// old tables are still listed, and the next Open finds nothing missing.
//
// No clock decides either way. A table counts that a compaction has made, which a
// flush's does not (product.go), and one is given up only when nobody is at work
// who could still make it (atwork.go).

// begin notes that a compactor is about to make a table. It has passed.
func (g *compactGate) begin(compactor int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.making == nil {
		g.making = make(map[int]int)
	}
	g.making[compactor]++
	g.changes++
}

// waitMade returns once all tables are there that compactions are making.
func (g *compactGate) waitMade() {
	for wait := time.Millisecond; ; wait = min(2*wait, gatePoll) {
		made, err := g.made()
		if g.broken.Load() != nil {
			select {} // somebody else may have the directory from here on
		}
		if made {
			break
		}
		g.notSeen(err)
		if begun := time.Now(); err == nil && wait == gatePoll {
			if g.failed() {
				g.breakOff(fmt.Errorf("badgerstore: a compaction in %s could not make all of its tables; it has changed nothing: %w",
					g.dir.path, g.missing()))
			}
			time.Sleep(10 * time.Since(begun)) // a process with many goroutines takes long to look at
		}
		time.Sleep(wait)
	}
	g.blind.Store(nil)
}

// notSeen has commits refused while there are no handles to look at the directory,
// or for good if it has gone.
func (g *compactGate) notSeen(err error) {
	switch {
	case noHandles(err):
		err = fmt.Errorf("badgerstore: a compaction waits: %w", err)
		g.blind.Store(&err)
		return
	case err != nil && g.dir.gone() != nil:
		g.breakOff(g.dir.gone())
	}
	g.blind.Store(nil)
}

// made says whether all tables are there.
func (g *compactGate) made() (bool, error) {
	want, before := g.wanted()
	n, err := g.products()
	if _, after := g.wanted(); err != nil || before != after {
		return false, err // they are not of one moment
	}
	return n >= want, nil
}

// failed says whether a table is missing that nobody makes any more.
func (g *compactGate) failed() bool {
	_, before := g.wanted()
	if g.atWork() {
		return false
	}
	made, err := g.made()
	if made || err != nil || g.atWork() {
		return false
	}
	_, after := g.wanted()
	return before == after
}

// wanted returns how many tables compactions are making, and a number that is
// another one whenever one begins a table or ends.
func (g *compactGate) wanted() (n, changes int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for made := range maps.Values(g.making) {
		n += made
	}
	return n, g.changes
}

// breakOff has commits fail, those that wait for the compaction as well.
func (g *compactGate) breakOff(err error) {
	if g.broken.CompareAndSwap(nil, &err) {
		close(g.off)
	}
}

// missing returns why a table could not be made, as far as that can be told now: if
// nothing is in the way any more, it was file handles.
func (g *compactGate) missing() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := probe(g.dir.path); err != nil {
		return err
	}
	return syscall.EMFILE
}
