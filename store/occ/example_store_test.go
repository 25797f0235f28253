package occ_test

import (
	"context"
	"fmt"
	"sort"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/occ"
)

// Tiny is a whole store: it keeps the newest version as a sorted slice. An older
// version lives for as long as somebody reads it.
type Tiny struct {
	occ.Store
	core  occ.Core
	queue occ.Queue
	state sorted // of the newest version; under the core's lock
}

// OpenTiny returns an empty store.
func OpenTiny() *Tiny {
	s := new(Tiny)
	s.Store = occ.NewStore(&s.core)
	s.queue.Lead = s.commitGroup
	s.queue.Aborted = fmt.Errorf("tiny: a commit hook panicked: nothing was written")
	s.core.Init(s, 1, occ.Options{})
	return s
}

// Begin implements [store.Store].
func (s *Tiny) Begin(ctx context.Context, write bool) (store.Tx, error) {
	tx, err := s.core.Begin(ctx, write)
	if err != nil {
		return nil, err // and not tx, which is a nil of a type, so not nil
	}
	return tx, nil
}

// Close implements [store.Store].
func (s *Tiny) Close() error {
	if !s.core.Close() {
		return nil // closed before
	}
	s.state = nil // the engine's files would be closed here
	return nil
}

// OnCommit implements [store.CommitHooker].
func (s *Tiny) OnCommit(hook func(uint64, []store.Change)) (remove func()) {
	return s.core.Hooks.Add(hook)
}

// Snapshot implements [occ.Engine]. The core holds its lock.
func (s *Tiny) Snapshot(uint64) (occ.Reader, error) { return s.state, nil }

// Commit implements [occ.Engine].
func (s *Tiny) Commit(tx *occ.Tx) (uint64, error) { return s.queue.Commit(tx) }

// commitGroup commits, as one version, those of a group that do not conflict.
func (s *Tiny) commitGroup(group []*occ.Member) {
	defer s.core.Abort() // where a hook panics; after Publish it does nothing
	var admitted []*occ.Member
	for _, m := range group {
		if err := s.core.Admit(m.Tx); err != nil {
			m.Err = err // store.ErrConflict
			continue
		}
		admitted = append(admitted, m)
	}
	if len(admitted) == 0 {
		return
	}
	version, writes := s.core.Version()+1, s.core.Writes()
	next := s.state.with(writes) // an engine on disk would write and sync here
	s.core.Hooks.Run(version, writes)
	s.core.Publish(version, func([]uint64) { s.state = next })
	for _, m := range admitted {
		m.Version, m.Err = version, nil
	}
}

// sorted is the entries of one version in the order of their keys. It never
// changes. It is an [occ.Reader], and an [occ.Source] for its scans.
type sorted []occ.Entry

// search returns the index of the first entry at or after key.
func (s sorted) search(key []byte) int {
	p := occ.Pivot(key)
	return sort.Search(len(s), func(i int) bool { return !occ.Less(s[i], p) })
}

// Get implements [occ.Reader].
func (s sorted) Get(key []byte) ([]byte, error) {
	i := s.search(key)
	if i == len(s) || string(s[i].Key()) != string(key) {
		return nil, store.ErrNotFound
	}
	return s[i].Value(), nil
}

// GetMany implements [occ.Reader].
func (s sorted) GetMany(keys, values [][]byte) error {
	for i, key := range keys {
		values[i], _ = s.Get(key)
	}
	return nil
}

// Scan implements [occ.Reader]. The core calls Fill instead.
func (s sorted) Scan(r store.Range) (store.Cursor, error) { return occ.NewCursor(s, r), nil }

// Fill implements [occ.Source].
func (s sorted) Fill(dst []occ.Entry, r store.Range) []occ.Entry {
	lo, hi := s.search(r.Lo), len(s)
	if r.Hi != nil {
		hi = s.search(r.Hi)
	}
	for lo < hi && len(dst) < cap(dst) {
		if r.Reverse {
			hi--
			dst = append(dst, s[hi])
		} else {
			dst = append(dst, s[lo])
			lo++
		}
	}
	return dst
}

// Close implements [occ.Reader].
func (s sorted) Close() {}

// with returns the entries after writes.
func (s sorted) with(writes *occ.Overlay) sorted {
	next := make(sorted, 0, len(s)+writes.Len())
	for e := range writes.All() {
		i := s.search(e.Key())
		next, s = append(next, s[:i]...), s[i:]
		if len(s) > 0 && string(s[0].Key()) == string(e.Key()) {
			s = s[1:]
		}
		if !e.Deleted() {
			next = append(next, e)
		}
	}
	return append(next, s...)
}

// A store of its own, complete: the core has the transactions, the store a
// reader of the newest version and a commit.
func Example() {
	s := OpenTiny()
	defer s.Close()
	ctx := context.Background()
	tx, err := s.Begin(ctx, true)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tx.Discard()
	if err := tx.Set([]byte("ORD"), []byte("Chicago")); err != nil {
		fmt.Println(err)
		return
	}
	version, err := tx.Commit()
	fmt.Println(version, err)
	city, err := store.Get(ctx, s, []byte("ORD"))
	fmt.Println(string(city), err)
	// Output:
	// 2 <nil>
	// Chicago <nil>
}
