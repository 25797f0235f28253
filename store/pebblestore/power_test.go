package pebblestore_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/pebblestore"
)

// crash is what a disk may have after a power failure, and what was reported as
// committed before it.
type crash struct {
	fs    vfs.FS
	acked uint64
	part  int // percent of what was not synced
}

// TestPowerLoss has the power fail at any moment of commits, flushes and
// compactions. What was not synced is on the disk or not, as it happens. A durable
// store has everything that was reported; any is at some version, and whole.
func TestPowerLoss(t *testing.T) {
	for _, noSync := range []bool{false, true} {
		t.Run(fmt.Sprintf("nosync=%t", noSync), func(t *testing.T) {
			rounds := 30
			if testing.Short() || raceEnabled {
				rounds = 4
			}
			seed := rand.Uint64()
			for round := range uint64(rounds) {
				powerLoss(t, seed+round, noSync)
				if t.Failed() {
					t.Fatalf("seed %d", seed+round)
				}
			}
		})
	}
}

func powerLoss(t *testing.T, seed uint64, noSync bool) {
	r := rand.New(rand.NewPCG(seed, 0))
	fs, h := vfs.NewCrashableMem(), newHistory()
	h.more = 3000
	check(t, fs.MkdirAll(dir, 0o700))
	opts := &pebblestore.Options{NoSync: noSync, Memory: 8 << 20}
	var acked atomic.Uint64
	done := make(chan struct{})
	crashes := make(chan []crash)
	go func() {
		var all []crash
		for {
			select {
			case <-done:
				crashes <- all
				return
			case <-time.After(time.Duration(r.IntN(2000)*(1+len(all)/4)) * time.Microsecond): // ever rarer, for a slow machine's sake
			}
			c := crash{acked: acked.Load(), part: []int{0, 30, 70, 100}[len(all)%4]}
			c.fs = fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: c.part, RNG: rand.New(rand.NewPCG(seed, uint64(len(all))))})
			all = append(all, c)
		}
	}()
	writes := rand.New(rand.NewPCG(seed, 1))
	for range 3 {
		s, err := pebblestore.OpenIn(fs, dir, opts)
		check(t, err)
		for range 1 + writes.IntN(60) {
			check(t, h.write(s, writes, 50))
			acked.Store(h.last)
		}
		check(t, s.Close())
	}
	close(done)
	for i, c := range <-crashes {
		c.check(t, h, opts)
		if t.Failed() {
			t.Fatalf("crash %d, %d%% of what was not synced, version %d reported", i, c.part, c.acked)
		}
	}
}

// check opens what a power failure has left.
func (c crash) check(t *testing.T, h *history, opts *pebblestore.Options) {
	t.Helper()
	check(t, c.fs.MkdirAll(dir, 0o700)) // the parent is not the store's to sync
	s, err := pebblestore.OpenIn(c.fs, dir, opts)
	if err != nil {
		t.Errorf("Open: %v", err)
		return
	}
	defer s.Close()
	version, err := h.read(t, s)
	check(t, err)
	if version < c.acked && !opts.NoSync {
		t.Errorf("version %d", version)
	}
	check(t, s.Verify(ctx))
	check(t, update(s, func(tx store.Tx) error { return tx.Set([]byte("a"), nil) }))
}

// TestFaults has some write to the disk fail, and all after it: the process goes
// on, calls end, and what was reported is there when the disk is well again.
func TestFaults(t *testing.T) {
	rounds := 150
	if testing.Short() || raceEnabled {
		rounds = 25
	}
	seed := rand.Uint64()
	for round := range uint64(rounds) {
		faults(t, seed+round)
		if t.Failed() {
			t.Fatalf("seed %d", seed+round)
		}
	}
}

func faults(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 0))
	disk, h := vfs.NewMem(), newHistory()
	h.more = 3000
	check(t, disk.MkdirAll(dir, 0o700))
	var left atomic.Int64
	left.Store(int64(r.IntN(600)))
	broken := errorfs.Wrap(disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() == errorfs.OpIsWrite && left.Add(-1) < 0 {
			return errorfs.ErrInjected
		}
		return nil
	}))
	opts := &pebblestore.Options{Memory: 8 << 20}
	s, err := pebblestore.OpenIn(broken, dir, opts)
	if err == nil {
		for range 200 {
			if err = h.write(s, r, 50); err != nil {
				break
			}
		}
		start := time.Now()
		s.Close() // which may well fail
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("Close took %v", took)
		}
	}
	if err != nil && errors.Is(err, store.ErrConflict) {
		t.Errorf("an error is taken for a conflict: %v", err)
	}
	// What a process that hangs on would still write must not get there.
	left.Store(-1 << 40)
	s, err = pebblestore.OpenIn(unlocked{disk}, dir, opts)
	check(t, err)
	defer s.Close()
	version, err := h.read(t, s)
	check(t, err)
	if version < h.last {
		t.Errorf("version %d of %d", version, h.last)
	}
	check(t, s.Verify(ctx))
}

// unlocked is a file system in which a lock that was left, as by a process that has
// ended, is none.
type unlocked struct{ vfs.FS }

// Lock implements vfs.FS.
func (unlocked) Lock(string) (io.Closer, error) { return io.NopCloser(nil), nil }
