package occ

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestTracker compares with a list of all writes, while old ones are forgotten.
func TestTracker(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 3))
	var tracker Tracker
	type write struct {
		key     string
		version uint64
	}
	var writes []write
	oldest := uint64(0)
	hits := 0
	for version := uint64(1); version < 400; version++ {
		var o Overlay
		for range 1 + rnd.IntN(4) {
			key := randomKey(rnd)
			o.Set(key, nil)
			writes = append(writes, write{string(key), version})
		}
		tracker.Record(version, &o)
		if rnd.IntN(3) == 0 {
			oldest = max(oldest, version-min(version, uint64(rnd.IntN(20))))
			tracker.Forget(oldest)
		}
		var f Footprint
		for range 1 + rnd.IntN(3) {
			addRandom(&f, rnd)
		}
		snapshot := oldest + rnd.Uint64N(version-oldest+1)
		want := false
		for _, w := range writes {
			want = want || w.version > snapshot && covers(&f, w.key)
		}
		if got := tracker.Conflicts(&f, snapshot); got != want {
			t.Fatalf("version %d: Conflicts since %d = %v, want %v", version, snapshot, got, want)
		}
		if want {
			hits++
		}
	}
	if hits < 20 || hits > 380 {
		t.Errorf("%d of 400 checks are conflicts, which tests little", hits)
	}
	var f Footprint
	f.AddKey([]byte("never written"))
	if oldest < 2 || !tracker.Conflicts(&f, oldest-1) {
		t.Errorf("a snapshot before %d, up to which all is forgotten, does not conflict", oldest)
	}
	tracker.Forget(1 << 60)
	if tracker.keys() != 0 || tracker.tree.Len() != 0 || tracker.indexed != 0 || len(tracker.queue) != 0 || tracker.bytes != 0 {
		t.Errorf("%d keys, %d commits, %d bytes are left when all is forgotten", tracker.keys(), len(tracker.queue), tracker.bytes)
	}
}

// TestTrackerBounded records more than is remembered.
func TestTrackerBounded(t *testing.T) {
	var tracker Tracker
	var f Footprint
	f.AddKey([]byte("never written"))
	const each = 1000
	version := uint64(0)
	for range 2 * maxTracked / each {
		version++
		var o Overlay
		for i := range each {
			o.Set(fmt.Appendf(nil, "%d/%d", version, i), nil)
		}
		tracker.Record(version, &o)
		if n := tracker.keys(); n > maxTracked {
			t.Fatalf("%d keys are remembered", n)
		}
	}
	if !tracker.Conflicts(&f, 1) {
		t.Error("a snapshot older than what is remembered does not conflict")
	}
	if tracker.Conflicts(&f, version-10) {
		t.Error("a recent snapshot conflicts with what was not written")
	}
	if tracker.Conflicts(new(Footprint), 1) {
		t.Error("an old transaction that read nothing conflicts")
	}
}

// recordHuge records a commit of more keys than are remembered.
func recordHuge(t *Tracker, version uint64) {
	var o Overlay
	for i := range maxTracked + 1 {
		o.Set(fmt.Append(nil, i), nil)
	}
	t.Record(version, &o)
}

// TestTrackerHuge records one commit that is more than is remembered.
func TestTrackerHuge(t *testing.T) {
	var tracker Tracker
	recordHuge(&tracker, 5)
	var f Footprint
	f.AddKey([]byte("x"))
	if !tracker.Conflicts(&f, 4) || tracker.Conflicts(&f, 5) {
		t.Error("snapshots before a huge commit must conflict, later ones not")
	}
}

func TestTrackerSkip(t *testing.T) {
	var tracker Tracker
	var o Overlay
	o.Set([]byte("a"), nil)
	tracker.Record(3, &o)
	tracker.Skip(4)
	tracker.Record(5, &o)
	var a, b Footprint
	a.AddKey([]byte("a"))
	b.AddKey([]byte("b"))
	for _, test := range []struct {
		f        *Footprint
		snapshot uint64
		want     bool
	}{{&a, 3, true}, {&b, 3, true}, {&a, 4, true}, {&b, 4, false}, {&a, 5, false}} {
		if got := tracker.Conflicts(test.f, test.snapshot); got != test.want {
			t.Errorf("Conflicts since %d = %v, want %v", test.snapshot, got, test.want)
		}
	}
}

// TestTrackerReset takes back a commit that was more than is remembered: nobody
// may conflict with it.
func TestTrackerReset(t *testing.T) {
	var tracker Tracker
	recordHuge(&tracker, 5)
	tracker.Reset(4)
	var f Footprint
	f.AddKey([]byte("1"))
	if !tracker.Conflicts(&f, 3) || tracker.Conflicts(&f, 4) {
		t.Error("snapshots before a reset must conflict, later ones not")
	}
}
