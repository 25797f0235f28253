package pgstore_test

import (
	"errors"
	"io/fs"
	"strconv"
	"testing"

	"github.com/kivisdb/kivis/internal/sharedtest"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/pgstore"
)

// What is done to a store that several processes have open.
var (
	update = sharedtest.Update
	set    = sharedtest.Set
	get    = sharedtest.Get

	work     = sharedtest.Work
	wantWork = sharedtest.WantWork
	add      = sharedtest.Add
)

const perWriter = 10

// TestWorker is not a test but a process of TestProcesses.
func TestWorker(t *testing.T) {
	sharedtest.Worker(t, func(url string) store.Store { return open(t, url, nil) })
}

// TestProcesses has four processes of four writers each count, append, and take from two.
// All of them make the store, too.
func TestProcesses(t *testing.T) {
	url, n := newURL(t), 4
	if testing.Short() {
		n = 2
	}
	sharedtest.Workers(t, url, n, perWriter)
	sharedtest.WantWorkers(t, open(t, url, nil), n, perWriter)
}

// TestOthersAreSeen: what one process commits the other sees at its next Begin, and
// is told of.
func TestOthersAreSeen(t *testing.T) {
	url := newURL(t)
	a, b := open(t, url, nil), open(t, url, nil)
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
	n := 0
	err = b.Changes(background, at, func(c store.Commit) bool { n++; return true })
	if n != 50 || err != nil {
		t.Errorf("told of %d commits, error %v; want 50", n, err)
	}
}

// TestReadOnly opens what another process writes.
func TestReadOnly(t *testing.T) {
	url := newURL(t)
	if _, err := pgstore.Open(background, url, &pgstore.Options{ReadOnly: true}); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("opening what is not there to read only: %v, want ErrReadOnly", err)
	}
	for range 2 {
		if _, err := pgstore.Open(background, url, &pgstore.Options{MustExist: true}); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("opening what is not there and must be: %v, want ErrNotExist", err)
		}
	}
	s := open(t, url, nil)
	set(t, s, "a", "1")
	r := open(t, url, &pgstore.Options{ReadOnly: true})
	if got := get(t, r, "a"); got != "1" {
		t.Errorf("a is %q", got)
	}
	if _, err := r.Begin(background, true); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("Begin to write: %v, want ErrReadOnly", err)
	}
}
