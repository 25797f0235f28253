package objectstore_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/objectstore"
)

// firstOf has the first request of a kind meet a fate.
func firstOf(call string, f fate) func(string) fate {
	var done atomic.Bool
	return func(c string) fate {
		if c == call && done.CompareAndSwap(false, true) {
			return f
		}
		return deliver
	}
}

// allOf has all requests of a kind meet a fate, and those of others another.
func allOf(call string, f, others fate) func(string) fate {
	return func(c string) fate {
		if c == call {
			return f
		}
		return others
	}
}

// TestCommitOnBadNetwork has something happen to the first request that makes an
// object of the log, or to the one for the boundary behind it: the commit is told
// as made, and is there once.
func TestCommitOnBadNetwork(t *testing.T) {
	server := newServer(t)
	for _, call := range []string{"PUT log", "GET boundary", "LIST log", "GET log"} {
		for fate, name := range map[fate]string{cut: "cut", lose: "lost", loseReply: "reply lost", twice: "twice", late: "late"} {
			t.Run(call+" "+name, func(t *testing.T) {
				n := &network{}
				s := open(t, newURL(server), &objectstore.Options{Transport: n})
				tx := begin(t, s, true)
				if err := tx.Set([]byte("a"), []byte("1")); err != nil {
					t.Fatal(err)
				}
				n.on(firstOf(call, fate))
				version, err := tx.Commit()
				if err != nil || version != tx.Version()+1 {
					t.Errorf("Commit = %d, %v; want version %d", version, err, tx.Version()+1)
				}
				n.work.Wait()
				if head, err := s.Head(background); head != version || err != nil {
					t.Errorf("Head = %d, %v after commit %d: it was made twice", head, err, version)
				}
			})
		}
	}
}

// TestOutcome has the network fail in the middle of a commit and come back: what
// the caller is told must be so.
func TestOutcome(t *testing.T) {
	server := newServer(t)
	for _, test := range []struct {
		name  string
		hook  func(string) fate
		want  error
		there bool
	}{
		{"cut", func(string) fate { return cut }, store.ErrUnreachable, false},
		{"requests lost", func(string) fate { return lose }, store.ErrCommitUnknown, false},
		{"replies lost", func(string) fate { return loseReply }, store.ErrCommitUnknown, true},
		{"cut once the object is made", allOf("PUT log", deliver, cut), store.ErrCommitUnknown, true},
		{"cut once the reply is lost", allOf("PUT log", loseReply, cut), store.ErrCommitUnknown, true},
		{"cut once it is said to be taken", allOf("PUT log", twice, cut), store.ErrCommitUnknown, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			n := &network{}
			url := newURL(server)
			s := open(t, url, &objectstore.Options{Transport: n, Patience: 50 * time.Millisecond})
			set(t, s, "a", "before")
			tx := begin(t, s, true)
			if err := tx.Set([]byte("a"), []byte("after")); err != nil {
				t.Fatal(err)
			}
			n.on(test.hook)
			if _, err := tx.Commit(); !errors.Is(err, test.want) {
				t.Errorf("Commit: %v, want %v", err, test.want)
			}
			n.on(func(string) fate { return cut })
			if _, err := s.Begin(background, false); !errors.Is(err, store.ErrUnreachable) {
				t.Errorf("Begin while the network is bad: %v, want ErrUnreachable", err)
			}
			n.on(nil)
			want := "before"
			if test.there {
				want = "after"
			}
			if got := get(t, s, "a"); got != want {
				t.Errorf("once the network is back a is %q, want %q", got, want)
			}
			if got := get(t, open(t, url, nil), "a"); got != want {
				t.Errorf("in another process a is %q, want %q", got, want)
			}
			set(t, s, "a", "later") // the store goes on by itself
		})
	}
}

// TestRefused has the bucket refuse a commit: nothing was done, and that is told,
// unless an earlier request may have.
func TestRefused(t *testing.T) {
	server := newServer(t)
	for _, first := range []fate{deliver, lose} {
		n := &network{}
		s := open(t, newURL(server), &objectstore.Options{Transport: n, Patience: 200 * time.Millisecond})
		tx := begin(t, s, true)
		if err := tx.Set([]byte("a"), nil); err != nil {
			t.Fatal(err)
		}
		calls := 0
		n.on(func(call string) fate {
			if call != "PUT log" {
				return deliver
			}
			if calls++; calls == 1 && first == lose {
				return lose
			}
			return refuse
		})
		_, err := tx.Commit()
		if known := !errors.Is(err, store.ErrCommitUnknown); err == nil || known != (first == deliver) {
			t.Errorf("Commit after %v: %v", first, err)
		}
		n.on(nil)
		set(t, s, "a", "1")
	}
}

// TestBadNetwork has processes count and append over a network that loses, delays
// and repeats what it carries: nothing is lost, and nothing is there twice.
func TestBadNetwork(t *testing.T) {
	server := newServer(t)
	url := newURL(server)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rounds, stores := 25, 3
	if testing.Short() {
		rounds = 8
	}
	var wg sync.WaitGroup
	var networks []*network
	for i := range stores {
		n := &network{}
		n.fail(map[fate]float64{cut: .01, lose: .02, loseReply: .03, twice: .05, late: .02}, 2*time.Millisecond, seed+uint64(i))
		networks = append(networks, n)
		s := open(t, url, &objectstore.Options{Transport: n, Patience: time.Minute, Keep: time.Millisecond, Checkpoint: 500})
		for g := range 2 {
			wg.Go(func() {
				if err := work(s, fmt.Sprint(i, g), rounds); err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	for _, n := range networks {
		n.work.Wait()
	}
	s := open(t, url, nil)
	wantWork(t, s, 2*stores, rounds)
	if err := s.Verify(background); err != nil {
		t.Errorf("Verify: %v", err)
	}
	if version, checkpoint, err := s.Boundary(background); version == 1 || checkpoint == 0 || err != nil {
		t.Errorf("the boundary is at %d, the checkpoint at %d, error %v: nothing was collected meanwhile", version, checkpoint, err)
	}
}

// TestKilled has a process end in the middle of a commit: it is there whole where the
// object had been made, else not at all.
func TestKilled(t *testing.T) {
	server := newServer(t)
	for _, made := range []bool{false, true} {
		n := &network{}
		url := newURL(server)
		s, err := objectstore.Open(background, url, keyed(&objectstore.Options{Transport: n, Patience: -1}))
		if err != nil {
			t.Fatal(err)
		}
		set(t, s, "a", "before")
		other := open(t, url, nil)
		dead, killed := make(chan bool), make(chan bool)
		n.on(func(call string) fate {
			if call == "PUT log" && !made || call == "GET boundary" {
				close(killed)
				n.on(func(string) fate { return cut })
				<-dead
				return cut
			}
			return deliver
		})
		done := make(chan bool)
		go func() {
			defer close(done)
			update(s, func(tx store.Tx) error {
				return errors.Join(tx.Set([]byte("a"), []byte("after")), tx.Set([]byte("b"), []byte("after")))
			})
		}()
		<-killed
		want := map[bool][2]string{false: {"before", ""}, true: {"after", "after"}}[made]
		if a, b := get(t, other, "a"), get(t, other, "b"); a != want[0] || b != want[1] {
			t.Errorf("killed, the object made: %v: another process reads %q and %q", made, a, b)
		}
		set(t, other, "a", "later")
		close(dead)
		<-done
		s.Close()
	}
}
