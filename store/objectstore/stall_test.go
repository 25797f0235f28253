package objectstore_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/objectstore"
)

// stall has the next request of a kind stand still, before it is sent or once its
// reply has come; reached is closed when it does, and it goes on when release is.
func (n *network) stall(call string) (reached, release chan bool) {
	reached, release = make(chan bool), make(chan bool)
	n.on(func(c string) fate {
		if c == call {
			n.on(nil)
			close(reached)
			<-release
		}
		return deliver
	})
	return reached, release
}

// collected makes a checkpoint and deletes the log before it, but for the last commit.
func collected(t testing.TB, s *objectstore.Store) {
	t.Helper()
	get(t, s, "") // so that the newest version is here
	if err := s.Checkpoint(background); err != nil {
		t.Fatal(err)
	}
	if err := s.Collect(background, 0); err != nil {
		t.Fatal(err)
	}
}

// commitAsync sets a value and commits in the background.
func commitAsync(t *testing.T, tx store.Tx, key, value string) chan error {
	t.Helper()
	result := make(chan error, 1)
	if err := tx.Set([]byte(key), []byte(value)); err != nil {
		t.Fatal(err)
	}
	go func() {
		_, err := tx.Commit()
		result <- err
	}()
	return result
}

// goOn makes commits that others read, and collects what was before.
func goOn(t *testing.T, s *objectstore.Store, value string) {
	t.Helper()
	for i := range 5 {
		set(t, s, fmt.Sprint("k", i), value)
	}
	collected(t, s)
}

// TestStalledWriter has a writer stand still in the middle of a commit, while others
// go on and collect the version that it was about to take, or has taken.
func TestStalledWriter(t *testing.T) {
	server := newServer(t)
	for _, test := range []struct {
		name, call string
		blind      bool
		want       error
	}{
		{"it takes a name that was freed", "PUT log", false, store.ErrConflict},
		{"it takes one and has read nothing", "PUT log", true, nil}, // and so it is made again
		{"it has taken one in time", "GET boundary", false, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			url := newURL(server)
			n := &network{}
			stalled, other := open(t, url, &objectstore.Options{Transport: n}), open(t, url, nil)
			set(t, stalled, "a", "before")
			reached, release := n.stall(test.call)
			tx := begin(t, stalled, true)
			if !test.blind {
				read(t, tx, "a")
			}
			result := commitAsync(t, tx, "a", "after")
			<-reached
			goOn(t, other, "x")
			version, checkpoint, err := other.Boundary(background)
			if version <= tx.Version() || checkpoint <= version || err != nil {
				t.Fatalf("the boundary is at %d, the checkpoint at %d, error %v; want them above %d", version, checkpoint, err, tx.Version())
			}
			close(release)
			if err := <-result; !errors.Is(err, test.want) || test.want == nil && err != nil {
				t.Errorf("the stalled commit: %v, want %v", err, test.want)
			}
			want := "before"
			if test.want == nil {
				want = "after"
			}
			for i, s := range []*objectstore.Store{stalled, other, open(t, url, nil)} {
				if got := get(t, s, "a"); got != want {
					t.Errorf("process %d reads %q, want %q", i, got, want)
				}
				if got := get(t, s, "k4"); got != "x" {
					t.Errorf("process %d does not read what others have committed meanwhile", i)
				}
			}
			set(t, stalled, "a", "later")
			if got := get(t, other, "a"); got != "later" {
				t.Errorf("the other process reads %q after the stalled one's next commit", got)
			}
			if err := other.Verify(background); err != nil {
				t.Errorf("Verify: %v", err)
			}
		})
	}
}

