package badgerstore_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/kivisdb/kivis/internal/benchtest"
	"github.com/kivisdb/kivis/internal/testform"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
)

func init() { children["handles"] = childHandles }

// hogHandles takes file handles until none but some are left.
func hogHandles(but int) (release func()) {
	var files []*os.File
	for {
		f, err := os.Open(os.DevNull)
		if err != nil {
			break
		}
		files = append(files, f)
	}
	for range min(but, len(files)) {
		files[len(files)-1].Close()
		files = files[:len(files)-1]
	}
	return func() {
		for _, f := range files {
			f.Close()
		}
	}
}

// childHandles writes in a process that is short of file handles, at times or,
// first of all, until it has been refused often enough, and says what is in.
func childHandles(dir string, args []string) error {
	seed, _ := strconv.ParseUint(args[0], 10, 64)
	r := rand.New(rand.NewPCG(seed, 1))
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 800, Max: 800}); err != nil {
		return err
	}
	opts := &badgerstore.Options{Memory: 16 << 20, NoSync: true}
	s, err := badgerstore.Open(dir, opts)
	if err != nil {
		return err
	}
	var stop atomic.Bool
	var refused, unknown atomic.Int64
	var why atomic.Pointer[error]
	errs := make(chan error, 4)
	var wg sync.WaitGroup
	next := make([]int, 4)
	var opened sync.RWMutex
	for w := range next {
		wg.Go(func() {
			for !stop.Load() {
				opened.RLock()
				if stop.Load() {
					opened.RUnlock()
					return // the store is not open any more
				}
				err := update(s, func(tx store.Tx) error {
					return tx.Set(benchtest.Key(1_000_000*w+next[w]), bigValue(uint64(w), 1000+next[w]%7*3000))
				})
				opened.RUnlock()
				switch {
				case err == nil:
					next[w]++
				case errors.Is(err, store.ErrCommitUnknown) && errors.Is(err, syscall.EMFILE):
					unknown.Add(1)
					time.Sleep(20 * time.Millisecond)
				case errors.Is(err, syscall.EMFILE):
					refused.Add(1)
					why.Store(&err)
					time.Sleep(5 * time.Millisecond)
				default:
					errs <- err
					return
				}
			}
		})
	}
	again := func() error {
		fmt.Println("broken")
		opened.Lock()
		defer opened.Unlock()
		unknown.Store(0) // of all who met it
		if err := s.Close(); err != nil && !errors.Is(err, syscall.EMFILE) {
			return fmt.Errorf("Close = %w, want EMFILE", err)
		}
		// What is left of the engine may hold the directory until the process ends.
		if s, err = badgerstore.Open(dir, opts); errors.Is(err, store.ErrInUse) {
			fmt.Fprintln(os.Stderr, "the directory stays locked")
			stop.Store(true)
			return nil
		}
		return err
	}
	for i := 0; !stop.Load() && (i < 25 || i < 500 && refused.Load() == 0); i++ {
		release := hogHandles(r.IntN(45))
		time.Sleep(time.Duration(10+r.IntN(150)) * time.Millisecond)
		release()
		time.Sleep(time.Duration(r.IntN(100)) * time.Millisecond)
		if unknown.Load() > 0 {
			if err := again(); err != nil {
				return err
			}
		}
	}
	for begun, before := time.Now(), int64(-1); !stop.Load() && refused.Load() > before; {
		if time.Since(begun) > 3*time.Minute {
			return fmt.Errorf("commits are still refused: %w", *why.Load())
		}
		before = refused.Load()
		time.Sleep(time.Second)
		if unknown.Load() > 0 {
			before = -1
			if err := again(); err != nil {
				return err
			}
		}
	}
	stop.Store(true)
	wg.Wait()
	select {
	case err := <-errs:
		return err
	default:
	}
	fmt.Println("refused", refused.Load())
	fmt.Println("wrote", next[0], next[1], next[2], next[3])
	if s == nil {
		fmt.Println("closed")
		return nil
	}
	if err := s.Close(); err != nil && !errors.Is(err, syscall.EMFILE) {
		return err // it may find only now that a compaction cannot end
	}
	fmt.Println("closed")
	return nil
}

// A process that runs out of file handles loses nothing that was acknowledged,
// gets errors, and goes on once there are handles: at a rotation of the log, in
// a flush, and in a compaction.
func TestFewHandles(t *testing.T) {
	short := 0 // how often a commit has met the lack of handles
	for range testform.Of(1, 1, 2) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		dir := t.TempDir()
		c := start(t, "handles", dir, seed)
		line := c.waitFor(t, 5*time.Minute)
		for line == "broken" {
			t.Log("a compaction could not make its tables, or no log was to be had")
			short++
			line = c.waitFor(t, 5*time.Minute)
		}
		var n int
		if _, err := fmt.Sscanf(line, "refused %d", &n); err != nil {
			t.Fatalf("the child says %q", line)
		}
		short += n
		var wrote [4]int
		if _, err := fmt.Sscanf(c.wait(t), "wrote %d %d %d %d", &wrote[0], &wrote[1], &wrote[2], &wrote[3]); err != nil {
			t.Fatal(err)
		}
		t.Logf("%d refused, %d written", n, wrote)
		if line := c.waitFor(t, 5*time.Minute); line != "closed" {
			t.Errorf("the child says %q, want closed", line)
		}
		c.ended()
		s := open(t, dir, nil)
		check(t, view(s, func(tx store.Tx) error {
			for w, n := range wrote {
				for i := range n {
					if _, err := tx.Get(benchtest.Key(1_000_000*w + i)); err != nil {
						return fmt.Errorf("record %d of writer %d: %w", i, w, err)
					}
				}
			}
			return nil
		}))
		check(t, s.Verify(ctx))
	}
	if short == 0 {
		t.Error("no commit has met the lack of handles")
	}
}
