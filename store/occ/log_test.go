package occ_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/occ"
)

// logged is a store of nothing but a log, whose entries, sorted, outlive it.
type logged struct {
	core    occ.Core
	queue   occ.Queue
	log     entries // never changed: there is a new one for each version
	version *uint64
	fail    error // of a commit, which then changes nothing
	largest int   // how many entries of the log one commit has changed
	total   int64 // bytes of the log
	writes  int   // commits that have changed the log
}

func openLogged(t *testing.T, log entries, version *uint64) *logged {
	t.Helper()
	s := &logged{log: log, version: version}
	s.queue.Lead = s.commitGroup
	s.core.Init(s, *version, occ.Options{})
	if err := s.core.OpenLog(); err != nil {
		t.Fatalf("OpenLog: %v", err)
	}
	return s
}

func (s *logged) Snapshot(uint64) (occ.Reader, error) { return s.log, nil }

func (s *logged) Commit(tx *occ.Tx) (uint64, error) { return s.queue.Commit(tx) }

func (s *logged) CommitLog(begin func() bool) error {
	s.queue.Committing.Lock()
	defer s.queue.Committing.Unlock()
	if !begin() {
		return nil
	}
	_, err := s.commitBatch()
	return err
}

func (s *logged) commitGroup(group []*occ.Member) {
	for _, m := range group {
		m.Err = s.core.Admit(m.Tx)
	}
	version, err := s.commitBatch()
	for _, m := range group {
		m.Version, m.Err = version, err
	}
}

func (s *logged) commitBatch() (uint64, error) {
	version := s.core.Version() + 1
	changes, err := s.core.LogWrites(version, s.core.Writes())
	if err = errors.Join(err, s.fail); err != nil {
		s.core.Abort()
		return 0, err
	}
	s.largest = max(s.largest, len(changes))
	if len(changes) > 0 {
		s.writes++
	}
	next := slices.Clone(s.log)
	for _, c := range changes {
		i, found := next.find(c.Key)
		if found {
			s.total -= next[i].size()
			next = slices.Delete(next, i, i+1)
		}
		if c.Value != nil {
			next = slices.Insert(next, i, entry(c))
			s.total += next[i].size()
		}
	}
	*s.version = version
	s.core.Publish(version, func([]uint64) { s.log = next })
	return version, nil
}

// write commits the changes, k=v for a key that is set, k for one that is deleted.
func (s *logged) write(t *testing.T, keys ...string) (uint64, error) {
	t.Helper()
	tx, err := s.core.Begin(context.Background(), true)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		if name, ok := bytes.CutSuffix([]byte(key), []byte("=")); ok {
			err = tx.Set(name, nil)
		} else {
			err = tx.Delete(name)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return tx.Commit()
}

// changes returns what the store says was committed after a version, as text.
func (s *logged) changes(after uint64) (got []string, err error) {
	err = s.core.Changes(context.Background(), after, func(c store.Commit) bool {
		got = append(got, textOf(c))
		return true
	})
	return got, err
}

func textOf(c store.Commit) string {
	keys := make([]string, len(c.Writes))
	for i, w := range c.Writes {
		if keys[i] = string(w.Key); !w.Deleted {
			keys[i] += "="
		}
	}
	return fmt.Sprint(c.Version, ": ", strings.Join(keys, " "))
}

// entries are the log of a version, an [occ.LogReader].
type entries []entry

type entry store.Change

func (e entry) size() int64 { return int64(len(e.Key) + len(e.Value)) }

func (r entries) find(key []byte) (int, bool) {
	return slices.BinarySearchFunc(r, key, func(e entry, key []byte) int { return bytes.Compare(e.Key, key) })
}

func (r entries) ScanLog(g store.Range, visit func(key, value []byte) bool) error {
	from, _ := r.find(g.Lo)
	to, _ := r.find(g.Hi)
	part := r[from:to]
	if g.Reverse {
		part = slices.Clone(part)
		slices.Reverse(part)
	}
	for _, e := range part {
		if !visit(e.Key, e.Value) {
			break
		}
	}
	return nil
}

func (entries) Get([]byte) ([]byte, error)             { return nil, store.ErrNotFound }
func (entries) GetMany(_, _ [][]byte) error            { return nil }
func (entries) Scan(store.Range) (store.Cursor, error) { return nil, errors.ErrUnsupported }
func (entries) Close()                                 {}

// randomKeys returns what a commit is to write, in order: mostly little.
func randomKeys(rnd *rand.Rand) []string {
	n := 1 + rnd.IntN(4)
	if rnd.IntN(60) == 0 {
		n = 4000 // several parts
	}
	names := map[string]bool{}
	for len(names) < n {
		names[fmt.Sprintf("key%0*d", 4+rnd.IntN(20), rnd.IntN(10_000))] = true
	}
	keys := slices.Sorted(maps.Keys(names))
	for i := range keys {
		keys[i] += []string{"", "="}[rnd.IntN(2)]
	}
	return keys
}

// TestLogModel compares the feed of random histories, from each version on, with
// what was committed: bounds change, the log goes off and on, commits fail, and
// the store is opened again, after which it knows nothing but the log.
func TestLogModel(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { logModel(t, rand.New(rand.NewPCG(seed, 1))) })
	}
}

