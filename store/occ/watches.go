package occ

import (
	"sync"
	"sync/atomic"

	"github.com/kivisdb/kivis/store"
)

// watches are the footprints of which somebody wants to know when they are
// written to. The committer says what it has written, and pays for those that it
// concerns; beside the others it looks up each key in a map and in a tree.
//
// The invariant: once add has returned, each commit that is told of later, and is
// newer than the watch's version, marks the watch if it wrote into it.
type watches struct {
	n atomic.Int32 // how many there are

	mu     sync.Mutex
	points map[string]*spot
	ranges intervals
	all    map[*watch]struct{}
	closed bool
	hits   []*interval // scratch of wrote
}

// watch is one footprint.
type watch struct {
	version uint64
	written chan struct{}
	marked  bool // written is closed
	spots   []*spot
	ranges  []*interval
}

// spot is a watch of one key, in a list of those of the same key.
type spot struct {
	key        string
	w          *watch
	prev, next *spot
	gone       bool
}

// insertAtOnce is how many ranges are added or removed while a commit may wait.
const insertAtOnce = 64

// add begins to watch ranges for what is written after version.
func (ws *watches) add(ranges []store.Range, version uint64) *watch {
	w := &watch{version: version, written: make(chan struct{})}
	ws.n.Add(1) // first, so that no commit passes the watch by
	if !ws.enter(w) {
		return w
	}
	for len(ranges) > 0 {
		n := min(len(ranges), insertAtOnce)
		ws.insert(w, ranges[:n])
		ranges = ranges[n:]
	}
	return w
}

// enter makes w one of all, unless the watches are closed.
func (ws *watches) enter(w *watch) bool {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.closed {
		w.mark()
		return false
	}
	if ws.all == nil {
		ws.all = make(map[*watch]struct{})
		ws.points = make(map[string]*spot)
	}
	ws.all[w] = struct{}{}
	return true
}

func (ws *watches) insert(w *watch, ranges []store.Range) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for _, r := range ranges {
		if isPoint(r) {
			w.spots = append(w.spots, ws.addPoint(string(r.Lo), w))
			continue
		}
		w.ranges = append(w.ranges, ws.ranges.add(r.Lo, r.Hi, w))
	}
}

// isPoint says whether a range holds one key alone.
func isPoint(r store.Range) bool {
	n := len(r.Lo)
	return len(r.Hi) == n+1 && r.Hi[n] == 0 && string(r.Hi[:n]) == string(r.Lo)
}

func (ws *watches) addPoint(key string, w *watch) *spot {
	s := &spot{key: key, w: w, next: ws.points[key]}
	if s.next != nil {
		s.next.prev = s
	}
	ws.points[key] = s
	return s
}

func (ws *watches) removePoint(s *spot) {
	switch {
	case s.gone:
		return
	case s.prev != nil:
		s.prev.next = s.next
	case s.next != nil:
		ws.points[s.key] = s.next
	default:
		delete(ws.points, s.key)
	}
	if s.next != nil {
		s.next.prev = s.prev
	}
	s.gone = true
}

// remove ends a watch, and frees it.
func (ws *watches) remove(w *watch) {
	if !ws.leave(w) {
		return
	}
	ws.n.Add(-1)
	for len(w.spots)+len(w.ranges) > 0 {
		ws.drop(w)
	}
}

// leave takes w out of all, and says whether it was there.
func (ws *watches) leave(w *watch) bool {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	_, ok := ws.all[w]
	delete(ws.all, w)
	return ok
}

// drop takes some ranges of w out.
func (ws *watches) drop(w *watch) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for range insertAtOnce {
		if n := len(w.spots); n > 0 {
			ws.removePoint(w.spots[n-1])
			w.spots = w.spots[:n-1]
		}
		if n := len(w.ranges); n > 0 {
			ws.ranges.remove(w.ranges[n-1])
			w.ranges = w.ranges[:n-1]
		}
	}
}

// wrote marks the watches that a version, which the batch has become, concerns.
func (ws *watches) wrote(version uint64, batch []*Tx) {
	if ws.n.Load() == 0 {
		return
	}
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for _, tx := range batch {
		for e := range tx.Overlay().All() {
			ws.hit(version, e)
		}
	}
}

// hit marks the watches of a key. What has hit them is of no use any more.
func (ws *watches) hit(version uint64, key Entry) {
	for s := ws.points[string(key.Key())]; s != nil; s = s.next {
		if version > s.w.version {
			s.w.mark()
			ws.removePoint(s)
		}
	}
	ws.hits = ws.hits[:0]
	ws.ranges.stab(key, func(n *interval) {
		if version > n.w.version {
			ws.hits = append(ws.hits, n)
		}
	})
	for _, n := range ws.hits {
		n.w.mark()
		ws.ranges.remove(n)
	}
	clear(ws.hits)
}

// mark says that w has been written to.
func (w *watch) mark() {
	if !w.marked {
		w.marked = true
		close(w.written)
	}
}

// markOne marks one watch.
func (ws *watches) markOne(w *watch) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if _, ok := ws.all[w]; ok {
		w.mark()
	}
}

// close marks all watches, also those that are added later.
func (ws *watches) close() {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.closed = true
	for w := range ws.all {
		w.mark()
	}
}
