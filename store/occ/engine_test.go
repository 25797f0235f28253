package occ_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sort"
	"sync"
	"testing"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/occ"
	"github.com/kivisdb/kivis/store/storetest"
)

// simple is about the simplest store that commits in groups: it keeps every
// version whole. Its cursors reuse their buffers as roughly as they may.
type simple struct {
	core occ.Core
	fail func() error // of a write, if set; nothing is written then
	keep bool         // old states, without asking for the oldest version
	part bool         // its readers have only some of what they show at hand

	mu      sync.Mutex
	states  map[uint64]state
	queue   []*request
	leading bool
	groups  int // how many had several members
}

// state is the entries at a version, sorted.
type state []store.Change

type request struct {
	tx      *occ.Tx
	done    chan struct{}
	version uint64
	err     error
}

func newSimple(options occ.Options) *simple {
	s := &simple{states: map[uint64]state{7: nil}}
	s.core.Init(s, 7, options)
	return s
}

func (s *simple) Begin(ctx context.Context, write bool) (store.Tx, error) {
	tx, err := s.core.Begin(ctx, write)
	if err != nil {
		return nil, err
	}
	return tx, nil
}

func (s *simple) Close() error {
	s.core.Close()
	return nil
}

func (s *simple) OnCommit(hook func(uint64, []store.Change)) func() { return s.core.Hooks.Add(hook) }

func (s *simple) Changes(ctx context.Context, after uint64, yield func(store.Commit) bool) error {
	return s.core.Changes(ctx, after, yield)
}

func (s *simple) Wait(ctx context.Context, after uint64) (uint64, error) {
	return s.core.Wait(ctx, after)
}

func (s *simple) Head(ctx context.Context) (uint64, error) { return s.core.Head(ctx) }

func (s *simple) KeepFeed(ctx context.Context, f *store.Feed) error { return s.core.KeepFeed(ctx, f) }

func (s *simple) Written(ranges []store.Range, version uint64) (bool, error) {
	return s.core.Written(ranges, version)
}

func (s *simple) Watch(ranges []store.Range, version uint64) (<-chan struct{}, func()) {
	return s.core.Watch(ranges, version)
}

func (s *simple) Snapshot(version uint64) (occ.Reader, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.part {
		return &partReader{simpleReader{s.states[version]}, int(version)}, nil
	}
	return &simpleReader{s.states[version]}, nil
}

func (s *simple) Commit(tx *occ.Tx) (uint64, error) {
	r := &request{tx: tx, done: make(chan struct{})}
	s.mu.Lock()
	s.queue = append(s.queue, r)
	leader := !s.leading
	s.leading = true
	s.mu.Unlock()
	if leader {
		s.lead()
	}
	<-r.done
	return r.version, r.err
}

// lead commits groups until the queue is empty.
func (s *simple) lead() {
	for {
		for range 20 {
			runtime.Gosched() // company may come
		}
		s.mu.Lock()
		group := s.queue
		s.queue = nil
		s.leading = len(group) > 0
		s.mu.Unlock()
		if len(group) == 0 {
			return
		}
		s.commit(group)
		for _, r := range group {
			close(r.done)
		}
	}
}

func (s *simple) commit(group []*request) {
	version := s.core.Version() + 1
	var admitted []*request
	for _, r := range group {
		if r.err = s.core.Admit(r.tx); r.err == nil {
			r.version = version
			admitted = append(admitted, r)
		}
	}
	if len(admitted) == 0 {
		return
	}
	if err := s.write(version); err != nil {
		s.core.Abort()
		for _, r := range admitted {
			r.version, r.err = 0, err
		}
		return
	}
	s.core.Hooks.Run(version, s.core.Writes())
	s.core.Publish(version, nil)
	s.forget(len(admitted))
}