func logModel(t *testing.T, rnd *rand.Rand) {
	version := uint64(3)
	s := openLogged(t, nil, &version)
	keep := func(f *store.Feed) {
		t.Helper()
		if err := s.core.KeepFeed(context.Background(), f); err != nil {
			t.Fatalf("KeepFeed(%v): %v", f, err)
		}
	}
	keep(&store.Feed{})
	since := version // all that came after it is kept
	var all []string
	var versions []uint64
	for i := range 300 {
		switch n := rnd.IntN(100); {
		case n < 2:
			keep(nil)
			if len(s.log) > 1 {
				t.Fatalf("the log is off and has %d entries", len(s.log))
			}
			since = math.MaxUint64
		case n < 5:
			keep(&store.Feed{MaxBytes: int64(100 << rnd.IntN(14))})
			since = math.MaxUint64
		case n < 8:
			keep(&store.Feed{})
			since = min(since, version)
		case n < 14:
			s.fail = errors.New("no room")
			if _, err := s.write(t, randomKeys(rnd)...); !errors.Is(err, s.fail) {
				t.Fatalf("a commit that fails: %v", err)
			}
			s.fail = nil
		case n < 24:
			s.core.Close()
			total := s.total
			s = openLogged(t, s.log, &version)
			s.total = total
		default:
			keys := randomKeys(rnd)
			v, err := s.write(t, keys...)
			if err != nil {
				t.Fatal(err)
			}
			versions = append(versions, v)
			all = append(all, fmt.Sprint(v, ": ", strings.Join(keys, " ")))
		}
		if i%10 == 0 {
			s.compare(t, all, versions, since)
		}
	}
}

// compare asks for what came after some versions: all of it, or a gap, which there
// is not after the version since.
func (s *logged) compare(t *testing.T, all []string, versions []uint64, since uint64) {
	t.Helper()
	boundary := uint64(0)
	for i := len(versions) - 1; i >= 0; i -= 1 + i/8 {
		after := versions[i] - 1
		got, err := s.changes(after)
		var gap *store.GapError
		switch {
		case errors.As(err, &gap) && after < since:
			boundary = gap.Boundary
		case err != nil || !slices.Equal(got, all[i:]):
			t.Fatalf("changes after %d are %d commits, error %v; want %d", after, len(got), err, len(all)-i)
		case boundary > 0:
			t.Fatalf("changes after %d are known, those after a later version are not", after)
		}
	}
	if boundary > 0 {
		if _, err := s.changes(boundary); err != nil {
			t.Fatalf("changes after %d, which a gap says is the boundary: %v", boundary, err)
		}
	}
}

// TestLogBounds keeps the log within its bounds, and drops a little at a time.
func TestLogBounds(t *testing.T) {
	version := uint64(1)
	s := openLogged(t, nil, &version)
	const bound = 20 << 10
	if err := s.core.KeepFeed(context.Background(), &store.Feed{MaxBytes: bound}); err != nil {
		t.Fatal(err)
	}
	states := 0
	for i := range 5000 {
		if _, err := s.write(t, fmt.Sprintf("key%d=", i)); err != nil {
			t.Fatal(err)
		}
		if s.total > bound+64 { // the state
			t.Fatalf("the log has %d bytes, more than %d", s.total, bound)
		}
		if s.largest > 2 {
			states++
		}
		s.largest = 0
	}
	if s.total < bound*3/4 {
		t.Errorf("the log has %d bytes of %d", s.total, bound)
	}
	if states > 5000/10 {
		t.Errorf("%d commits of 5000 have dropped something", states)
	}
}

// TestLogOff: a log that is off, or not yet on, costs nothing.
func TestLogOff(t *testing.T) {
	version := uint64(1)
	s := openLogged(t, nil, &version)
	for _, on := range []*store.Feed{nil, {}, nil} {
		if err := s.core.KeepFeed(context.Background(), on); err != nil {
			t.Fatal(err)
		}
		s.writes = 0
		for range 10 {
			if _, err := s.write(t, "a="); err != nil {
				t.Fatal(err)
			}
		}
		if want := map[bool]int{true: 10}[on != nil]; s.writes != want {
			t.Errorf("KeepFeed(%v): %d commits have written to the log, want %d", on, s.writes, want)
		}
	}
}

