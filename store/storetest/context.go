package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/kivisdb/kivis/store"
)

var contextTests = []test{
	{"Begin", testContextBegin, 0},
	{"Calls", testContextCalls, 0},
	{"Cursor", testContextCursor, 0},
	{"Deadline", testContextDeadline, 0},
	{"AfterCommit", testContextAfterCommit, 0},
	{"AfterDiscard", testContextAfterDiscard, 0},
	{"Idle", testContextIdle, 0},
	{"Race", testContextRace, 0},
}

func testContextBegin(t *testing.T, h *harness) {
	s := h.filled(t, "a=1")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, write := range []bool{false, true} {
		tx, err := s.Begin(ctx, write)
		wantErr(t, "Begin", err, context.Canceled)
		if tx != nil {
			t.Error("Begin returned both an error and a transaction")
		}
	}
	wantStore(t, s, "a=1")
}

// testContextCalls ends the context before each call.
func testContextCalls(t *testing.T, h *harness) {
	s := h.filled(t, "a=1")
	for name := range calls(nil) {
		ctx, cancel := context.WithCancel(context.Background())
		tx := beginCtx(t, ctx, s, true)
		write(t, tx, "a=2", "b=3")
		get(t, tx, "a")
		cancel()
		wantErr(t, name, calls(tx)[name](), context.Canceled)
		if _, err := tx.Get([]byte("a")); err == nil {
			t.Errorf("Get succeeds after %s was refused", name)
		}
		tx.Discard()
	}
	wantStore(t, s, "a=1")
}

func testContextCursor(t *testing.T, h *harness) {
	s := h.filled(t, numbered(1000)...)
	for _, write := range []bool{false, true} {
		for _, seek := range []bool{false, true} {
			ctx, cancel := context.WithCancel(context.Background())
			tx := beginCtx(t, ctx, s, write)
			c := open(t, tx, store.Range{})
			if !c.Next() {
				t.Fatalf("no entries: %v", c.Err())
			}
			cancel()
			if seek && c.Seek([]byte("000500")) || !seek && c.Next() {
				t.Error("a cursor moves after the end of the context")
			}
			wantErr(t, "cursor", c.Err(), context.Canceled)
			c.Close()
			tx.Discard()
		}
	}
}

func testContextDeadline(t *testing.T, h *harness) {
	s := h.filled(t, "a=1")
	var tx store.Tx
	for d := time.Millisecond; tx == nil; d *= 4 { // until Begin takes less
		ctx, cancel := context.WithTimeout(context.Background(), d)
		defer cancel()
		var err error
		if tx, err = s.Begin(ctx, true); err == nil {
			<-ctx.Done()
		} else if !errors.Is(err, context.DeadlineExceeded) || d > time.Minute {
			t.Fatalf("Begin with a deadline after %v: %v", d, err)
		}
	}
	_, err := tx.Get([]byte("a"))
	wantErr(t, "Get", err, context.DeadlineExceeded)
	tx.Discard()
	wantStore(t, s, "a=1")
}

func testContextAfterCommit(t *testing.T, h *harness) {
	s := h.new(t)
	ctx, cancel := context.WithCancel(context.Background())
	tx := beginCtx(t, ctx, s, true)
	write(t, tx, "a=1")
	commit(t, tx)
	cancel()
	wantErr(t, "Set", tx.Set([]byte("a"), nil), store.ErrTxDone)
	wantStore(t, s, "a=1")
}

func testContextAfterDiscard(t *testing.T, h *harness) {
	s := h.filled(t, "a=1")
	ctx, cancel := context.WithCancel(context.Background())
	tx := beginCtx(t, ctx, s, false)
	c := open(t, tx, store.Range{})
	c.Next()
	tx.Discard()
	cancel()
	_, err := tx.Get([]byte("a"))
	wantErr(t, "Get", err, store.ErrTxDone)
	wantStore(t, s, "a=1")
}

// testContextIdle leaves transactions whose context has ended lying about: they
// must not be in the way of others, nor of Close.
func testContextIdle(t *testing.T, h *harness) {
	s := h.filled(t, numbered(10)...)
	for i := range 100 {
		ctx, cancel := context.WithCancel(context.Background())
		tx, err := s.Begin(ctx, i%2 == 0)
		if err != nil {
			t.Fatalf("Begin: %v", err)
		}
		if _, err := tx.Scan(store.Range{}); i%3 == 0 && err != nil {
			t.Fatalf("Scan: %v", err)
		}
		cancel()
		fill(t, s, fmt.Sprint("k", i, "=1"))
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// testContextRace ends the context while its transaction is at work: a commit
// that reports success is there, one that does not has left nothing.
func testContextRace(t *testing.T, h *harness) {
	s := h.new(t)
	var wg sync.WaitGroup
	committed := make([]bool, 200)
	for g := range 4 {
		wg.Go(func() {
			for i := g; i < len(committed); i += 4 {
				committed[i] = raceCancel(t, s, i)
			}
		})
	}
	wg.Wait()
	tx := begin(t, s, false)
	for i, ok := range committed {
		want := absent
		if ok {
			want = "1"
		}
		wantGet(t, tx, fmt.Sprint("a", i), want)
		wantGet(t, tx, fmt.Sprint("b", i), want)
	}
}

func raceCancel(t testing.TB, s store.Store, i int) bool {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stop := time.AfterFunc(time.Duration(i)*2*time.Microsecond, cancel)
	defer stop.Stop()
	err := writeTwo(ctx, s, fmt.Sprint("a", i), fmt.Sprint("b", i))
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("with a cancelled context: %v", err)
	}
	return err == nil
}

// writeTwo sets two keys to 1 and reads a little in between.
func writeTwo(ctx context.Context, s store.Store, a, b string) error {
	tx, err := s.Begin(ctx, true)
	if err != nil {
		return err
	}
	defer tx.Discard()
	if err := tx.Set([]byte(a), []byte("1")); err != nil {
		return err
	}
	c, err := tx.Scan(span(a, a+"\x00"))
	if err != nil {
		return err
	}
	for c.Next() {
	}
	if err := c.Err(); err != nil {
		return err
	}
	if err := tx.Set([]byte(b), []byte("1")); err != nil {
		return err
	}
	_, err = tx.Commit()
	return err
}
