package remote_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/kivisdb/kivis/internal/sharedtest"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/remote"
	"github.com/kivisdb/kivis/store/remote/remotetest"
)

// update runs f in a transaction until it does not conflict.
func update(t testing.TB, s store.Store, f func(tx store.Tx) error) uint64 {
	t.Helper()
	version, err := sharedtest.Update(s, f)
	if err != nil {
		t.Errorf("update: %v", err)
		return 0
	}
	return version
}

func set(t testing.TB, s store.Store, key, value string) uint64 {
	t.Helper()
	return update(t, s, func(tx store.Tx) error { return tx.Set([]byte(key), []byte(value)) })
}

// get returns the value of key in a transaction, or "".
var get = sharedtest.Get

// processes returns stores over one engine, behind a network with faults.
func processes(t *testing.T, n int, f remotetest.Faults) (*remotetest.Backend, []*remote.Store) {
	b := remotetest.New()
	var all []*remote.Store
	for range n {
		all = append(all, open(t, b, &remote.Options{Patience: time.Minute}))
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	b.Fail(f, seed)
	return b, all
}

var bad = remotetest.Faults{Delay: 100 * time.Microsecond, Lose: .01, LoseReply: .03, Repeat: .1}

// TestProcessesSeeCommits: what one has committed the other sees, in its next
// transaction.
func TestProcessesSeeCommits(t *testing.T) {
	_, p := processes(t, 2, remotetest.Faults{Delay: 50 * time.Microsecond})
	for i := range 100 {
		want := strconv.Itoa(i)
		version := set(t, p[i%2], "a", want)
		if got := get(t, p[1-i%2], "a"); got != want {
			t.Fatalf("the other process reads %q, want %q", got, want)
		}
		if head, err := p[1-i%2].Head(background); head < version || err != nil {
			t.Fatalf("Head = %d, %v after commit %d of another", head, err, version)
		}
	}
}

// TestProcessesCount has processes increment counters of their own and a common
// one, over a bad network: none is lost, and none is counted twice.
func TestProcessesCount(t *testing.T) {
	const each = 40
	_, p := processes(t, 4, bad)
	var wg sync.WaitGroup
	for i, s := range p {
		for g := range 2 {
			wg.Go(func() {
				for range each {
					update(t, s, func(tx store.Tx) error { return increment(tx, "all", fmt.Sprint("own", i, g)) })
				}
			})
		}
	}
	wg.Wait()
	if got, want := get(t, p[0], "all"), strconv.Itoa(len(p)*2*each); got != want {
		t.Errorf("the common counter stands at %s, want %s", got, want)
	}
	for i := range p {
		for g := range 2 {
			if got, want := get(t, p[0], fmt.Sprint("own", i, g)), strconv.Itoa(each); got != want {
				t.Errorf("counter %d of process %d stands at %s, want %s", g, i, got, want)
			}
		}
	}
}

func increment(tx store.Tx, keys ...string) error {
	for _, key := range keys {
		value, err := tx.Get([]byte(key))
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		n, _ := strconv.Atoi(string(value))
		if err := tx.Set([]byte(key), strconv.AppendInt(nil, int64(n+1), 10)); err != nil {
			return err
		}
	}
	return nil
}

// TestProcessesAppend has processes append to a list, each looking for its end
// first: without the check of ranges two take one place.
func TestProcessesAppend(t *testing.T) {
	const each = 25
	_, p := processes(t, 3, bad)
	var wg sync.WaitGroup
	for i, s := range p {
		for range 2 {
			wg.Go(func() {
				for range each {
					update(t, s, func(tx store.Tx) error { return appendNext(tx, i) })
				}
			})
		}
	}
	wg.Wait()
	tx, err := p[0].Begin(background, false)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Discard()
	if n, err := store.Count(tx, store.Range{}); n != len(p)*2*each || err != nil {
		t.Errorf("the list has %d elements, error %v; want %d", n, err, len(p)*2*each)
	}
}

func appendNext(tx store.Tx, i int) error {
	c, err := tx.Scan(store.Range{Lo: []byte("list/"), Hi: []byte("list0"), Reverse: true})
	if err != nil {
		return err
	}
	defer c.Close()
	n := 0
	if c.Next() {
		fmt.Sscanf(string(c.Key()), "list/%d", &n)
	}
	if err := c.Err(); err != nil {
		return err
	}
	return tx.Set(fmt.Appendf(nil, "list/%06d", n+1), strconv.AppendInt(nil, int64(i), 10))
}

// TestProcessesPairs has transfers within pairs whose sum must stay, and readers
// that add up.
func TestProcessesPairs(t *testing.T) {
	_, p := processes(t, 3, bad)
	update(t, p[0], func(tx store.Tx) error {
		return errors.Join(tx.Set([]byte("x"), []byte("50")), tx.Set([]byte("y"), []byte("50")))
	})
	var wg sync.WaitGroup
	for _, s := range p {
		wg.Go(func() {
			for range 40 {
				update(t, s, func(tx store.Tx) error { return transfer(tx, rand.IntN(20)-10) })
			}
		})
		wg.Go(func() {
			for range 40 {
				if x, y := pair(t, s); x+y != 100 {
					t.Errorf("a snapshot shows %d and %d", x, y)
				}
			}
		})
	}
	wg.Wait()
}

func transfer(tx store.Tx, n int) error {
	x, y, err := both(tx)
	if err != nil {
		return err
	}
	return errors.Join(tx.Set([]byte("x"), strconv.AppendInt(nil, int64(x+n), 10)), tx.Set([]byte("y"), strconv.AppendInt(nil, int64(y-n), 10)))
}

func pair(t testing.TB, s store.Store) (x, y int) {
	tx, err := s.Begin(background, false)
	if err != nil {
		t.Error(err)
		return 50, 50
	}
	defer tx.Discard()
	x, y, err = both(tx)
	if err != nil {
		t.Error(err)
	}
	return x, y
}

func both(tx store.Tx) (x, y int, err error) {
	values := make([][]byte, 2)
	if err := tx.GetMany([][]byte{[]byte("x"), []byte("y")}, values); err != nil {
		return 0, 0, err
	}
	x, _ = strconv.Atoi(string(values[0]))
	y, _ = strconv.Atoi(string(values[1]))
	return x, y, nil
}

// TestProcessesFollow has one process follow the commits of another: each once,
// in order, and a watch marked.
func TestProcessesFollow(t *testing.T) {
	_, p := processes(t, 2, bad)
	writer, reader := p[0], p[1]
	at, err := reader.Head(background)
	if err != nil {
		t.Fatal(err)
	}
	written, stop := reader.Watch([]store.Range{{Lo: []byte("50"), Hi: []byte("51")}}, at)
	defer stop()
	const commits = 99
	go func() {
		for i := range commits {
			set(t, writer, fmt.Sprintf("%02d", i), "1")
		}
	}()
	for n := 0; n < commits; {
		if _, err := reader.Wait(background, at); err != nil {
			t.Fatal(err)
		}
		err := reader.Changes(background, at, func(c store.Commit) bool {
			if want := fmt.Sprintf("%02d", n); len(c.Writes) != 1 || !bytes.Equal(c.Writes[0].Key, []byte(want)) {
				t.Fatalf("commit %d is told as %v, want a write of %s", c.Version, c.Writes, want)
			}
			at = c.Version
			n++
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	select {
	case <-written:
	case <-time.After(10 * time.Second):
		t.Error("a watch is not marked by a commit of another process")
	}
}