// TestStalledWriters has two writers stand still at versions that follow each other,
// and a reader before them: what the writers make of freed names is nothing to anybody,
// also while it is there and next to each other.
func TestStalledWriters(t *testing.T) {
	url := newURL(newServer(t))
	var n [2]network
	other := open(t, url, nil)
	set(t, other, "a", "1")
	slow := open(t, url, nil) // which then reads nothing for long
	var stores []*objectstore.Store
	var results []chan error
	var releases []chan bool
	for i := range n {
		stores = append(stores, open(t, url, &objectstore.Options{Transport: &n[i]}))
		reached, release := n[i].stall("PUT log")
		tx := begin(t, stores[i], true)
		read(t, tx, "a")
		result := commitAsync(t, tx, "a", "void")
		<-reached
		results, releases = append(results, result), append(releases, release)
		set(t, other, "b", "between")
	}
	goOn(t, other, "x")
	before, err := other.Names(background)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		n[i].on(allOf("DELETE log", lose, deliver))
		close(releases[i])
		if err := <-results[i]; !errors.Is(err, store.ErrConflict) {
			t.Errorf("stalled writer %d: %v, want ErrConflict", i, err)
		}
	}
	if after, err := other.Names(background); len(after) != len(before)+2 || err != nil {
		t.Fatalf("the bucket has %q, error %v, after %q: the objects of the stalled writers are not there", after, err, before)
	}
	for i, s := range append(stores, slow, other, open(t, url, nil)) {
		if got := get(t, s, "a"); got != "1" {
			t.Errorf("process %d reads %q, want 1", i, got)
		}
		if got := get(t, s, "k4"); got != "x" {
			t.Errorf("process %d reads %q, want x: it has missed the newest commits", i, got)
		}
	}
	goOn(t, other, "y")
	names, err := other.Names(background)
	if err != nil || slices.ContainsFunc(names, func(name string) bool { return name == objectstore.LogName(3) || name == objectstore.LogName(4) }) {
		t.Errorf("the bucket has %q, error %v: what the stalled writers have made was not collected", names, err)
	}
	for i, s := range append(stores, slow) {
		set(t, s, "a", fmt.Sprint(i))
		if got := get(t, other, "a"); got != fmt.Sprint(i) {
			t.Errorf("after process %d wrote %d another reads %q", i, i, got)
		}
	}
}

// TestStalledReader has a process do nothing while others go on and collect: its next
// transaction sees the newest version, those from before go on seeing theirs, and
// who has to write on is told of a conflict.
func TestStalledReader(t *testing.T) {
	url := newURL(newServer(t))
	slow, other := open(t, url, nil), open(t, url, nil)
	set(t, slow, "a", "1")
	set(t, slow, "gone", "1")
	old, writer := begin(t, slow, false), begin(t, slow, true)
	read(t, writer, "a")
	if err := writer.Set([]byte("b"), []byte("1")); err != nil {
		t.Fatal(err)
	}
	at := old.Version()
	written, stop := slow.Watch([]store.Range{{Lo: []byte("gone")}}, at)
	defer stop()
	if _, err := update(other, func(tx store.Tx) error { return tx.Delete([]byte("gone")) }); err != nil {
		t.Fatal(err)
	}
	goOn(t, other, "x")
	if got := get(t, slow, "k4"); got != "x" {
		t.Errorf("after it stood still it reads %q", got)
	}
	if got := get(t, slow, "gone"); got != "" {
		t.Errorf("a key that was deleted meanwhile is %q", got)
	}
	if got := read(t, old, "gone"); got != "1" {
		t.Errorf("a transaction from before reads %q", got)
	}
	if _, err := writer.Commit(); !errors.Is(err, store.ErrConflict) {
		t.Errorf("Commit of what was read before: %v, want ErrConflict", err)
	}
	var gap *store.GapError
	if err := slow.Changes(background, at, func(store.Commit) bool { return true }); !errors.As(err, &gap) {
		t.Errorf("Changes from before: %v, want a GapError", err)
	}
	select {
	case <-written:
	case <-time.After(10 * time.Second):
		t.Error("a watch is not marked by what was missed")
	}
}

// TestFollowerMissesMuch has a process that only waits learn that it has missed more
// than the log has.
func TestFollowerMissesMuch(t *testing.T) {
	url := newURL(newServer(t))
	n := &network{}
	s, other := open(t, url, &objectstore.Options{Transport: n, Poll: time.Millisecond, Patience: time.Millisecond}), open(t, url, nil)
	at, err := s.Head(background)
	if err != nil {
		t.Fatal(err)
	}
	n.on(func(string) fate { return cut })
	goOn(t, other, "x")
	n.on(nil)
	if head, err := s.Wait(background, at); head <= at || err != nil {
		t.Errorf("Wait = %d, %v; want more than %d", head, err, at)
	}
}
