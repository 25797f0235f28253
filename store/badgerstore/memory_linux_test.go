package badgerstore_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kivisdb/kivis/internal/benchtest"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
)

var load = flag.Duration("load", 0, "how long TestMemory loads each store; not at all where it is 0")

func init() {
	children["load"] = childLoad
	children["value"] = childValue
}

// residentOf returns what of this process is in memory, in bytes: of its own, and
// of files, which the system takes back when it likes.
func residentOf() (own, files int64) {
	data, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(data)) {
		name, rest, _ := strings.Cut(line, ":")
		kb, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
		switch name {
		case "RssAnon":
			own = kb << 10
		case "RssFile", "RssShmem":
			files += kb << 10
		}
	}
	return own, files
}

// watch returns a function that ends the watching and returns the most there was.
func watch() func() (own, files int64) {
	stop := make(chan struct{})
	var wg sync.WaitGroup
	var own, files int64
	wg.Go(func() {
		for {
			o, f := residentOf()
			own, files = max(own, o), max(files, f)
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	})
	return func() (int64, int64) {
		close(stop)
		wg.Wait()
		return own, files
	}
}

// childLoad reads, writes, scans and deletes for a while, and says how much memory
// it had.
func childLoad(dir string, args []string) error {
	memory, _ := strconv.ParseInt(args[0], 10, 64)
	lasts, _ := time.ParseDuration(args[1])
	limit, _ := strconv.ParseInt(args[2], 10, 64)
	if limit > 0 {
		debug.SetMemoryLimit(limit)
	}
	s, err := badgerstore.Open(dir, &badgerstore.Options{Memory: memory, NoSync: true})
	if err != nil {
		return err
	}
	const keys = 200_000
	most := watch()
	end := time.Now().Add(lasts)
	errs := make([]error, 4)
	var wg sync.WaitGroup
	for w := range errs {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 0))
			for time.Now().Before(end) && errs[w] == nil {
				errs[w] = update(s, func(tx store.Tx) error { return mix(tx, r, keys) })
			}
		})
	}
	wg.Wait()
	own, files := most()
	size, err := s.Size()
	fmt.Println("load", own, files, size)
	return errors.Join(append(errs, err, s.Close())...)
}

// mix is a transaction of a mixed load. Conflicts are as good as commits.
func mix(tx store.Tx, r *rand.Rand, keys int) error {
	for range 10 {
		key := benchtest.Key(r.IntN(keys))
		var err error
		switch r.IntN(10) {
		case 0:
			err = tx.Delete(key)
		case 1, 2, 3:
			err = tx.Set(key, bigValue(r.Uint64(), 500+r.IntN(3000)))
		default:
			_, err = tx.Get(key)
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	return nil
}

// The resident memory of a steady mixed load, what is mapped of files apart, is
// under three times Options.Memory and 150 MB, or with a limit for the
// garbage collection, as GOMEMLIMIT sets it, under twice Options.Memory and 100 MB.
func TestMemory(t *testing.T) {
	if *load == 0 {
		t.Skip("only with -load")
	}
	for _, memory := range []int64{16 << 20, 64 << 20, 256 << 20} {
		bound := 2*memory + 100e6
		for _, test := range []struct{ limit, want int64 }{{0, 3*memory + 150e6}, {bound - 20e6, bound}} {
			c := start(t, "load", t.TempDir(), memory, *load, test.limit)
			var own, files, size int64
			if _, err := fmt.Sscanf(c.waitFor(t, *load+time.Minute), "load %d %d %d", &own, &files, &size); err != nil {
				t.Fatal(err)
			}
			t.Logf("Memory %d MiB, limit %d MB: %d MB of its own, %d MB of files mapped; store of %d MB",
				memory>>20, test.limit/1e6, own/1e6, files/1e6, size/1e6)
			if own > test.want {
				t.Errorf("Memory %d, limit %d: %d bytes, want at most %d", memory, test.limit, own, test.want)
			}
		}
	}
}

// childValue sets a big value and gets it, and says how much memory that took on top.
func childValue(dir string, args []string) error {
	size, _ := strconv.Atoi(args[0])
	s, err := badgerstore.Open(dir, &badgerstore.Options{NoSync: true})
	if err != nil {
		return err
	}
	var value []byte
	if args[1] == "set" {
		value = bigValue(1, size)
	}
	before, _ := residentOf()
	most := watch()
	if args[1] == "get" {
		err = view(s, func(tx store.Tx) error {
			got, err := tx.Get([]byte("big"))
			if err == nil && len(got) != size {
				err = fmt.Errorf("%d bytes", len(got))
			}
			return err
		})
	} else {
		err = update(s, func(tx store.Tx) error { return tx.Set([]byte("big"), value) })
	}
	own, _ := most()
	fmt.Println("value", own-before)
	return errors.Join(err, s.Close())
}

// A big value takes at most three times its size when it is set or got, the
// caller's own and Options.Memory apart.
func TestBigValueMemory(t *testing.T) {
	if *load == 0 {
		t.Skip("only with -load")
	}
	for _, size := range []int{64 << 20, 300 << 20} {
		dir := t.TempDir()
		for _, what := range []string{"set", "get"} {
			c := start(t, "value", dir, size, what)
			var took int
			if _, err := fmt.Sscanf(c.wait(t), "value %d", &took); err != nil {
				t.Fatal(err)
			}
			c.ended()
			t.Logf("%s of %d MB: %d MB on top, %.1f times", what, size/1e6, took/1e6, float64(took)/float64(size))
			if took > 3*size+64<<20 {
				t.Errorf("%s of %d bytes took %d on top", what, size, took)
			}
		}
	}
}
