package remote_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/remote"
	"github.com/kivisdb/kivis/store/remote/remotetest"
)

// TestLostReply has each reply to a commit be lost once: it is told as committed,
// and is there once.
func TestLostReply(t *testing.T) {
	b := remotetest.New()
	s := open(t, b, nil)
	for range 20 {
		var n atomic.Int32
		b.Fail(remotetest.Faults{LoseReply: 1}, 1)
		b.Before(func(call string) {
			if call == "Commit" && n.Add(1) == 2 {
				b.Fail(remotetest.Faults{}, 1)
			}
		})
		tx := begun(t, b, s)
		if err := tx.Set([]byte("a"), []byte("1")); err != nil {
			t.Fatal(err)
		}
		before := tx.Version()
		version, err := tx.Commit()
		if err != nil || version != before+1 {
			t.Errorf("Commit = %d, %v; want version %d", version, err, before+1)
		}
		if head, err := s.Head(background); head != version || err != nil {
			t.Errorf("Head = %d, %v after commit %d: it was made twice", head, err, version)
		}
	}
}

// TestForgottenReply has the reply to a commit be lost, and the engine forget the commit
// before it is asked again, as if the process had stood still: nobody is told that it was
// not made.
func TestForgottenReply(t *testing.T) {
	for _, collected := range []bool{true, false} {
		b := remotetest.New()
		s, other := open(t, b, nil), open(t, b, nil)
		set(t, s, "a", "before")
		tx := begun(t, b, s)
		if err := tx.Set([]byte("a"), []byte("after")); err != nil {
			t.Fatal(err)
		}
		var n atomic.Int32
		b.Before(func(call string) {
			if call != "Commit" || n.Add(1) != 2 {
				return
			}
			b.Before(nil)
			b.Fail(remotetest.Faults{}, 1)
			if got := get(t, other, "a"); got != "after" {
				t.Errorf("another process reads %q, want after", got)
			}
			if collected {
				b.Collect(set(t, other, "b", "1"))
			}
		})
		_, err := tx.Commit()
		if collected && !errors.Is(err, store.ErrCommitUnknown) || !collected && err != nil {
			t.Errorf("Commit, forgotten: %v: %v", collected, err)
		}
		set(t, s, "a", "later") // the store goes on
	}
}

// begun begins a write transaction before the network fails.
func begun(t *testing.T, b *remotetest.Backend, s store.Store) store.Tx {
	t.Helper()
	b.Fail(remotetest.Faults{}, 1)
	tx, err := s.Begin(background, true)
	if err != nil {
		t.Fatal(err)
	}
	b.Fail(remotetest.Faults{LoseReply: 1}, 1)
	return tx
}

// TestOutcome has the network fail in the middle of a commit and come back: what
// the caller is told must be so.
func TestOutcome(t *testing.T) {
	for _, test := range []struct {
		name   string
		faults remotetest.Faults
		want   error
		there  bool
	}{
		{"cut", remotetest.Faults{Cut: true}, store.ErrUnreachable, false},
		{"requests lost", remotetest.Faults{Lose: 1}, store.ErrCommitUnknown, false},
		{"replies lost", remotetest.Faults{LoseReply: 1}, store.ErrCommitUnknown, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := remotetest.New()
			s := open(t, b, &remote.Options{Patience: 50 * time.Millisecond})
			set(t, s, "a", "before")
			tx, err := s.Begin(background, true)
			if err != nil {
				t.Fatal(err)
			}
			if err := tx.Set([]byte("a"), []byte("after")); err != nil {
				t.Fatal(err)
			}
			b.Fail(test.faults, 1)
			if _, err := tx.Commit(); !errors.Is(err, test.want) {
				t.Errorf("Commit: %v, want %v", err, test.want)
			}
			_, err = s.Begin(background, false)
			if !errors.Is(err, store.ErrUnreachable) {
				t.Errorf("Begin while the network is bad: %v, want ErrUnreachable", err)
			}
			b.Fail(remotetest.Faults{}, 1)
			want := "before"
			if test.there {
				want = "after"
			}
			if got := get(t, s, "a"); got != want {
				t.Errorf("once the network is back a is %q, want %q", got, want)
			}
			set(t, s, "a", "later") // the store goes on by itself
		})
	}
}

// TestUnreachable: the first call has patience, those after it fail at once.
func TestUnreachable(t *testing.T) {
	b := remotetest.New()
	s := open(t, b, &remote.Options{Patience: 200 * time.Millisecond})
	set(t, s, "a", "1")
	b.Fail(remotetest.Faults{Cut: true}, 1)
	for i, calls := range []func() error{
		func() error { _, err := s.Begin(background, false); return err },
		func() error { _, err := s.Begin(background, true); return err },
		func() error { _, err := s.Get(background, []byte("a")); return err },
		func() error { _, err := s.Head(background); return err },
	} {
		start := time.Now()
		if err := calls(); !errors.Is(err, store.ErrUnreachable) {
			t.Errorf("call %d: %v, want ErrUnreachable", i, err)
		}
		if d := time.Since(start); i > 0 && d > 100*time.Millisecond {
			t.Errorf("call %d fails after %v, though the engine is known to be unreachable", i, d)
		}
	}
	b.Fail(remotetest.Faults{}, 1)
	if got := get(t, s, "a"); got != "1" {
		t.Errorf("afterwards a is %q", got)
	}
}

