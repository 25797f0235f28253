package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kivisdb/kivis/store"
)

var closeTests = []test{
	{"Twice", testCloseTwice, 0},
	{"OpenTransactions", testCloseOpenTransactions, 0},
	{"OpenCursor", testCloseOpenCursor, 0},
	{"WhileBusy", testCloseWhileBusy, 0},
	{"DiscardFromElsewhere", testDiscardFromElsewhere, 0},
}

func testCloseTwice(t *testing.T, h *harness) {
	s := h.filled(t, "a=1")
	for i := range 2 {
		if err := s.Close(); err != nil {
			t.Errorf("Close number %d: %v", i+1, err)
		}
	}
	for _, write := range []bool{false, true} {
		tx, err := s.Begin(context.Background(), write)
		wantErr(t, "Begin", err, store.ErrClosed)
		if tx != nil {
			t.Error("Begin returned both an error and a transaction")
		}
	}
}

func testCloseOpenTransactions(t *testing.T, h *harness) {
	for _, writing := range []bool{false, true} {
		for name := range calls(nil) {
			s := h.filled(t, "a=1")
			tx := begin(t, s, writing)
			if writing {
				write(t, tx, "b=2")
			}
			if err := s.Close(); err != nil {
				t.Fatalf("Close: %v", err)
			}
			wantErr(t, name, calls(tx)[name](), store.ErrClosed)
		}
	}
}

func testCloseOpenCursor(t *testing.T, h *harness) {
	for _, writing := range []bool{false, true} {
		s := h.filled(t, numbered(500)...)
		tx := begin(t, s, writing)
		if writing {
			write(t, tx, "own=1")
		}
		c := open(t, tx, store.Range{})
		c.Next()
		key, value := c.Key(), c.Value()
		fresh := open(t, tx, down(store.Range{}))
		if err := s.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
		if string(key) != "000000" || string(value) != "v0" {
			t.Errorf("Close changed the current entry to %q=%q", key, value)
		}
		if got := string(c.Keep()); got != "v0" {
			t.Errorf("Keep after Close = %q, want the value the cursor stands on", got)
		}
		for _, c := range []store.Cursor{c, fresh} {
			if c.Next() || c.Seek([]byte("000100")) {
				t.Error("a cursor moves after the store was closed")
			}
			wantErr(t, "cursor", c.Err(), store.ErrClosed)
			c.Close()
		}
	}
}

// testCloseWhileBusy closes the store under readers and writers: each call
// works or says that the store is closed, and Close returns.
func testCloseWhileBusy(t *testing.T, h *harness) {
	for range 3 {
		s := h.filled(t, numbered(300)...)
		var wg sync.WaitGroup
		var done atomic.Int64
		var closed atomic.Bool
		for g := range 6 {
			wg.Go(func() { busy(t, s, g, &done, &closed) })
		}
		for done.Load() < 60 {
			time.Sleep(100 * time.Microsecond)
		}
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		closed.Store(true)
		wg.Wait()
	}
}

// busy reads or writes until the store is closed, counting what it has done.
func busy(t testing.TB, s store.Store, g int, done *atomic.Int64, closed *atomic.Bool) {
	for i := 0; ; i++ {
		late := closed.Load()
		err := busyOnce(s, g, i)
		done.Add(1)
		switch {
		case errors.Is(err, store.ErrClosed):
			return
		case late:
			t.Errorf("after Close: error %v, want ErrClosed", err)
			return
		case err != nil && !errors.Is(err, store.ErrConflict):
			t.Errorf("while the store is being closed: %v", err)
			return
		}
	}
}

func busyOnce(s store.Store, g, i int) error {
	if g%2 == 0 {
		return writeTwo(context.Background(), s, fmt.Sprint("x", g), fmt.Sprint("y", i))
	}
	return readAll(s)
}

// readAll reads every entry and checks those of numbered.
func readAll(s store.Store) error {
	tx, err := s.Begin(context.Background(), false)
	if err != nil {
		return err
	}
	defer tx.Discard()
	c, err := tx.Scan(store.Range{})
	if err != nil {
		return err
	}
	defer c.Close()
	for i := 0; c.Next(); i++ {
		key, value := string(c.Key()), c.Keep()
		if want := fmt.Sprint("v", i); i < 300 && (key != fmt.Sprintf("%06d", i) || string(value) != want) {
			return fmt.Errorf("entry %d is %q=%q", i, key, value)
		}
	}
	return c.Err()
}

// testDiscardFromElsewhere discards transactions that another goroutine is
// using.
func testDiscardFromElsewhere(t *testing.T, h *harness) {
	s := h.filled(t, numbered(300)...)
	for i := range 50 {
		tx := begin(t, s, i%2 == 0)
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := useUp(tx); !errors.Is(err, store.ErrTxDone) {
				t.Errorf("a transaction discarded from elsewhere: %v, want ErrTxDone", err)
			}
		})
		time.Sleep(time.Duration(i) * 10 * time.Microsecond)
		tx.Discard()
		wg.Wait()
	}
	if err := readAll(s); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// useUp scans and reads until tx refuses.
func useUp(tx store.Tx) error {
	for {
		c, err := tx.Scan(span("000010", "000200"))
		if err != nil {
			return err
		}
		for i := 10; c.Next(); i++ {
			if want := fmt.Sprintf("%06d=v%d", i, i); string(c.Key())+"="+string(c.Value()) != want {
				return fmt.Errorf("the cursor shows %q, want %q", entry(c), want)
			}
		}
		if err := c.Err(); err != nil {
			return err
		}
		c.Close()
		if _, err := tx.Get([]byte("000001")); err != nil {
			return err
		}
	}
}
