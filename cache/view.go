package cache

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/kivisdb/kivis/store"
)

// view is one version of the origin, as the transactions that began on it see it:
// they share the origin's transactions, which are begun when the view is made, so
// that what a layer does not know is read as of the same version.
type view struct {
	as      moment
	s       *Store
	origin  bool         // there are sources: reads of the origin are possible
	offline bool         // there are none, since the origin cannot be reached
	refs    atomic.Int32 // the transactions on it, and one while it is the newest

	mu      sync.Mutex
	sources []*source
	grown   bool       // the origin has gone on: there will be no more sources
	room    [1]*source // backs sources of one
	first   source
	flights map[string]*flight
}

// source is a transaction of the origin, used by one goroutine at a time.
type source struct {
	mu sync.Mutex
	tx store.Tx
}

// maxSources is how many transactions of the origin a view has at most: so many
// of its reads go on at a time.
const maxSources = 16

func newView(s *Store, tx store.Tx) *view {
	v := &view{as: moment{tx.Version(), s.hist.era.Load()}, s: s, origin: true}
	v.first.tx = tx
	v.sources = append(v.room[:0], &v.first)
	v.refs.Store(1)
	return v
}

// unpinned returns a view that has no transaction of the origin.
func unpinned(s *Store, version uint64) *view {
	v := &view{as: moment{version, s.hist.era.Load()}, s: s, grown: true}
	v.refs.Store(1)
	return v
}

// usable says whether transactions may begin on v.
func (v *view) usable() bool { return v.origin || v.offline }

// pinned says whether reads of the origin are possible.
func (v *view) pinned() bool { return v.origin }

// release gives up a reference to v.
func (v *view) release() {
	if v.refs.Add(-1) > 0 {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, src := range v.sources {
		src.tx.Discard()
	}
}

// source returns a transaction of the origin, locked.
func (v *view) source() *source {
	v.mu.Lock()
	for _, src := range v.sources {
		if src.mu.TryLock() {
			v.mu.Unlock()
			return src
		}
	}
	more := !v.grown && len(v.sources) < maxSources
	src := v.sources[0]
	v.mu.Unlock()
	if more {
		if another := v.grow(); another != nil {
			return another
		}
	}
	src.mu.Lock()
	return src
}

// grow adds a source and returns it, locked, or nil if the origin has gone on.
func (v *view) grow() *source {
	tx, err := v.s.origin.Begin(context.Background(), false)
	if err != nil {
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if tx.Version() != v.as.version || len(v.sources) >= maxSources {
		v.grown = v.grown || tx.Version() != v.as.version
		tx.Discard()
		return nil
	}
	src := &source{tx: tx}
	src.mu.Lock()
	v.sources = append(v.sources, src)
	return src
}

// flight is a read of the origin that others wait for, too.
type flight struct {
	done  chan struct{}
	value []byte
	err   error
}

// get reads a key of the origin, once for all who ask for it meanwhile. It says
// whether this call is the one that has read it.
func (v *view) get(key []byte) (value []byte, first bool, err error) {
	v.mu.Lock()
	if f := v.flights[string(key)]; f != nil {
		v.mu.Unlock()
		<-f.done
		return f.value, false, f.err
	}
	f := &flight{done: make(chan struct{})}
	if v.flights == nil {
		v.flights = make(map[string]*flight)
	}
	v.flights[string(key)] = f
	v.mu.Unlock()
	defer v.land(key, f)
	f.value, f.err = v.read(key)
	return f.value, true, f.err
}

func (v *view) land(key []byte, f *flight) {
	v.mu.Lock()
	delete(v.flights, string(key))
	v.mu.Unlock()
	close(f.done)
}

func (v *view) read(key []byte) ([]byte, error) {
	if !v.pinned() {
		return nil, errOffline
	}
	v.s.reads.Add(1)
	src := v.source()
	defer src.mu.Unlock()
	return src.tx.Get(key)
}

func (v *view) getMany(keys, values [][]byte) error {
	if !v.pinned() {
		return errOffline
	}
	v.s.reads.Add(1)
	src := v.source()
	defer src.mu.Unlock()
	return src.tx.GetMany(keys, values)
}

func (v *view) count(r store.Range) (int, error) {
	if !v.pinned() {
		return 0, errOffline
	}
	v.s.reads.Add(1)
	src := v.source()
	defer src.mu.Unlock()
	return store.Count(src.tx, r)
}

// scan returns a cursor over the origin, which is used under the source's lock.
func (v *view) scan(r store.Range) (*originCursor, error) {
	if !v.pinned() {
		return nil, errOffline
	}
	v.s.reads.Add(1)
	src := v.source()
	defer src.mu.Unlock()
	cur, err := src.tx.Scan(r)
	if err != nil {
		return nil, err
	}
	return &originCursor{src, cur}, nil
}

// originCursor is a cursor of a source, each step of which takes its lock.
type originCursor struct {
	src *source
	store.Cursor
}

// Next implements [store.Cursor].
func (c *originCursor) Next() bool {
	c.src.mu.Lock()
	defer c.src.mu.Unlock()
	return c.Cursor.Next()
}

// Seek implements [store.Cursor].
func (c *originCursor) Seek(key []byte) bool {
	c.src.mu.Lock()
	defer c.src.mu.Unlock()
	return c.Cursor.Seek(key)
}

// Keep implements [store.Cursor].
func (c *originCursor) Keep() []byte {
	c.src.mu.Lock()
	defer c.src.mu.Unlock()
	return c.Cursor.Keep()
}

// Close implements [store.Cursor].
func (c *originCursor) Close() {
	c.src.mu.Lock()
	defer c.src.mu.Unlock()
	c.Cursor.Close()
}
