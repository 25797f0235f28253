package cache

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/memstore"
)

// layer is a local store, and what it knows: the keys that it holds, and the
// intervals that it knows whole, in which a key that it does not hold is absent.
// The package comment has the invariants.
type layer struct {
	name    string
	local   store.Store
	mem     *memstore.Store // local, of a layer in memory
	max     int64           // how many bytes it may hold; 0: no bound
	keeps   bool            // outlives the process: what it knows is in the local store as well
	archive bool            // is to know everything
	prefix  []byte
	policy  *policy // nil: never forgets
	hist    *history

	known  atomic.Pointer[intervals]
	pins   atomic.Pointer[pins] // what is never forgotten; nil: nothing
	copies sync.Once            // starts the copying of what is kept
	forgot atomic.Uint64        // how often something was forgotten, beside what was written
	off    atomic.Bool          // answers nothing

	mu       sync.Mutex // what follows, and each change of the local store
	position atomic.Uint64
	bytes    atomic.Int64
	broken   error // why it is off
	resumed  bool  // what it held when it was opened, from hand on, is no item yet
	hand     []byte
	life     schema.Incarnation // of the origin
	saved    uint64             // the position in the local store's mark
	checked  int64              // when it was opened: of its mark
	lost     chan struct{}      // something is to be copied
	change   chan struct{}      // closed when something more is known; nil while nobody waits
	behind   bool               // off, until the origin can be reached: others knew of a newer version
	loaded   bool               // it is one that was here before

	hits, misses, evictions atomic.Int64
}

// answer is what a layer says of a key.
type answer uint8

const (
	unknown answer = iota
	present
	absent
)

// Where a layer that outlives the process keeps things in its local store. No
// key of a database begins with these bytes.
var (
	markKey     = []byte{0} // what this is, and as of when
	intervalKey = []byte{1} // and where one begins: its end
	entryKey    = []byte{2} // and a key: its value
	entryEnd    = []byte{3}
)

// keyOf returns the key under which the local store holds key, in buf where it
// needs one.
func (l *layer) keyOf(buf *[]byte, key []byte) []byte {
	if !l.keeps {
		return key
	}
	*buf = append(append((*buf)[:0], l.prefix...), key...)
	return *buf
}

var keyBuffers = sync.Pool{New: func() any { return new([]byte) }}

// read returns what the local store holds under key.
func (l *layer) read(key []byte) ([]byte, error) {
	if !l.keeps {
		return store.Get(context.Background(), l.local, key)
	}
	buf := keyBuffers.Get().(*[]byte)
	defer keyBuffers.Put(buf)
	sealed, err := store.Get(context.Background(), l.local, l.keyOf(buf, key))
	if err != nil {
		return nil, err
	}
	return unseal(key, sealed)
}

// get returns what l knows of key at a moment.
func (l *layer) get(key []byte, m moment) ([]byte, answer) {
	if l.off.Load() {
		return nil, unknown
	}
	// What is known before the local store is read was there when it was
	// read, unless it was forgotten in between, or written; see has.
	forgot, known := l.forgot.Load(), l.known.Load()
	value, err := l.read(key)
	switch {
	case err == nil:
		return value, l.current(key, m, present)
	case !errors.Is(err, store.ErrNotFound):
		l.fail(err)
		return nil, unknown
	case !known.has(key) || l.forgot.Load() != forgot:
		return nil, unknown
	}
	return nil, l.current(key, m, absent)
}

// current returns a, or unknown where key was written since.
func (l *layer) current(key []byte, m moment, a answer) answer {
	if l.hist.wrote(key, m) {
		return unknown
	}
	if l.policy != nil {
		l.policy.asked(key)
	}
	return a
}

// passed counts that a scan has come across key, once what is held comes near to what
// may be: before, nothing leaves, and to count would cost more than to read.
func (l *layer) passed(key []byte) {
	if l.policy != nil && l.bytes.Load() >= l.max/2 {
		l.policy.asked(key)
	}
}

// fail turns l off, after its local store has failed. Reads go on without it.
func (l *layer) fail(err error) {
	l.off.Store(true)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken == nil {
		l.broken = err
	}
	l.changed()
}

// piece is the beginning of a range that a layer knows whole.
type piece struct {
	tx  store.Tx
	cur store.Cursor
	r   store.Range // what it covers
}

func (p *piece) close() {
	p.cur.Close()
	p.tx.Discard()
}

// piece returns what l knows of the beginning of r, in its direction, at a
// moment.
func (l *layer) piece(r store.Range, m moment) (*piece, bool) {
	if l.off.Load() {
		return nil, false
	}
	forgot := l.forgot.Load()
	r, ok := l.known.Load().beginning(r)
	if !ok {
		return nil, false
	}
	tx, err := l.local.Begin(context.Background(), false)
	if err != nil {
		l.fail(err)
		return nil, false
	}
	if r, ok = l.hist.unwritten(r, m); !ok || l.forgot.Load() != forgot {
		tx.Discard()
		return nil, false
	}
	cur, err := tx.Scan(l.rangeOf(r))
	if err != nil {
		tx.Discard()
		l.fail(err)
		return nil, false
	}
	return &piece{tx, cur, r}, true
}

// beginning returns the part of r that is in the set, and begins where r does.
func (s *intervals) beginning(r store.Range) (store.Range, bool) {
	if !r.Reverse {
		iv, ok := s.at(r.Lo)
		r.Hi = lower(iv.hi, r.Hi)
		return r, ok
	}
	iv, ok := s.below(r.Hi)
	if ok && string(iv.lo.Key()) > string(r.Lo) {
		r.Lo = iv.lo.Key()
	}
	return r, ok
}

// unwritten returns the beginning of r, in its direction, in which nothing was
// written after a moment.
func (h *history) unwritten(r store.Range, m moment) (store.Range, bool) {
	key, some, all := h.firstIn(r.Lo, r.Hi, r.Reverse, m)
	switch {
	case all:
		return r, false
	case !some:
		return r, true
	case r.Reverse:
		r.Lo = behind(key)
		return r, under(r.Lo, r.Hi)
	}
	r.Hi = key
	return r, string(r.Lo) < string(key)
}

// rangeOf returns the range of the local store that holds r.
func (l *layer) rangeOf(r store.Range) store.Range {
	if !l.keeps {
		return r
	}
	r.Lo = append(append([]byte(nil), l.prefix...), r.Lo...)
	if r.Hi == nil {
		r.Hi = entryEnd
	} else {
		r.Hi = append(append([]byte(nil), l.prefix...), r.Hi...)
	}
	return r
}

// close says what l knows, and closes the local store.
func (l *layer) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.saveMark(true)
	l.off.Store(true)
	return errors.Join(err, l.local.Close())
}

// saveMark writes the mark, if there is anything new to be said or always is set.
func (l *layer) saveMark(always bool) error {
	if !l.keeps || l.off.Load() || l.saved == l.position.Load() && !always {
		return nil
	}
	c, err := l.begin()
	if err != nil {
		return err
	}
	return c.commit(nil, nil, false)
}

// next returns a channel that is closed when more is known than now, with the lock
// held.
func (l *layer) next() <-chan struct{} {
	if l.change == nil {
		l.change = make(chan struct{})
	}
	return l.change
}

// changed tells those who wait for it that more is known, with the lock held.
func (l *layer) changed() {
	if l.change != nil {
		close(l.change)
		l.change = nil
	}
}