// TestCloseWhileUnreachable: Close must not wait until the engine is back.
func TestCloseWhileUnreachable(t *testing.T) {
	b := remotetest.New()
	s, err := remote.Open(background, b, &remote.Options{Patience: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	tx, err := s.Begin(background, true)
	if err != nil {
		t.Fatal(err)
	}
	b.Fail(remotetest.Faults{Cut: true}, 1)
	ended := make(chan error, 3)
	go func() { _, err := tx.Get([]byte("a")); ended <- err }()
	go func() { _, err := s.Begin(background, false); ended <- err }()
	go func() { _, err := s.Wait(background, 1); ended <- err }()
	time.Sleep(20 * time.Millisecond)
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	for range 3 {
		if err := <-ended; !errors.Is(err, store.ErrClosed) {
			t.Errorf("a call during Close: %v, want ErrClosed", err)
		}
	}
}

// sleeper is a Backend of a process that learns of no commit while it is asleep.
type sleeper struct {
	*remotetest.Backend
	asleep sync.RWMutex
}

func (s *sleeper) Wait(ctx context.Context, after uint64) (uint64, error) {
	head, err := s.Backend.Wait(ctx, after)
	s.asleep.RLock()
	defer s.asleep.RUnlock()
	return head, err
}

func (s *sleeper) Changes(ctx context.Context, after uint64, yield func(store.Commit) bool) error {
	s.asleep.RLock()
	defer s.asleep.RUnlock()
	return s.Backend.Changes(ctx, after, yield)
}

// TestGap has a process sleep while others commit, and what they have committed be
// forgotten: it goes on, and nothing that it has read before is taken as current.
func TestGap(t *testing.T) {
	b := remotetest.New()
	sleepy := &sleeper{Backend: b}
	s, err := remote.Open(background, sleepy, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	other := open(t, b, nil)
	set(t, s, "a", "1")
	tx, err := s.Begin(background, true)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Get([]byte("a")); err != nil {
		t.Fatal(err)
	}
	written, stop := s.Watch([]store.Range{{Lo: []byte("x"), Hi: []byte("y")}}, tx.Version())
	defer stop()
	sleepy.asleep.Lock()
	for i := range 10 {
		set(t, other, "b", fmt.Sprint(i))
	}
	b.Collect(1 << 40)
	sleepy.asleep.Unlock()
	if got := get(t, s, "b"); got != "9" {
		t.Errorf("after the gap b is %q, want 9", got)
	}
	select {
	case <-written:
	case <-time.After(10 * time.Second):
		t.Error("a watch is not marked, though it is not known what was written")
	}
	if _, err := tx.Get([]byte("b")); !errors.Is(err, store.ErrSnapshotTooOld) {
		t.Errorf("Get in a transaction that is too old: %v, want ErrSnapshotTooOld", err)
	}
	if err := tx.Set([]byte("c"), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Commit(); !errors.Is(err, store.ErrConflict) {
		t.Errorf("Commit of what was read before the gap: %v, want ErrConflict", err)
	}
	err = s.Changes(background, 1, func(store.Commit) bool { return true })
	var gap *store.GapError
	if !errors.As(err, &gap) || gap.Boundary < 10 {
		t.Errorf("Changes from before the gap: %v, want a GapError", err)
	}
}

// TestFarChanges tells commits that this process has not seen.
func TestFarChanges(t *testing.T) {
	b := remotetest.New()
	first := open(t, b, nil)
	var want []uint64
	for i := range 600 {
		want = append(want, set(t, first, "a", fmt.Sprint(i)))
	}
	s := open(t, b, nil)
	set(t, s, "a", "own")
	want = append(want, want[len(want)-1]+1)
	var got []uint64
	err := s.Changes(background, want[0]-1, func(c store.Commit) bool { got = append(got, c.Version); return true })
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("Changes tells of %d commits, error %v; want %d", len(got), err, len(want))
	}
}

// TestNobodyJoinsARequest holds a request up, after the engine has answered it,
// until something else is committed. Who begins then must see that.
func TestNobodyJoinsARequest(t *testing.T) {
	b := remotetest.New()
	s, other := open(t, b, nil), open(t, b, nil)
	set(t, other, "a", "old")
	held, release := make(chan bool), make(chan bool)
	answer := &delayed{Backend: b, held: held, release: release}
	slow, err := remote.Open(background, answer, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	answer.hold.Store(true)
	var wg sync.WaitGroup
	wg.Go(func() { get(t, slow, "a") })
	<-held // the engine has answered
	set(t, s, "a", "new")
	wg.Go(func() {
		if got := get(t, slow, "a"); got != "new" {
			t.Errorf("a transaction that began after the commit sees %q", got)
		}
	})
	time.Sleep(20 * time.Millisecond)
	close(release)
	wg.Wait()
}

// TestRequestsAreShared counts the requests of many who begin at a time.
func TestRequestsAreShared(t *testing.T) {
	b := remotetest.New()
	s := open(t, b, nil)
	b.Fail(remotetest.Faults{Delay: 20 * time.Millisecond}, 1)
	b.Calls()
	var wg sync.WaitGroup
	for range 200 {
		wg.Go(func() { get(t, s, "a") })
	}
	wg.Wait()
	if n := b.Calls()["Changes"]; n > 20 {
		t.Errorf("200 transactions that begin at a time make %d requests to begin", n)
	}
}
