package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kivisdb/kivis/store"
)

// new returns an empty store, closed when the test ends.
func (h *harness) new(t testing.TB) store.Store {
	t.Helper()
	s := h.open(t)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// filled returns a store that holds pairs, each "key=value".
func (h *harness) filled(t testing.TB, pairs ...string) store.Store {
	t.Helper()
	s := h.new(t)
	fill(t, s, pairs...)
	return s
}

// fill commits pairs, each "key=value", or "key" for a deletion.
func fill(t testing.TB, s store.Store, pairs ...string) uint64 {
	t.Helper()
	tx := begin(t, s, true)
	write(t, tx, pairs...)
	return commit(t, tx)
}

// write writes pairs, each "key=value", or "key" for a deletion.
func write(t testing.TB, tx store.Tx, pairs ...string) {
	t.Helper()
	for _, pair := range pairs {
		key, value, ok := strings.Cut(pair, "=")
		var err error
		if ok {
			err = tx.Set([]byte(key), []byte(value))
		} else {
			err = tx.Delete([]byte(key))
		}
		if err != nil {
			t.Fatalf("writing %q: %v", pair, err)
		}
	}
}

// begin starts a transaction, discarded when the test ends.
func begin(t testing.TB, s store.Store, write bool) store.Tx {
	t.Helper()
	return beginCtx(t, context.Background(), s, write)
}

func beginCtx(t testing.TB, ctx context.Context, s store.Store, write bool) store.Tx {
	t.Helper()
	tx, err := s.Begin(ctx, write)
	if err != nil {
		t.Fatalf("Begin(write %v): %v", write, err)
	}
	t.Cleanup(tx.Discard)
	return tx
}

func commit(t testing.TB, tx store.Tx) uint64 {
	t.Helper()
	version, err := tx.Commit()
	if err != nil {
		t.Fatalf("Commit: %v", err)
	}
	return version
}

// conflict checks that tx cannot commit.
func conflict(t testing.TB, tx store.Tx) {
	t.Helper()
	if version, err := tx.Commit(); !errors.Is(err, store.ErrConflict) {
		t.Fatalf("Commit = %d, %v; want ErrConflict", version, err)
	}
}

// wantErr checks what a call returned.
func wantErr(t testing.TB, call string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error %v, want %v", call, err, want)
	}
}

// absent is what get returns for a key that is not there.
const absent = "(absent)"

func get(t testing.TB, tx store.Tx, key string) string {
	t.Helper()
	value, err := tx.Get([]byte(key))
	switch {
	case errors.Is(err, store.ErrNotFound):
		return absent
	case err != nil:
		t.Fatalf("Get(%q): %v", key, err)
	case value == nil:
		t.Fatalf("Get(%q) = nil without an error", key)
	}
	return string(value)
}

// wantGet checks the value of key.
func wantGet(t testing.TB, tx store.Tx, key, want string) {
	t.Helper()
	if got := get(t, tx, key); got != want {
		t.Errorf("Get(%q) = %.40q, want %.40q", key, got, want)
	}
}

func open(t testing.TB, tx store.Tx, r store.Range) store.Cursor {
	t.Helper()
	c, err := tx.Scan(r)
	if err != nil {
		t.Fatalf("Scan(%v): %v", show(r), err)
	}
	t.Cleanup(c.Close)
	return c
}

// scan returns the entries of r, each "key=value".
func scan(t testing.TB, tx store.Tx, r store.Range) []string {
	t.Helper()
	c := open(t, tx, r)
	defer c.Close()
	return rest(t, c)
}

// rest returns what c has yet to show.
func rest(t testing.TB, c store.Cursor) []string {
	t.Helper()
	var got []string
	for c.Next() {
		got = append(got, entry(c))
	}
	if err := c.Err(); err != nil {
		t.Fatalf("cursor: %v", err)
	}
	return got
}

// entry returns the current entry as "key=value", or as "key" without one.
func entry(c store.Cursor) string {
	value := c.Value()
	if value == nil {
		return string(c.Key())
	}
	return string(c.Key()) + "=" + string(value)
}

// wantScan checks the entries of r.
func wantScan(t testing.TB, tx store.Tx, r store.Range, want ...string) {
	t.Helper()
	if got := scan(t, tx, r); !slices.Equal(got, want) {
		t.Errorf("Scan(%v) = %.20q, want %.20q", show(r), got, want)
	}
}

// wantStore checks everything that is committed in s.
func wantStore(t testing.TB, s store.Store, want ...string) {
	t.Helper()
	tx := begin(t, s, false)
	defer tx.Discard()
	wantScan(t, tx, store.Range{}, want...)
}

// span returns the range from lo to hi.
func span(lo, hi string) store.Range { return store.Range{Lo: []byte(lo), Hi: []byte(hi)} }

// down returns r in reverse.
func down(r store.Range) store.Range {
	r.Reverse = true
	return r
}

// from returns the range from lo on.
func from(lo string) store.Range { return store.Range{Lo: []byte(lo)} }

func show(r store.Range) string {
	text := fmt.Sprintf("[%q, ", r.Lo)
	if r.Hi == nil {
		text += "..."
	} else {
		text += fmt.Sprintf("%q", r.Hi)
	}
	text += ")"
	if r.Reverse {
		text += " reverse"
	}
	return text
}

// numbered returns n pairs with keys in order.
func numbered(n int) []string {
	pairs := make([]string, n)
	for i := range pairs {
		pairs[i] = fmt.Sprintf("%06d=v%d", i, i)
	}
	return pairs
}
