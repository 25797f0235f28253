package objectstore_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/objectstore"
)

// TestRequests counts requests, of which the bucket's owner pays each.
func TestRequests(t *testing.T) {
	url := newURL(newServer(t))
	n := &network{}
	s := open(t, url, &objectstore.Options{Transport: n, Lag: time.Hour})
	other := open(t, url, nil)
	if err := setMany(s, 1500); err != nil {
		t.Fatal(err)
	}
	get(t, s, "k00000")
	tx := begin(t, s, true)
	for _, test := range []struct {
		name string
		do   func() error
		want map[string]int
	}{
		{"begin to write", func() error { _, err := s.Begin(background, true); return err }, map[string]int{"LIST log": 1}},
		{"begin to read, with Lag", func() error { _, err := s.Begin(background, false); return err }, nil},
		{"read", func() error { _, err := tx.Get([]byte("k00001")); return err }, nil},
		{"scan", func() error {
			if n, err := store.Count(tx, store.Range{}); n != 1500 || err != nil {
				return fmt.Errorf("%d entries, %v", n, err)
			}
			return nil
		}, nil},
		{"write", func() error { return tx.Set([]byte("k00001"), nil) }, nil},
		{"commit", func() error { _, err := tx.Commit(); return err }, map[string]int{"PUT log": 1, "GET boundary": 1}},
		{"head", func() error { _, err := s.Head(background); return err }, map[string]int{"LIST log": 1}},
		{"begin after another's commit", func() error {
			set(t, other, "a", "1")
			_, err := s.Begin(background, true)
			return err
		}, map[string]int{"LIST log": 1, "GET log": 1, "GET boundary": 1}},
		{"ten that begin at a time", func() error {
			var wg sync.WaitGroup
			for range 10 {
				wg.Go(func() { s.Begin(background, true) })
			}
			wg.Wait()
			return nil
		}, nil},
	} {
		n.count()
		if err := test.do(); err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		got := n.count()
		if test.want == nil && test.name[:3] == "ten" {
			if got["LIST log"] > 9 {
				t.Errorf("%s: requests %v, want fewer than ten", test.name, got)
			}
			continue
		}
		if fmt.Sprint(got) != fmt.Sprint(test.want) {
			t.Errorf("%s: requests %v, want %v", test.name, got, test.want)
		}
	}
}

// TestCommitAfterOther has another commit come between Begin and Commit: one attempt
// is in vain.
func TestCommitAfterOther(t *testing.T) {
	url := newURL(newServer(t))
	n := &network{}
	s, other := open(t, url, &objectstore.Options{Transport: n}), open(t, url, nil)
	tx := begin(t, s, true)
	if err := tx.Set([]byte("a"), nil); err != nil {
		t.Fatal(err)
	}
	set(t, other, "b", "1")
	n.count()
	if _, err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	want := map[string]int{"PUT log": 2, "LIST log": 2, "GET log": 1, "GET boundary": 2}
	if got := n.count(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("requests %v, want %v", got, want)
	}
}

// TestGroup has many commit while one commit is on its way: they become one object.
func TestGroup(t *testing.T) {
	n := &network{}
	s := open(t, newURL(newServer(t)), &objectstore.Options{Transport: n})
	reached, release := n.stall("PUT log")
	first := commitAsync(t, begin(t, s, true), "first", "1")
	<-reached
	var results []chan error
	for i := range 20 {
		results = append(results, commitAsync(t, begin(t, s, true), fmt.Sprint("k", i), "1"))
	}
	n.count()
	close(release)
	for _, result := range append(results, first) {
		if err := <-result; err != nil {
			t.Error(err)
		}
	}
	if got := n.count()["PUT log"]; got > 3 { // who came before the others may go alone
		t.Errorf("20 commits that waited together made %d objects", got)
	}
}
