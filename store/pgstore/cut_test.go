package pgstore_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/kivisdb/kivis/internal/sharedtest"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/pgstore"
)

// TestCutAtEachStatement has a process open a store, make it, and use it, and ends its
// connection at each statement in turn: before the server gets it, and before
// the reply comes back. All is done as if nothing had been, and once.
func TestCutAtEachStatement(t *testing.T) {
	p := newProxy(t)
	step := int64(1)
	if testing.Short() {
		step = 4
	}
	for _, f := range []fate{lose, loseReply} {
		n := int64(1)
		for ; cutAt(t, p, n, f); n += step {
		}
		if n < 15 {
			t.Errorf("there were only %d statements", n)
		}
	}
}

// cutAt has statement n meet fate f, and says whether there were as many.
func cutAt(t *testing.T, p *proxy, n int64, f fate) bool {
	t.Helper()
	url := newURL(t)
	var met atomic.Bool
	p.on(func(i int64, sent []byte) fate {
		if i == n {
			met.Store(true)
			return f
		}
		return deliver
	})
	fail := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("statement %d, fate %d: %s: %v", n, f, what, err)
		}
	}
	o := &pgstore.Options{Patience: time.Minute}
	s, err := pgstore.Open(background, p.url(url), o)
	if errors.Is(err, store.ErrUnreachable) { // what it has left is not in the way
		s, err = pgstore.Open(background, p.url(url), o)
	}
	if err != nil {
		t.Fatalf("statement %d, fate %d: Open: %v", n, f, err)
	}
	defer s.Close()
	other := open(t, url, nil)
	fail("work", sharedtest.Append(s, "a", 2))
	fail("work of another", sharedtest.Append(other, "b", 1))
	fail("work after another's", sharedtest.Append(s, "a", 1))
	_, err = s.Wait(background, 1)
	fail("Wait", err)
	commits := 0
	fail("Changes", s.Changes(background, 1, func(store.Commit) bool { commits++; return true }))
	p.on(nil)
	tx, err := other.Begin(background, false)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Discard()
	for key, want := range map[string]string{"all": "4", "own/a": "3", "own/b": "1", "list/000004": "a"} {
		if value, err := tx.Get([]byte(key)); string(value) != want {
			t.Errorf("statement %d, fate %d: %s is %q, error %v; want %s", n, f, key, value, err, want)
		}
	}
	if tx.Version() != 5 || commits != 4 {
		t.Errorf("statement %d, fate %d: version %d after %d commits that the feed tells of; want 5 after 4", n, f, tx.Version(), commits)
	}
	return met.Load()
}

const stoppedURL = "KIVIS_PGSTORE_STOPPED"

// TestStoppedWorker is not a test but the process of TestStopped. It counts, once,
// and prints what it is told.
func TestStoppedWorker(t *testing.T) {
	url := os.Getenv(stoppedURL)
	if url == "" {
		t.Skip("a part of TestStopped")
	}
	s := open(t, url, &pgstore.Options{Timeout: 300 * time.Millisecond, Patience: time.Minute})
	_, err := update(s, func(tx store.Tx) error {
		return errors.Join(add(tx, "all"), tx.Set([]byte("mark"), nil))
	})
	fmt.Println("told:", err)
}

// TestStopped has a process stand still between its check and the server's, and between
// the server's commit and the reply, while others go on. What it is told then is so.
func TestStopped(t *testing.T) {
	for _, test := range []struct {
		name    string
		before  bool // it stands still before the server gets the commit
		lost    bool // the reply is
		forgets bool // the server forgets the commit meanwhile
		told    string
	}{
		{"before the commit", true, false, false, "told: <nil>"},
		{"after it", false, false, false, "told: <nil>"},
		{"after it, the reply lost", false, true, false, "told: <nil>"},
		{"after it, the reply lost, the commit forgotten", false, true, true, store.ErrCommitUnknown.Error()},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, url := newProxy(t), newURL(t)
			other := open(t, url, nil)
			set(t, other, "all", "0")
			cmd := exec.Command(os.Args[0], "-test.run=^TestStoppedWorker$", "-test.timeout=1m")
			cmd.Env = append(os.Environ(), stoppedURL+"="+p.url(url))
			goOn := func() {
				if err := sharedtest.Append(other, "other", 3); err != nil {
					t.Error(err)
				}
				if test.forgets {
					if err := other.Collect(background, 0); err != nil {
						t.Error(err)
					}
				}
				time.Sleep(500 * time.Millisecond) // more than it waits for a reply
				if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
					t.Error(err)
				}
			}
			done := make(chan bool)
			p.on(stopAt("mark", func() fate {
				if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
					t.Error(err)
				}
				if test.before {
					goOn()
					close(done)
					return deliver
				}
				go func() {
					defer close(done)
					waitFor(t, other, "all", "1") // it is committed
					goOn()
				}()
				if test.lost {
					return loseReply
				}
				return deliver
			}))
			out, err := cmd.CombinedOutput()
			<-done
			if err != nil || !strings.Contains(string(out), test.told) {
				t.Errorf("the process was to be %s, error %v:\n%s", test.told, err, out)
			}
			if got := get(t, other, "all"); got != "4" {
				t.Errorf("the counter stands at %s, want 4", got)
			}
		})
	}
}

// stopAt returns a hook that has f decide on the first statement with a text in it.
func stopAt(text string, f func() fate) func(n int64, sent []byte) fate {
	var met atomic.Bool
	return func(_ int64, sent []byte) fate {
		if bytes.Contains(sent, []byte(text)) && met.CompareAndSwap(false, true) {
			return f()
		}
		return deliver
	}
}

// waitFor waits until a key has a value.
func waitFor(t *testing.T, s store.Store, key, want string) {
	t.Helper()
	for until := time.Now().Add(time.Minute); get(t, s, key) != want; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("%s does not become %s", key, want)
		}
	}
}

// TestClockSetBack has the server's clock be set back by a day: the newest commit is of
// tomorrow. Commits go on, their times do not go back, and nothing is dropped that may be
// read.
func TestClockSetBack(t *testing.T) {
	url := newURL(t)
	s, other := open(t, url, nil), open(t, url, nil)
	set(t, s, "k", "0")
	tx, err := s.Begin(background, false)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Discard()
	for _, statement := range []string{"update @.head set at = at + interval '1 day'", "update @.log set at = at + interval '1 day'"} {
		if err := s.Exec(background, statement); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 10 {
		set(t, s, "k", fmt.Sprint("s", i))
		set(t, other, "k", fmt.Sprint("other", i))
	}
	if err := s.Collect(background, time.Minute); err != nil {
		t.Fatal(err)
	}
	if value, err := tx.Get([]byte("k")); string(value) != "0" || err != nil {
		t.Errorf("a transaction from before reads %q, error %v; want 0", value, err)
	}
	for i, s := range []*pgstore.Store{s, other, open(t, url, nil)} {
		var last time.Time
		n := 0
		err := s.Changes(background, tx.Version(), func(c store.Commit) bool {
			if c.Time.Before(last) {
				t.Errorf("process %d: the time of version %d is %v before that of the one before", i, c.Version, last.Sub(c.Time))
			}
			last = c.Time
			n++
			return true
		})
		if err != nil || n != 20 {
			t.Errorf("process %d is told of %d commits, error %v; want 20", i, n, err)
		}
		if got := get(t, s, "k"); got != "other9" {
			t.Errorf("process %d reads %q, want other9", i, got)
		}
	}
}
