package objectstore_test

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/kivisdb/kivis/internal/sharedtest"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/objectstore"
	"github.com/kivisdb/kivis/store/storetest"
)

// TestWorker is not a test but a process of TestProcesses.
func TestWorker(t *testing.T) {
	sharedtest.Worker(t, func(url string) store.Store {
		return open(t, url, &objectstore.Options{Keep: 10 * time.Millisecond, Checkpoint: 1000})
	})
}

// TestProcesses has four processes of four writers each count, append, and take from two,
// and collect what lies behind them. All of them make the store, too.
func TestProcesses(t *testing.T) {
	const rounds = 6
	url, n := newURL(newServer(t)), 4
	if testing.Short() {
		n = 2
	}
	sharedtest.Workers(t, url, n, rounds)
	sharedtest.WantWorkers(t, open(t, url, nil), n, rounds)
}

// pair is one store that two processes have open, which take turns. A watch is of one
// process, so it has none.
type pair struct {
	store.Feeder
	one, other *objectstore.Store
	turn       chan bool
}

// Begin implements store.Store.
func (p *pair) Begin(ctx context.Context, write bool) (store.Tx, error) {
	turn := <-p.turn
	p.turn <- !turn
	if turn {
		return p.one.Begin(ctx, write)
	}
	return p.other.Begin(ctx, write)
}

// Close implements store.Store.
func (p *pair) Close() error {
	return errors.Join(p.one.Close(), p.other.Close())
}

// TestPair is the conformance suite over two processes: each transaction is begun by
// the other one.
func TestPair(t *testing.T) {
	if raceEnabled && testing.Short() {
		t.Skip("takes long, and TestStore does the same to one process")
	}
	server := newServer(t)
	storetest.Run(t, func(t testing.TB) store.Store {
		url := newURL(server)
		one := open(t, url, nil)
		p := &pair{one, one, open(t, url, nil), make(chan bool, 1)}
		p.turn <- true
		return p
	})
}

// TestOthersAreSeen: what one process commits the other sees at its next Begin, and
// is told of.
func TestOthersAreSeen(t *testing.T) {
	url := newURL(newServer(t))
	a, b := open(t, url, nil), open(t, url, &objectstore.Options{Poll: time.Millisecond})
	at, err := b.Head(background)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		want := strconv.Itoa(i)
		version := set(t, a, "k", want)
		if got := get(t, b, "k"); got != want {
			t.Fatalf("the other process reads %q, want %q", got, want)
		}
		if i%10 == 0 {
			if got, err := b.Wait(background, at); got < version || err != nil {
				t.Fatalf("Wait = %d, %v; want %d", got, err, version)
			}
		}
	}
	for i, s := range []*objectstore.Store{b, open(t, url, nil)} { // the second knows it from the bucket
		n := 0
		err = s.Changes(background, at, func(c store.Commit) bool { n++; return true })
		if n != 50 || err != nil {
			t.Errorf("process %d is told of %d commits, error %v; want 50", i, n, err)
		}
	}
}

// TestFeedAheadOfReads has the feed, which reads from the bucket, meet a commit that no
// transaction here sees yet: those that begin without a request still do.
func TestFeedAheadOfReads(t *testing.T) {
	url := newURL(newServer(t))
	other := open(t, url, nil)
	set(t, other, "k", "1")
	n := &network{}
	s := open(t, url, &objectstore.Options{Transport: n, Lag: time.Hour})
	lists := 0
	n.on(func(call string) fate {
		if call == "LIST log" {
			if lists++; lists == 2 {
				set(t, other, "k", "2")
			}
		}
		return deliver
	})
	if err := s.Changes(background, 1, func(c store.Commit) bool { return true }); err != nil {
		t.Fatal(err)
	}
	if lists < 2 {
		t.Fatalf("Changes has listed %d times: it has not asked the bucket", lists)
	}
	if got := get(t, s, "k"); got != "1" {
		t.Errorf("a transaction that may lag reads %q, want 1", got)
	}
}

// TestReadOnly opens what another process writes, and writes nothing.
func TestReadOnly(t *testing.T) {
	url := newURL(newServer(t))
	s := open(t, url, nil)
	set(t, s, "a", "1")
	n := &network{}
	r := open(t, url, &objectstore.Options{ReadOnly: true, Transport: n})
	if got := get(t, r, "a"); got != "1" {
		t.Errorf("a is %q", got)
	}
	if _, err := r.Begin(background, true); err != store.ErrReadOnly {
		t.Errorf("Begin to write: %v, want ErrReadOnly", err)
	}
	for call, n := range n.count() {
		if call[:3] != "GET" && call[:4] != "LIST" {
			t.Errorf("%d requests %s", n, call)
		}
	}
}
