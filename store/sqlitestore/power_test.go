package sqlitestore_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/sqlitestore"
)

// crashed is what a power failure has left, and what had been committed by then.
type crashed struct {
	files map[string][]byte
	acked uint64
}

// TestPowerLoss: after a power failure at any moment a store has what Commit had
// returned for, and perhaps the commit after it, whole. Without syncs it has some
// version, whole.
func TestPowerLoss(t *testing.T) {
	for _, noSync := range []bool{false, true} {
		t.Run(fmt.Sprintf("nosync=%t", noSync), func(t *testing.T) {
			seed := rand.Uint64()
			r := rand.New(rand.NewPCG(seed, 1))
			// With so little memory a large transaction does not fit into the cache, so
			// SQLite writes pages of it before its end, and some of them once more.
			crashes, h := crashOften(t, r, &sqlitestore.Options{NoSync: noSync, Memory: 1 << 20})
			refused := 0
			for i, c := range crashes {
				if !c.check(t, h, noSync) {
					refused++
				}
				if t.Failed() {
					t.Fatalf("seed %d, crash %d of %d, at version %d", seed, i, len(crashes), c.acked)
				}
			}
			t.Logf("seed %d: %d crashes in %d versions, %d refused", seed, len(crashes), h.last, refused)
		})
	}
}

// crashOften writes to a store, and returns what power failures would leave.
func crashOften(t *testing.T, r *rand.Rand, opts *sqlitestore.Options) (crashes []crashed, h history) {
	d := newDisk(t, 40)
	path := fileIn(t.TempDir())
	h.at = map[uint64]content{}
	c := content{}
	commits, rate := 300, 40
	if testing.Short() {
		commits = 60
	}
	var acked atomic.Uint64
	for range 3 {
		s := open(t, path, opts)
		acked.Store(versionOf(t, s))
		h.at[acked.Load()] = maps.Clone(c)
		d.mu.Lock()
		d.then = func() {
			if r.IntN(rate) == 0 && len(crashes) < 200 {
				crashes = append(crashes, crashed{d.crash(r), acked.Load()})
			}
		}
		d.mu.Unlock()
		for range commits / 3 {
			keys, writes := 300, 10
			if acked.Load()%20 == 7 {
				keys, writes = 3000, 4000
			}
			c.write(t, s, rand.New(rand.NewPCG(acked.Load(), 2)), keys, writes)
			h.last = versionOf(t, s)
			h.at[h.last] = maps.Clone(c)
			acked.Store(h.last)
		}
		d.mu.Lock()
		d.then = nil
		d.mu.Unlock()
		check(t, s.Close())
	}
	return crashes, h
}