// write makes the state at version.
func (s *simple) write(version uint64) error {
	if s.fail != nil {
		if err := s.fail(); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.states[version-1]
	next := make(state, 0, len(old))
	for e := range s.core.Writes().All() {
		i, found := old.find(e.Key())
		next = append(next, old[:i]...)
		old = old[i:]
		if found {
			old = old[1:]
		}
		if !e.Deleted() {
			next = append(next, store.Change{Key: e.Key(), Value: e.Value()})
		}
	}
	s.states[version] = append(next, old...)
	return nil
}

// forget drops the states that nobody sees.
func (s *simple) forget(members int) {
	if s.keep {
		return
	}
	oldest := s.core.Oldest()
	s.mu.Lock()
	defer s.mu.Unlock()
	if members > 1 {
		s.groups++
	}
	maps.DeleteFunc(s.states, func(v uint64, _ state) bool { return v < oldest })
}

// find returns where key is, or would be.
func (s state) find(key []byte) (int, bool) {
	return sort.Find(len(s), func(i int) int { return bytes.Compare(key, s[i].Key) })
}

type simpleReader struct{ state state }

func (r *simpleReader) Get(key []byte) ([]byte, error) {
	if i, ok := r.state.find(key); ok {
		return r.state[i].Value, nil
	}
	return nil, store.ErrNotFound
}

func (r *simpleReader) GetMany(keys, values [][]byte) error {
	for i, key := range keys {
		values[i], _ = r.Get(key)
	}
	return nil
}

func (r *simpleReader) Scan(rg store.Range) (store.Cursor, error) {
	lo, _ := r.state.find(rg.Lo)
	hi := len(r.state)
	if rg.Hi != nil {
		hi, _ = r.state.find(rg.Hi)
	}
	left := slices.Clone(r.state[lo:max(lo, hi)])
	if rg.Reverse {
		slices.Reverse(left)
	}
	return &simpleCursor{r: rg, left: left, value: []byte{}}, nil
}

func (r *simpleReader) Close() { r.state = nil }

// simpleCursor overwrites what it returned when it moves.
type simpleCursor struct {
	r          store.Range
	left       state // the first is the current one, if started
	started    bool
	closed     bool
	key, value []byte
}

func (c *simpleCursor) Next() bool {
	if c.closed {
		panic("Next of a closed cursor")
	}
	if c.started && len(c.left) > 0 {
		c.left = c.left[1:]
	}
	c.started = true
	return c.show()
}

func (c *simpleCursor) Seek(key []byte) bool {
	if c.r.Hi != nil && bytes.Compare(key, c.r.Hi) >= 0 || bytes.Compare(key, c.r.Lo) < 0 {
		panic(fmt.Sprintf("Seek(%q) is out of the range", key))
	}
	for len(c.left) > 0 {
		order := bytes.Compare(c.left[0].Key, key)
		if order == 0 || (order > 0) != c.r.Reverse {
			break
		}
		c.left = c.left[1:]
	}
	c.started = true
	return c.show()
}

func (c *simpleCursor) show() bool {
	for i := range c.key {
		c.key[i] = '?'
	}
	for i := range c.value {
		c.value[i] = '?'
	}
	if len(c.left) == 0 {
		return false
	}
	c.key = append(c.key[:0], c.left[0].Key...)
	return true
}

func (c *simpleCursor) Key() []byte { return c.key }

func (c *simpleCursor) Value() []byte {
	if c.r.KeysOnly {
		return nil
	}
	c.value = append(c.value[:0], c.left[0].Value...)
	return c.value[:len(c.value):len(c.value)]
}

func (c *simpleCursor) Keep() []byte {
	if c.r.KeysOnly {
		return nil
	}
	return c.left[0].Value
}

func (c *simpleCursor) Err() error { return nil }

func (c *simpleCursor) Close() { c.closed = true }

// TestExample has the whole test of a store run on the example of one.
func TestExample(t *testing.T) {
	storetest.Run(t, func(t testing.TB) store.Store { return OpenTiny() })
}

func TestSimpleStore(t *testing.T) {
	storetest.Run(t,
		func(t testing.TB) store.Store { return newSimple(occ.Options{}) },
		storetest.Limited(func(t testing.TB) store.Store {
			return newSimple(occ.Options{Limit: func(keys, bytes int) error {
				if keys > 1000 || bytes > 1<<20 {
					return fmt.Errorf("%w: over 1000 keys or 1 MiB", store.ErrTxTooLarge)
				}
				return nil
			}})
		}))
}
