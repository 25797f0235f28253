package memstore

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/kivisdb/kivis/store"
)

// changesKept counts what past holds.
func changesKept(e *engine) (keys, changes int) {
	e.past.walk(store.Range{}, func(h history) bool {
		keys++
		changes += len(h.changes.list)
		return true
	})
	return keys, changes
}

// TestPastOnlyForOthers: what a commit replaces is kept where another
// transaction sees it, and otherwise not.
func TestPastOnlyForOthers(t *testing.T) {
	const n = idleKeys
	s := New()
	want := func(what string, keys, changes int) {
		t.Helper()
		if k, c := changesKept(&s.engine); k != keys || c != changes {
			t.Errorf("%s: %d changes of %d keys are kept, want %d of %d", what, c, k, changes, keys)
		}
	}
	put(t, s, n, "0")
	put(t, s, n, "1")
	want("alone", 0, 0)
	first := begin(t, s, false)
	put(t, s, n, "2")
	want("one reader", n, n)
	put(t, s, n, "3")
	want("again, with nobody in between", n, n)
	second := begin(t, s, true)
	put(t, s, n/2, "4")
	want("two versions seen", n, n+n/2)
	wantValue(t, first, "1")
	wantValue(t, second, "3")
	second.Discard()
	put(t, s, n, "5")
	want("one of them gone", n, n)
	wantValue(t, first, "1")
	first.Discard()
	put(t, s, 1, "6")
	want("both gone", 0, 0)
	if n := s.engine.past.size; n != 0 {
		t.Errorf("the past takes %d bytes when there is none", n)
	}
}

// TestPastIsBounded: however often keys are written beside a transaction that
// stays and others that come and go, little is kept.
func TestPastIsBounded(t *testing.T) {
	s := New()
	put(t, s, 100, "first")
	old := begin(t, s, false)
	defer old.Discard()
	for i := range 2000 {
		passing := begin(t, s, false)
		put(t, s, 1+i%100, fmt.Sprint(i))
		passing.Discard()
	}
	if keys, changes := changesKept(&s.engine); keys != 100 || changes > (1+idleChanges)*keys {
		t.Errorf("%d changes of %d keys are kept for two versions", changes, keys)
	}
	wantValue(t, old, "first")
}

// TestPastIsGivenBack: what was kept for a transaction that has ended goes away
// by and by, although there is always another one.
func TestPastIsGivenBack(t *testing.T) {
	const keys = 20_000
	s := New()
	put(t, s, keys, "first")
	old := begin(t, s, false)
	put(t, s, keys, "second")
	newer := begin(t, s, false)
	old.Discard()
	for range 400 {
		put(t, s, 1, "small")
		next := begin(t, s, false)
		newer.Discard()
		newer = next
	}
	newer.Discard()
	if n, _ := changesKept(&s.engine); n > idleKeys {
		t.Errorf("changes of %d keys are kept for nobody", n)
	}
}

// TestPastBytes: few large values are not left lying about as many small ones
// are, nor is a value held that nobody sees.
func TestPastBytes(t *testing.T) {
	const keys = 10
	s := New()
	big := strings.Repeat("x", idleBytes/keys)
	put(t, s, keys, big)
	old := begin(t, s, false)
	for range 3 {
		passing := begin(t, s, false)
		put(t, s, keys, big)
		passing.Discard()
	}
	put(t, s, keys, big)
	if _, n := changesKept(&s.engine); n > 2*keys {
		t.Errorf("%d changes of %d large values are kept for one transaction", n, keys)
	}
	s.engine.past.walk(store.Range{}, func(h history) bool {
		held := h.key.Size() == len(h.key.Key())
		for _, c := range h.changes.list {
			held = held || &c.old.Key()[0] == &h.key.Key()[0]
		}
		if !held {
			t.Errorf("the key %q holds a value of its own", h.key.Key())
		}
		return true
	})
	old.Discard()
}