// check opens what is left, and says whether it is not refused.
func (c crashed) check(t *testing.T, h history, noSync bool) bool {
	t.Helper()
	undo := sqlitestore.WrapFiles(nil, 2000)
	defer undo()
	dir := t.TempDir()
	for name, data := range c.files {
		check(t, os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	s, err := sqlitestore.Open(fileIn(dir), nil)
	refused := noSync && errors.Is(err, store.ErrCorrupt)
	if refused { // commits that were not synced have arrived in disorder
		s, err = sqlitestore.Open(fileIn(dir), &sqlitestore.Options{NoSync: true})
	}
	if err != nil {
		t.Errorf("Open: %v", err)
		return false
	}
	defer s.Close()
	version := versionOf(t, s)
	if version < c.acked && !noSync {
		t.Errorf("version %d, and %d had been committed", version, c.acked)
	}
	want, ok := h.at[version]
	if !ok {
		t.Errorf("version %d was none", version)
	}
	if err := want.read(t, s); err != nil {
		t.Errorf("version %d: %v", version, err)
	}
	if err := s.Verify(ctx); err != nil {
		t.Errorf("Verify: %v", err)
	}
	return !refused
}

// TestPanics has the engine panic in one call after another: that is an error, and the
// store can be closed and opened again.
func TestPanics(t *testing.T) {
	for _, call := range []string{"write", "read"} {
		for n := range 8 {
			d := newDisk(t, 30)
			path := fileIn(t.TempDir())
			s := open(t, path, nil)
			c := content{}
			c.write(t, s, rand.New(rand.NewPCG(1, 2)), 1000, 1000)
			check(t, s.Close())
			s = open(t, path, nil)
			count, done := 0, false
			d.set(func(got string) error {
				if got == call {
					if count++; count == 1+n*n {
						done = true
						panic("of the test's")
					}
				}
				return nil
			})
			next := maps.Clone(c)
			err := next.tryWrite(s, rand.New(rand.NewPCG(3, 4)), 1000, 100)
			if err == nil {
				c = next
				err = c.same(s)
			}
			if err != nil && !errors.Is(err, store.ErrCorrupt) {
				t.Errorf("%s %d: %v, want ErrCorrupt", call, 1+n*n, err)
			}
			s.Close() // which may fail
			d.set(nil)
			s = open(t, path, nil)
			if c.same(s) != nil && next.same(s) != nil {
				t.Errorf("%s %d: it holds neither what it held nor what was written", call, 1+n*n)
			}
			check(t, s.Verify(ctx))
			t.Logf("%s %d: reached %t, %v", call, 1+n*n, done, err)
		}
	}
}

// TestFaults has one call after another of the system's fail: a commit then fails, and
// what it wrote is there or not, but whole; nothing else is lost.
func TestFaults(t *testing.T) {
	for _, fault := range []struct {
		call string
		err  error
	}{
		{"write", syscall.EIO}, {"write", syscall.ENOSPC}, {"sync", syscall.EIO}, {"truncate", syscall.EIO}, {"read", syscall.EIO},
	} {
		t.Run(fmt.Sprintf("%s/%v", fault.call, fault.err), func(t *testing.T) {
			reached, step := 0, 1
			if testing.Short() {
				step = 5
			}
			for n := 1; ; n += step {
				if !failAt(t, fault.call, fault.err, n) || t.Failed() {
					break
				}
				reached = n
			}
			t.Logf("%d calls failed, one at a time", reached)
		})
	}
}

// failAt has the n-th call of a kind fail once, and says whether there were so many.
func failAt(t *testing.T, call string, fault error, n int) (reached bool) {
	d := newDisk(t, 30)
	path := fileIn(t.TempDir())
	s, err := sqlitestore.Open(path, nil)
	check(t, err)
	c, next := content{}, content{}
	count := 0
	d.set(func(got string) error {
		if got == call {
			if count++; count == n {
				reached = true
				return fault
			}
		}
		return nil
	})
	unknown := false
	for i := range 12 {
		next = maps.Clone(c)
		err := next.tryWrite(s, rand.New(rand.NewPCG(uint64(i), 2)), 100, 10)
		switch {
		case err == nil:
			c = next
		case errors.Is(err, store.ErrCommitUnknown):
			unknown = true
		case !reached:
			t.Errorf("call %d: commit %d: %v", n, i, err)
		case fault == syscall.ENOSPC && !errors.Is(err, syscall.ENOSPC):
			t.Errorf("call %d: commit %d = %v, want ENOSPC", n, i, err)
		}
		if unknown {
			break
		}
	}
	s.Close() // which may fail
	d.set(nil)
	s, err = sqlitestore.Open(path, nil)
	if err != nil {
		t.Errorf("call %d: Open: %v", n, err)
		return false
	}
	defer s.Close()
	if err := c.same(s); err != nil {
		if !unknown || next.same(s) != nil {
			t.Errorf("call %d: unknown %t: %v", n, unknown, err)
		}
	}
	if err := s.Verify(ctx); err != nil {
		t.Errorf("call %d: Verify: %v", n, err)
	}
	return reached
}
