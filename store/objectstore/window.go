package objectstore

import "sync"

// What is remembered of the log after it has been applied.
const (
	windowBytes   = 8 << 20
	windowCommits = 1024
)

// window is the newest part of the log as it is known here: what others' commits and
// our own are checked against, and what the feed is told from.
type window struct {
	mu      sync.Mutex
	head    point
	commits []*commit // up to the head
	bytes   int64     // that they take in memory, about
	own     point     // our last commit; zero if there is none
}

// newest returns the newest point that is known.
func (w *window) newest() point {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.head
}

// since returns what was committed after a version, and the head, up to which that
// is, or false where it is no longer known, or of a version to come.
func (w *window) since(version uint64) (list []*commit, head point, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.head.version - version
	if version > w.head.version || n > uint64(len(w.commits)) {
		return nil, w.head, false
	}
	return w.commits[uint64(len(w.commits))-n:], w.head, true
}

// add takes in the next commit; mine says that it is one of this process.
func (w *window) add(c *commit, mine bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.head = c.point
	w.commits = append(w.commits, c)
	w.bytes += c.memory()
	if mine {
		w.own = c.point
	}
}

// trim forgets what lies before a version, if it is much.
func (w *window) trim(version uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for n < len(w.commits) && w.commits[n].version <= version && (w.bytes > windowBytes || len(w.commits)-n > windowCommits) {
		w.bytes -= w.commits[n].memory()
		n++
	}
	if n > 0 {
		w.commits = append([]*commit(nil), w.commits[n:]...)
	}
}

// restart has the window begin at a point.
func (w *window) restart(at, own point) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.head, w.commits, w.bytes = at, nil, 0
	if own.version > w.own.version {
		w.own = own
	}
}

// mine returns our last commit.
func (w *window) mine() point {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.own
}
