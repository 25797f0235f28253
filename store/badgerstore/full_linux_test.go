package badgerstore_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
)

func init() { children["full"] = childFull }

// childFull writes until the disk is full, says how much, and goes on when there
// is room.
func childFull(dir string, args []string) error {
	memory, _ := strconv.ParseInt(args[0], 10, 64)
	s, err := badgerstore.Open(dir, &badgerstore.Options{Memory: memory})
	if err != nil {
		return err
	}
	first, _ := strconv.ParseInt(args[1], 10, 64)
	var next atomic.Int64
	next.Store(first)
	var acked atomic.Int64
	errs := make(chan error, 4)
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for refused := 0; refused < 20; {
				i := next.Add(1)
				err := update(s, func(tx store.Tx) error {
					return tx.Set(benchKey(int(i)), bigValue(uint64(w), int(1000+i%7*3000)))
				})
				switch {
				case err == nil:
					acked.Add(1)
				case errors.Is(err, syscall.ENOSPC) && !errors.Is(err, store.ErrCommitUnknown):
					refused++
					time.Sleep(20 * time.Millisecond)
				default:
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	select {
	case err := <-errs:
		return err
	default:
	}
	fmt.Println("full", acked.Load())
	for range 1000 {
		if err = update(s, func(tx store.Tx) error { return tx.Set([]byte("room"), nil) }); err == nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err != nil {
		return err
	}
	fmt.Println("room")
	if err := s.Close(); err != nil {
		return err
	}
	fmt.Println("closed")
	return nil
}

// A disk that fills up has commits refused, and ends no process: what was
// acknowledged is there, and the store goes on once there is room.
func TestFullDisk(t *testing.T) {
	for _, test := range []struct{ memory, size int }{{16 << 20, 72 << 20}, {64 << 20, 190 << 20}} {
		t.Run(fmt.Sprintf("memory %d", test.memory), func(t *testing.T) {
			if testing.Short() || raceEnabled {
				t.Skip("takes long")
			}
			base := t.TempDir()
			if err := syscall.Mount("tmpfs", base, "tmpfs", 0, fmt.Sprintf("size=%d", test.size)); err != nil {
				t.Skipf("a file system of a size cannot be mounted here: %v", err)
			}
			t.Cleanup(func() { syscall.Unmount(base, syscall.MNT_DETACH) })
			dir := filepath.Join(base, "store")
			total := 0
			size := 3 * test.size
			for round := range 2 {
				c := start(t, "full", dir, test.memory, round*1_000_000)
				line := c.wait(t)
				var acked int
				if _, err := fmt.Sscanf(line, "full %d", &acked); err != nil || round == 0 && acked < 100 {
					t.Fatalf("the child says %q; want it to be full after 100 commits at least", line)
				}
				total += acked
				check(t, syscall.Mount("tmpfs", base, "tmpfs", syscall.MS_REMOUNT, fmt.Sprintf("size=%d", size)))
				size += test.size
				if line := c.wait(t); line != "room" {
					t.Fatalf("the child says %q, want room", line)
				}
				if line := c.wait(t); line != "closed" {
					t.Fatalf("the child says %q, want closed", line)
				}
				s := open(t, dir, nil)
				if n := countAll(t, s); n != total+1 {
					t.Errorf("round %d: %d keys, want %d", round, n, total+1)
				}
				check(t, s.Verify(ctx))
				check(t, s.Close())
				os.Remove(filepath.Join(base, "hog"))
				check(t, fillUp(filepath.Join(base, "hog"))) // so that the next round opens it full
			}
			s, err := badgerstore.Open(dir, nil)
			if err == nil {
				err = update(s, setOld)
				s.Close()
			}
			if !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("Open and Commit on a full disk: %v, want ENOSPC", err)
			}
		})
	}
}

// fillUp writes a file until nothing is left but two megabytes.
func fillUp(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	block := make([]byte, 1<<20)
	size := int64(0)
	for ; err == nil; size += int64(len(block)) {
		_, err = f.Write(block)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		return err
	}
	return f.Truncate(max(0, size-3<<20))
}
