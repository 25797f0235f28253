package objectstore_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/objectstore"
)

// TestDamage damages each object in turn, in many ways: who opens the store, or
// checks it, is told of damage. Two things cannot be seen: that the newest object of
// the log is gone, by who did not know of it, and what follows a checkpoint, since
// nobody reads it.
func TestDamage(t *testing.T) {
	url := newURL(newServer(t))
	s := open(t, url, nil)
	for i := range 20 {
		set(t, s, fmt.Sprint("k", i), strings.Repeat(fmt.Sprint(i), 50))
		if i == 9 {
			collected(t, s)
		}
	}
	want := contents(t, begin(t, s, false))
	names, err := s.Names(background)
	if err != nil {
		t.Fatal(err)
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	rounds := 30
	if testing.Short() {
		rounds = 6
	}
	for _, name := range names {
		whole, err := s.Object(background, name)
		if err != nil {
			t.Fatal(err)
		}
		for i := range rounds {
			damage := damaged(rnd, whole, i)
			if damage == nil && name == objectstore.LogName(21) || len(damage) > len(whole) && strings.HasPrefix(name, "checkpoint/") {
				continue
			}
			if err := s.Put(background, name, damage); err != nil {
				t.Fatal(err)
			}
			wantDamage(t, url, name, damage, want)
		}
		if err := s.Put(background, name, whole); err != nil {
			t.Fatal(err)
		}
	}
	if got := contents(t, begin(t, open(t, url, nil), false)); len(got) != len(want) {
		t.Errorf("mended, the store has %d entries, want %d", len(got), len(want))
	}
}

// damaged returns other bytes than whole; none for a deletion.
func damaged(rnd *rand.Rand, whole []byte, i int) []byte {
	b := bytes.Clone(whole)
	switch i {
	case 0:
		return nil
	case 1:
		return []byte{}
	case 2:
		return b[:rnd.IntN(len(b))]
	case 3:
		return append(b, 0)
	}
	b[rnd.IntN(len(b))] ^= 1 << rnd.IntN(8)
	return b
}

func wantDamage(t *testing.T, url, name string, damage []byte, want [][2]string) {
	t.Helper()
	s, err := objectstore.Open(background, url, keyed(&objectstore.Options{ReadOnly: true, Patience: -1}))
	if err == nil {
		defer s.Close()
		got := contents(t, begin(t, s, false))
		if err = s.Verify(background); err == nil || len(got) != len(want) {
			t.Errorf("%s damaged to %d bytes %.60q: %d entries and no error", name, len(damage), damage, len(got))
		}
	}
	gone := damage == nil && name == "boundary" // that is an empty place
	if !errors.Is(err, store.ErrCorrupt) && !errors.Is(err, objectstore.ErrNewer) && !gone {
		t.Errorf("%s damaged to %d bytes %.60q: %v, want ErrCorrupt", name, len(damage), damage, err)
	}
}

// TestGone has the store disappear, or another one take its place, under a process.
func TestGone(t *testing.T) {
	server := newServer(t)
	for _, again := range []bool{false, true} {
		url := newURL(server)
		s := open(t, url, &objectstore.Options{Patience: -1})
		set(t, s, "a", "1")
		if err := objectstore.Drop(background, url, keyed(nil)); err != nil {
			t.Fatal(err)
		}
		if names, err := s.Names(background); len(names) > 0 || err != nil {
			t.Errorf("after Drop there are %q, error %v", names, err)
		}
		if again {
			set(t, open(t, url, nil), "b", "2")
			set(t, open(t, url, nil), "b", "3")
		}
		if _, err := s.Begin(background, false); !errors.Is(err, store.ErrIncarnation) {
			t.Errorf("made again: %v: Begin: %v, want ErrIncarnation", again, err)
		}
	}
}

// TestNoConditions has buckets that ignore conditions, as some servers do.
func TestNoConditions(t *testing.T) {
	for _, header := range []string{"If-None-Match", "If-Match"} {
		url := fmt.Sprintf("s3://%s/x?endpoint=%s", bucketName, newDeafServer(t, header).URL)
		s, err := objectstore.Open(background, url, keyed(nil))
		if !errors.Is(err, objectstore.ErrNoConditions) {
			t.Errorf("Open, %s ignored: %v, want ErrNoConditions", header, err)
		}
		if err == nil {
			s.Close()
		}
	}
}

// TestNoBucket: what is wrong with a place is told at once.
func TestNoBucket(t *testing.T) {
	server := newServer(t)
	for _, o := range []*objectstore.Options{nil, {ReadOnly: true}} {
		_, err := objectstore.Open(background, "s3://missing/x?endpoint="+server.URL, keyed(o))
		if err == nil || errors.Is(err, store.ErrUnreachable) || !strings.Contains(err.Error(), "NoSuchBucket") {
			t.Errorf("Open of a bucket that is not there: %v", err)
		}
	}
	for want, o := range map[error]*objectstore.Options{store.ErrReadOnly: {ReadOnly: true}, fs.ErrNotExist: {MustExist: true}} {
		url := newURL(server)
		for range 2 { // the first has made nothing
			if _, err := objectstore.Open(background, url, keyed(o)); !errors.Is(err, want) || !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("Open where nothing is: %v, want %v", err, want)
			}
		}
	}
}
