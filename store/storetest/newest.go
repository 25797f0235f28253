package storetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"github.com/kivisdb/kivis/store"
)

// newestTests are of store.Get: of a store that is a store.Getter, or else of
// the fallback.
var newestTests = []test{
	{"Committed", testNewestCommitted, 0},
	{"Refused", testNewestRefused, 0},
	{"AllOrNothing", testNewestAllOrNothing, 0},
}

// newest returns what store.Get does.
func newest(t testing.TB, s store.Store, key string) string {
	t.Helper()
	value, err := store.Get(context.Background(), s, []byte(key))
	if errors.Is(err, store.ErrNotFound) {
		return absent
	}
	if err != nil || value == nil {
		t.Fatalf("store.Get(%q) = %#v, %v", key, value, err)
	}
	return string(value)
}

func testNewestCommitted(t *testing.T, h *harness) {
	s := h.filled(t, "a=1", "b=", "c=3")
	want := func(when string, values ...string) {
		t.Helper()
		for i, want := range values {
			key := string(rune('a' + i))
			if got := newest(t, s, key); got != want {
				t.Errorf("%s: store.Get(%q) = %q, want %q", when, key, got, want)
			}
		}
	}
	want("at first", "1", "", "3", absent)
	old := begin(t, s, false)
	defer old.Discard()
	tx := begin(t, s, true)
	write(t, tx, "a=2", "d=4")
	if err := tx.Delete([]byte("c")); err != nil {
		t.Fatal(err)
	}
	want("before the commit", "1", "", "3", absent)
	commit(t, tx)
	want("after it", "2", "", absent, "4")
	wantScan(t, old, store.Range{}, "a=1", "b=", "c=3")
}

func testNewestRefused(t *testing.T, h *harness) {
	s := h.filled(t, "a=1")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := store.Get(ctx, s, []byte("a"))
	wantErr(t, "store.Get after the context's end", err, context.Canceled)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = store.Get(context.Background(), s, []byte("a"))
	wantErr(t, "store.Get after Close", err, store.ErrClosed)
}

// testNewestAllOrNothing reads the first and the last key of large commits while
// they happen. Whichever is read second must not be older.
func testNewestAllOrNothing(t *testing.T, h *harness) {
	const keys, rounds = 2000, 10
	s := h.new(t)
	round := func(i int) {
		tx := begin(t, s, true)
		for k := range keys {
			write(t, tx, fmt.Sprintf("%05d=%d", k, i))
		}
		commit(t, tx)
	}
	round(0)
	old := begin(t, s, false) // a snapshot beside which commits are more work
	defer old.Discard()
	stop := make(chan struct{})
	var wg sync.WaitGroup
	defer wg.Wait()
	defer close(stop)
	for _, pair := range [][2]string{{"00000", "01999"}, {"01999", "00000"}} {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				first, second := number(t, s, pair[0]), number(t, s, pair[1])
				if second < first {
					t.Errorf("store.Get(%q) = %d, and then store.Get(%q) = %d, of an older commit", pair[0], first, pair[1], second)
					return
				}
			}
		})
	}
	for i := 1; i <= rounds; i++ {
		round(i)
	}
}

// number returns the number under key.
func number(t testing.TB, s store.Store, key string) int {
	value, err := store.Get(context.Background(), s, []byte(key))
	if err != nil {
		t.Errorf("store.Get(%q): %v", key, err)
		return 0
	}
	n, err := strconv.Atoi(string(value))
	if err != nil {
		t.Error(err)
	}
	return n
}