// TestLogAge drops what is older than it is to become, before and after the store
// is opened again.
func TestLogAge(t *testing.T) {
	version := uint64(1)
	s := openLogged(t, nil, &version)
	const keep = 20 * time.Millisecond
	if err := s.core.KeepFeed(context.Background(), &store.Feed{Keep: keep}); err != nil {
		t.Fatal(err)
	}
	first := version
	for range 3 {
		for range 600 { // more than a commit drops
			if _, err := s.write(t, "a="); err != nil {
				t.Fatal(err)
			}
		}
		s.core.Close()
		time.Sleep(2 * keep)
		s = openLogged(t, s.log, &version)
		old := version
		for range 5 {
			if _, err := s.write(t, "a="); err != nil {
				t.Fatal(err)
			}
		}
		_, err := s.changes(first)
		var gap *store.GapError
		if !errors.As(err, &gap) || gap.Boundary < old {
			t.Fatalf("changes after %d, when all up to %d is too old: %v", first, old, err)
		}
		if got, err := s.changes(gap.Boundary); err != nil || len(got) > 5 {
			t.Errorf("changes after the boundary: %d commits, error %v; want 5 at most", len(got), err)
		}
	}
}

// TestLogDamage changes each byte of a log, and removes each entry: an error, or
// what was committed.
func TestLogDamage(t *testing.T) {
	version := uint64(1)
	s := openLogged(t, nil, &version)
	if err := s.core.KeepFeed(context.Background(), &store.Feed{}); err != nil {
		t.Fatal(err)
	}
	first := version
	var many []string
	for i := range 4000 {
		many = append(many, fmt.Sprintf("%020d=", i))
	}
	for _, keys := range [][]string{{"a=", "b"}, {"b="}, many, {"abc=", "abd"}} {
		if _, err := s.write(t, keys...); err != nil {
			t.Fatal(err)
		}
	}
	want, err := s.changes(first)
	if err != nil || len(want) != 4 {
		t.Fatalf("%d commits, error %v", len(want), err)
	}
	s.core.Close()
	log := s.log
	for n, e := range log {
		for i := 0; i < len(e.Value); i += 1 + len(e.Value)/200 {
			bad := slices.Clone(log)
			bad[n].Value = bytes.Clone(e.Value)
			bad[n].Value[i] ^= 0x10
			checkDamaged(t, fmt.Sprintf("byte %d of %x", i, e.Key), bad, version, first, want)
		}
		if n < len(log)-1 { // without the last it is the log of the commit before
			bad := slices.Delete(slices.Clone(log), n, n+1)
			checkDamaged(t, fmt.Sprintf("%x removed", e.Key), bad, version, first, want)
		}
	}
}

func checkDamaged(t *testing.T, what string, log entries, version, first uint64, want []string) {
	t.Helper()
	s := &logged{log: log, version: &version}
	s.core.Init(s, version, occ.Options{})
	if err := s.core.OpenLog(); err != nil {
		if !errors.Is(err, store.ErrCorrupt) {
			t.Errorf("%s: OpenLog: %v", what, err)
		}
		return
	}
	defer s.core.Close()
	got, err := s.changes(first)
	if !errors.Is(err, store.ErrCorrupt) && !errors.Is(err, store.ErrGap) && (err != nil || !slices.Equal(got, want)) {
		t.Errorf("%s: %d commits, error %v", what, len(got), err)
	}
}

// TestLogCreated: of transactions that commit as one version, the log says what
// they have done together, as memory does.
func TestLogCreated(t *testing.T) {
	version := uint64(1)
	s := openLogged(t, nil, &version)
	if err := s.core.KeepFeed(context.Background(), &store.Feed{}); err != nil {
		t.Fatal(err)
	}
	first := version
	steps := []func(tx *occ.Tx) error{
		func(tx *occ.Tx) error {
			return errors.Join(tx.Create([]byte("a"), nil), tx.Create([]byte("b"), nil), tx.Delete([]byte("c")))
		},
		func(tx *occ.Tx) error {
			return errors.Join(tx.Set([]byte("a"), nil), tx.Delete([]byte("b")), tx.Create([]byte("c"), nil))
		},
	}
	var group []*occ.Member
	for _, step := range steps {
		tx, err := s.core.Begin(context.Background(), true)
		if err != nil {
			t.Fatal(err)
		}
		if err := step(tx); err != nil {
			t.Fatal(err)
		}
		group = append(group, &occ.Member{Tx: tx})
	}
	s.queue.Committing.Lock()
	s.commitGroup(group)
	s.queue.Committing.Unlock()
	s.core.Fail(store.ErrClosed)
	s = openLogged(t, s.log, &version)
	defer s.core.Close()
	var got []store.Write
	if err := s.core.Changes(context.Background(), first, func(c store.Commit) bool {
		got = append(got, c.Writes...)
		return true
	}); err != nil {
		t.Fatal(err)
	}
	want := []store.Write{{Key: []byte("a"), Created: true}, {Key: []byte("c")}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the log says %v, want %v", got, want)
	}
}