// snapshot is a transaction with what it must see.
type snapshot struct {
	tx   store.Tx
	want map[string]string
}

// TestPastModel commits at random beside transactions that see versions of all
// ages, and compares what those read with copies.
func TestPastModel(t *testing.T) {
	seed := rand.Uint64()
	defer func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	}()
	rnd := rand.New(rand.NewPCG(seed, 0))
	s, now := New(), map[string]string{}
	var open []snapshot
	for step := range 3000 {
		switch n := rnd.IntN(10); {
		case n < 4:
			commitSome(t, s, rnd, now, step)
		case n < 6 && len(open) < 8:
			open = append(open, snapshot{begin(t, s, n == 5), maps.Clone(now)})
		case n < 7 && len(open) > 0:
			i := rnd.IntN(len(open))
			open[i].tx.Discard()
			open = slices.Delete(open, i, i+1)
		case len(open) > 0:
			open[rnd.IntN(len(open))].check(t, rnd)
		}
		if t.Failed() {
			t.Fatalf("at step %d", step)
		}
	}
	for _, o := range open {
		o.check(t, rnd)
		o.tx.Discard()
	}
	put(t, s, 1, "last")
	if keys, _ := changesKept(&s.engine); keys != 0 {
		t.Errorf("changes of %d keys are kept for nobody", keys)
	}
}

// commitSome writes a few keys, or now and then many.
func commitSome(t *testing.T, s *Store, rnd *rand.Rand, now map[string]string, step int) {
	n := 1 + rnd.IntN(8)
	if rnd.IntN(20) == 0 {
		n = largeCommit + rnd.IntN(2*largeCommit)
	}
	tx := begin(t, s, true)
	for range n {
		key := fmt.Sprint(rnd.IntN(2 * n))
		if rnd.IntN(3) == 0 {
			tx.Delete([]byte(key))
			delete(now, key)
			continue
		}
		now[key] = fmt.Sprint(step)
		tx.Set([]byte(key), []byte(now[key]))
	}
	if _, err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

func (o *snapshot) check(t *testing.T, rnd *rand.Rand) {
	r := store.Range{Reverse: rnd.IntN(2) == 0}
	if rnd.IntN(2) == 0 {
		r.Lo = []byte(fmt.Sprint(rnd.IntN(100)))
	}
	if rnd.IntN(2) == 0 {
		r.Hi = []byte(fmt.Sprint(rnd.IntN(100)))
	}
	keys := slices.Sorted(maps.Keys(o.want))
	keys = slices.DeleteFunc(keys, func(k string) bool {
		return k < string(r.Lo) || r.Hi != nil && k >= string(r.Hi)
	})
	if n, err := store.Count(o.tx, r); err != nil || n != len(keys) {
		t.Errorf("Count(%q, %q) = %d, %v; want %d", r.Lo, r.Hi, n, err, len(keys))
	}
	if r.Reverse {
		slices.Reverse(keys)
	}
	c, err := o.tx.Scan(r)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, key := range keys {
		if !c.Next() || string(c.Key()) != key || string(c.Value()) != o.want[key] {
			t.Fatalf("a scan of %q to %q, reverse %t, gives %q, %q; want %q, %q", r.Lo, r.Hi, r.Reverse, c.Key(), c.Value(), key, o.want[key])
		}
		value, err := o.tx.Get([]byte(key))
		if err != nil || !bytes.Equal(value, c.Value()) {
			t.Errorf("Get(%q) = %q, %v; want %q", key, value, err, c.Value())
		}
	}
	if c.Next() {
		t.Fatalf("a scan of %q to %q, reverse %t, goes on with %q", r.Lo, r.Hi, r.Reverse, c.Key())
	}
	absent := fmt.Sprint(rnd.IntN(1000))
	if _, there := o.want[absent]; there {
		return
	}
	if value, err := o.tx.Get([]byte(absent)); err == nil {
		t.Errorf("Get(%q) = %q, want ErrNotFound", absent, value)
	}
}
