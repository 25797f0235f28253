package tikvtest_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/kivisdb/kivis/internal/sharedtest"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/storetest"
	"github.com/kivisdb/kivis/store/tikvstore"
	"github.com/kivisdb/kivis/store/tikvstore/tikvtest"
)

// programs builds the servers, once.
var programs = sync.OnceValues(func() (*tikvtest.Programs, error) { return tikvtest.Build(".") })

// newCluster starts a cluster of processes, stopped at the end of the test.
func newCluster(t testing.TB) *tikvtest.Cluster {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and starts the servers of a cluster, which takes minutes the first time: run it without -short")
	}
	p, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	c, err := tikvtest.Start(p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Errorf("stopping the cluster: %v", err)
		}
	})
	return c
}

// openURL opens a store in a cluster of processes, closed at the end of the test.
func openURL(t testing.TB, url string, o *tikvstore.Options) *tikvstore.Store {
	t.Helper()
	s, err := tikvstore.Open(background, url, o)
	if err != nil {
		t.Fatal(err)
	}
	closing(t, s)
	return s
}

// TestStoreInCluster is TestStore over PD and a server of their own.
func TestStoreInCluster(t *testing.T) {
	c := newCluster(t)
	urls := map[string]string{}
	storetest.Run(t,
		func(t testing.TB) store.Store { return openURL(t, c.URL(newName()), nil) },
		storetest.Reopen(func(t testing.TB, dir string) store.Store {
			if urls[dir] == "" {
				urls[dir] = c.URL(newName())
			}
			return openURL(t, urls[dir], nil)
		}),
	)
}

const perWriter = 5

// TestWorker is not a test but a process of others.
func TestWorker(t *testing.T) {
	sharedtest.Worker(t, func(url string) store.Store {
		return openURL(t, url, &tikvstore.Options{Patience: time.Minute})
	})
}

// TestProcesses has four processes of four writers each count, append, and take from two.
// All of them make the store, too.
func TestProcesses(t *testing.T) {
	url := newCluster(t).URL("x")
	sharedtest.Workers(t, url, 4, perWriter)
	sharedtest.WantWorkers(t, openURL(t, url, nil), 4, perWriter)
}

// TestStopped has processes that write be stopped for a while, wherever they are, and go on.
func TestStopped(t *testing.T) {
	url := newCluster(t).URL("x")
	var cmds []*exec.Cmd
	for i := range 3 {
		cmd := sharedtest.NewWorker(url, i, perWriter)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		cmds = append(cmds, cmd)
	}
	done := make(chan bool)
	go func() {
		defer close(done)
		for i, cmd := range cmds {
			if err := cmd.Wait(); err != nil {
				t.Errorf("process %d: %v", i, err)
			}
		}
	}()
	for i := 0; ; i++ {
		p := cmds[i%len(cmds)].Process
		_ = p.Signal(syscall.SIGSTOP) // it may have ended
		time.Sleep(150 * time.Millisecond)
		_ = p.Signal(syscall.SIGCONT)
		select {
		case <-done:
			sharedtest.WantWorkers(t, openURL(t, url, nil), 3, perWriter)
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// TestServerKilled kills the server under writers, twice, and starts it again, and has it
// stand still in between: nothing that was acknowledged is lost, and nothing is there
// twice.
func TestServerKilled(t *testing.T) {
	c := newCluster(t)
	s := openURL(t, c.URL("x"), &tikvstore.Options{Patience: 2 * time.Minute})
	const writers = 4
	var wg sync.WaitGroup
	for g := range writers {
		wg.Go(func() {
			if err := work(s, fmt.Sprint(g), 4*perWriter); err != nil {
				t.Error(err)
			}
		})
	}
	for range 2 {
		time.Sleep(100 * time.Millisecond)
		if err := errors.Join(c.Kill(), c.Run()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
		if err := c.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		time.Sleep(500 * time.Millisecond)
		if err := c.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
	}
	wg.Wait()
	wantWork(t, s, writers, 4*perWriter)
}

// TestServerAway: without a server calls fail, and go on when it is back.
func TestServerAway(t *testing.T) {
	c := newCluster(t)
	s := openURL(t, c.URL("x"), &tikvstore.Options{Timeout: time.Second, Patience: 50 * time.Millisecond})
	set(t, s, "a", "1")
	if err := c.Kill(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Begin(background, false); !errors.Is(err, store.ErrUnreachable) {
		t.Errorf("Begin: %v, want ErrUnreachable", err)
	}
	if _, err := tikvstore.Open(background, "tikv://127.0.0.1:1/x", &tikvstore.Options{Patience: -1}); !errors.Is(err, store.ErrUnreachable) {
		t.Errorf("Open where there is no PD: %v, want ErrUnreachable", err)
	}
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	back := openURL(t, c.URL("x"), &tikvstore.Options{Patience: time.Minute})
	if got := get(t, back, "a"); got != "1" {
		t.Errorf("a is %q, want 1", got)
	}
	set(t, back, "a", "2")
	for until := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		value, err := store.Get(background, s, []byte("a"))
		if err == nil && string(value) == "2" {
			break
		}
		if time.Now().After(until) {
			t.Fatalf("the store does not go on: a is %q, %v", value, err)
		}
	}
}

// TestURLs opens, makes and drops by URL.
func TestURLs(t *testing.T) {
	c := newCluster(t)
	url := c.URL("x")
	if _, err := tikvstore.Open(background, url, &tikvstore.Options{ReadOnly: true}); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("opening what is not there to read only: %v, want ErrReadOnly", err)
	}
	for range 2 {
		if _, err := tikvstore.Open(background, url, &tikvstore.Options{MustExist: true}); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("opening what is not there and must be: %v, want ErrNotExist", err)
		}
	}
	a, b := openURL(t, url, nil), openURL(t, url, nil)
	beside := openURL(t, c.URL("x2"), nil)
	at, err := b.Head(background)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		want := strconv.Itoa(i)
		version := set(t, a, "k", want)
		if got := get(t, b, "k"); got != want {
			t.Fatalf("the other process reads %q, want %q", got, want)
		}
		if i%5 == 0 {
			if got, err := b.Wait(background, at); got < version || err != nil {
				t.Fatalf("Wait = %d, %v; want %d", got, err, version)
			}
		}
	}
	if got := get(t, beside, "k"); got != "" {
		t.Errorf("the other store has %q", got)
	}
	set(t, beside, "k", "beside")
	if err := errors.Join(a.Close(), b.Close(), tikvstore.Drop(background, url), tikvstore.Drop(background, url)); err != nil {
		t.Fatal(err)
	}
	if _, err := tikvstore.Open(background, url, &tikvstore.Options{MustExist: true}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("opening what was dropped: %v, want ErrNotExist", err)
	}
	if got := get(t, beside, "k"); got != "beside" {
		t.Errorf("after the drop of another the store has %q", got)
	}
}
