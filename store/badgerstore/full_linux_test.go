package badgerstore_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
					return tx.Set(benchtest.Key(int(i)), bigValue(uint64(w), int(1000+i%7*3000)))
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

// disk is a file system of a size, which can get room.
type disk struct {
	base string
	room func(t *testing.T, bytes int)
}

// mountTmpfs makes one in memory.
func mountTmpfs(t *testing.T, size int) disk {
	base := t.TempDir()
	if err := syscall.Mount("tmpfs", base, "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
		t.Skipf("a file system of a size cannot be mounted here: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(base, syscall.MNT_DETACH) })
	return disk{base, func(t *testing.T, bytes int) {
		t.Helper()
		size += bytes
		check(t, syscall.Mount("tmpfs", base, "tmpfs", syscall.MS_REMOUNT, fmt.Sprintf("size=%d", size)))
	}}
}

// mountExt4 makes one in an image, most of which a file takes.
func mountExt4(t *testing.T, size int) disk {
	image, base := filepath.Join(t.TempDir(), "image"), t.TempDir()
	check(t, os.WriteFile(image, nil, 0o600))
	check(t, os.Truncate(image, int64(6*size)))
	for _, command := range [][]string{{"mkfs.ext4", "-q", "-F", "-m", "0", image}, {"mount", "-o", "loop", image, base}} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			t.Skipf("a file system cannot be made here: %s: %v: %s", command[0], err, out)
		}
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "-l", base).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	var st syscall.Statfs_t
	check(t, syscall.Statfs(base, &st))
	f, err := os.Create(filepath.Join(base, "taken"))
	check(t, err)
	t.Cleanup(func() { f.Close() })
	taken := int64(st.Bavail)*st.Bsize - int64(size)
	check(t, syscall.Fallocate(int(f.Fd()), 0, 0, taken))
	return disk{base, func(t *testing.T, bytes int) {
		t.Helper()
		taken -= int64(bytes)
		check(t, f.Truncate(taken))
	}}
}

// A disk that fills up has commits refused, and ends no process: what was
// acknowledged is there, and the store goes on once there is room.
func TestFullDisk(t *testing.T) {
	for _, test := range []struct {
		name         string
		mount        func(*testing.T, int) disk
		memory, size int
		long         bool
	}{
		{"tmpfs, least memory", mountTmpfs, 16 << 20, 72 << 20, false},
		{"tmpfs", mountTmpfs, 64 << 20, 190 << 20, true},
		{"ext4, least memory", mountExt4, 16 << 20, 72 << 20, true},
		{"ext4", mountExt4, 64 << 20, 190 << 20, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.long {
				testform.Long(t, "fills a larger disk")
			}
			testform.Usual(t, "fills a disk")
			fillDisk(t, test.mount(t, test.size), test.memory, test.size)
		})
	}
}

// fillDisk has a child fill a disk twice, the second time one that is full.
func fillDisk(t *testing.T, d disk, memory, size int) {
	dir, hog := filepath.Join(d.base, "store"), filepath.Join(d.base, "hog")
	total := 0
	for round := range 2 {
		c := start(t, "full", dir, memory, round*1_000_000)
		line := c.wait(t)
		var acked int
		if _, err := fmt.Sscanf(line, "full %d", &acked); err != nil || round == 0 && acked < 100 {
			t.Fatalf("the child says %q; want it to be full after 100 commits at least", line)
		}
		total += acked
		d.room(t, 2*size)
		for _, want := range []string{"room", "closed"} {
			if line := c.wait(t); line != want {
				t.Fatalf("the child says %q, want %s", line, want)
			}
		}
		s := open(t, dir, nil)
		if n := countAll(t, s); n != total+1 {
			t.Errorf("round %d: %d keys, want %d", round, n, total+1)
		}
		check(t, s.Verify(ctx))
		check(t, s.Close())
		os.Remove(hog)
		check(t, fillUp(hog)) // so that the next round opens it full
	}
	s, err := badgerstore.Open(dir, nil)
	if err == nil {
		err = update(s, setOld)
		s.Close()
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Open and Commit on a full disk: %v, want ENOSPC", err)
	}
}

// fillUp makes a file so big that nothing is left but a few megabytes.
func fillUp(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	size := int64(0)
	for ; err == nil; size += 1 << 20 {
		err = syscall.Fallocate(int(f.Fd()), 0, size, 1<<20)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		return err
	}
	return f.Truncate(max(0, size-3<<20))
}
