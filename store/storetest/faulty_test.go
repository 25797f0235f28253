package storetest_test

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/memstore"
	"github.com/kivisdb/kivis/store/storetest"
)

const faultyName = "KIVIS_STORETEST_FAULTY"

// TestFaulty runs the test that should catch it, in a child process, on stores
// that break one rule each: a suite that lets one pass tests nothing there.
func TestFaulty(t *testing.T) {
	if name := os.Getenv(faultyName); name != "" {
		for _, fault := range faults {
			if fault.name == name {
				storetest.Run(t, func(t testing.TB) store.Store { return &faulty{memstore.New(), fault} })
			}
		}
		return
	}
	for _, fault := range faults {
		t.Run(fault.name, func(t *testing.T) {
			t.Parallel()
			run := "^TestFaulty$/^" + strings.ReplaceAll(fault.caught, "/", "$/^") + "$"
			cmd := exec.Command(os.Args[0], "-test.run="+run, "-test.timeout=60s")
			cmd.Env = append(os.Environ(), faultyName+"="+fault.name)
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "--- FAIL: TestFaulty/"+fault.caught) {
				t.Errorf("the suite ended with %v, want a failure of %s; it says:\n%.2000s", err, fault.caught, out)
			}
		})
	}
}

// fault is a rule that a store breaks: it wraps transactions, or has its
// commits, its watches and its Close done otherwise.
type fault struct {
	name   string
	caught string // the test that must fail
	tx     func(tx store.Tx, s *faulty) store.Tx
	ctx    func(ctx context.Context) context.Context
	close  func(s *faulty) error
	watch  func(s *faulty, ranges []store.Range, version uint64) (<-chan struct{}, func())
}

type faulty struct {
	*memstore.Store
	fault fault
}

func (s *faulty) Begin(ctx context.Context, write bool) (store.Tx, error) {
	if s.fault.ctx != nil {
		ctx = s.fault.ctx(ctx)
	}
	tx, err := s.Store.Begin(ctx, write)
	if err != nil || s.fault.tx == nil {
		return tx, err
	}
	return s.fault.tx(tx, s), nil
}

func (s *faulty) Close() error {
	if s.fault.close != nil {
		return s.fault.close(s)
	}
	return s.Store.Close()
}

func (s *faulty) Watch(ranges []store.Range, version uint64) (<-chan struct{}, func()) {
	if s.fault.watch != nil {
		return s.fault.watch(s, ranges, version)
	}
	return s.Store.Watch(ranges, version)
}

// shadow returns a read-only transaction of its own: what is read there is not
// checked.
func shadow(s *faulty) store.Tx {
	tx, err := s.Store.Begin(context.Background(), false)
	if err != nil {
		panic(err)
	}
	return tx
}

var faults = []fault{
	{name: "phantoms", caught: "Conflict/Phantom", tx: func(tx store.Tx, s *faulty) store.Tx { return uncheckedScan{tx, shadow(s)} }},
	{name: "reads unchecked", caught: "Conflict/LostUpdate", tx: func(tx store.Tx, s *faulty) store.Tx { return uncheckedGet{tx, shadow(s)} }},
	{name: "scans count whole", caught: "Conflict/Reads/BrokenOff", tx: func(tx store.Tx, _ *faulty) store.Tx { return greedyScan{tx} }},
	{name: "no guard", caught: "Guard/Conflicts", tx: func(tx store.Tx, _ *faulty) store.Tx { return noGuard{tx} }},
	{name: "no rollback", caught: "Savepoint/Rollback", tx: func(tx store.Tx, _ *faulty) store.Tx { return noRollback{tx} }},
	{name: "aliased writes", caught: "Get/CallerReusesBuffers", tx: func(tx store.Tx, _ *faulty) store.Tx { return &aliasing{Tx: tx} }},
	{name: "reused values", caught: "Get/ValuesStay", tx: func(tx store.Tx, _ *faulty) store.Tx { return &reusing{Tx: tx} }},
	{name: "nil for empty", caught: "Get/Empty", tx: func(tx store.Tx, _ *faulty) store.Tx { return nilForEmpty{tx} }},
	{name: "delete leaves empty", caught: "Get/Deleted", tx: func(tx store.Tx, _ *faulty) store.Tx { return emptying{tx} }},
	{name: "stale GetMany", caught: "Get/Many", tx: func(tx store.Tx, _ *faulty) store.Tx { return staleMany{tx} }},
	{name: "no snapshot", caught: "Tx/Snapshot", tx: func(tx store.Tx, s *faulty) store.Tx { return newest{tx, s} }},
	{name: "constant version", caught: "Tx/Versions", tx: func(tx store.Tx, _ *faulty) store.Tx { return constant{tx} }},
	{name: "commit twice", caught: "Tx/Done", tx: func(tx store.Tx, _ *faulty) store.Tx { return &again{Tx: tx} }},
	{name: "cursor kept reused", caught: "Scan/Keep", tx: func(tx store.Tx, _ *faulty) store.Tx {
		return wrapScan{tx, func(c store.Cursor) store.Cursor { return &reusedKeep{Cursor: c} }}
	}},
	{name: "seek back", caught: "Scan/Seek", tx: func(tx store.Tx, _ *faulty) store.Tx { return backSeek{tx} }},
	{name: "inclusive bound", caught: "Scan/Ranges", tx: func(tx store.Tx, _ *faulty) store.Tx { return inclusive{tx} }},
	{name: "context ignored", caught: "Context/Calls", ctx: context.WithoutCancel},
	{name: "close waits for nobody", caught: "Close/Twice", close: func(*faulty) error { return nil }},
	{name: "watch of what comes", caught: "Watch/TooLate", watch: watchFromNow},
	{name: "watch stands too late", caught: "Watch/NeverMissed", watch: askThenWatch},
	{name: "second close fails", caught: "Close/Twice", close: func(s *faulty) error {
		if _, err := s.Store.Begin(context.Background(), false); err != nil {
			return err
		}
		return s.Store.Close()
	}},
}

type uncheckedScan struct {
	store.Tx
	shadow store.Tx
}

func (t uncheckedScan) Scan(r store.Range) (store.Cursor, error) { return t.shadow.Scan(r) }

type uncheckedGet struct {
	store.Tx
	shadow store.Tx
}

func (t uncheckedGet) Get(key []byte) ([]byte, error) { return t.shadow.Get(key) }

type greedyScan struct{ store.Tx }

func (t greedyScan) Scan(r store.Range) (store.Cursor, error) {
	t.Guard(r.Lo, r.Hi)
	return t.Tx.Scan(r)
}

type noGuard struct{ store.Tx }

func (noGuard) Guard(lo, hi []byte) error { return nil }

type noRollback struct{ store.Tx }

func (noRollback) Rollback(store.Savepoint) error { return nil }

// aliasing keeps the caller's slices until the next call.
type aliasing struct {
	store.Tx
	key, value []byte
	pending    bool
}

func (t *aliasing) Set(key, value []byte) error {
	t.flush()
	t.key, t.value, t.pending = key, value, true
	return nil
}

func (t *aliasing) flush() {
	if t.pending {
		t.pending = false
		t.Tx.Set(t.key, t.value)
	}
}

func (t *aliasing) Get(key []byte) ([]byte, error) { t.flush(); return t.Tx.Get(key) }

func (t *aliasing) Scan(r store.Range) (store.Cursor, error) { t.flush(); return t.Tx.Scan(r) }

func (t *aliasing) Commit() (uint64, error) { t.flush(); return t.Tx.Commit() }

// reusing returns values in one buffer.
type reusing struct {
	store.Tx
	buf []byte
}

func (t *reusing) Get(key []byte) ([]byte, error) {
	value, err := t.Tx.Get(key)
	if err != nil {
		return nil, err
	}
	t.buf = append(t.buf[:0], value...)
	if t.buf == nil {
		t.buf = []byte{}
	}
	return t.buf, nil
}

type nilForEmpty struct{ store.Tx }

func (t nilForEmpty) Get(key []byte) ([]byte, error) {
	value, err := t.Tx.Get(key)
	if len(value) == 0 {
		value = nil
	}
	return value, err
}

type emptying struct{ store.Tx }

func (t emptying) Delete(key []byte) error { return t.Set(key, nil) }

type staleMany struct{ store.Tx }

func (t staleMany) GetMany(keys, values [][]byte) error {
	found := make([][]byte, len(values))
	err := t.Tx.GetMany(keys, found)
	for i := range values {
		if found[i] != nil {
			values[i] = found[i]
		}
	}
	return err
}

// newest reads what is committed now.
type newest struct {
	store.Tx
	s *faulty
}

func (t newest) Get(key []byte) ([]byte, error) {
	now := shadow(t.s)
	defer now.Discard()
	return now.Get(key)
}

type constant struct{ store.Tx }

func (constant) Version() uint64 { return 3 }

// again lets a transaction commit as often as it likes.
type again struct {
	store.Tx
	version uint64
	done    bool
}

func (t *again) Commit() (uint64, error) {
	if t.done {
		return t.version, nil
	}
	version, err := t.Tx.Commit()
	t.version, t.done = version, err == nil
	return version, err
}

type wrapScan struct {
	store.Tx
	wrap func(c store.Cursor) store.Cursor
}

func (t wrapScan) Scan(r store.Range) (store.Cursor, error) {
	c, err := t.Tx.Scan(r)
	if err != nil {
		return nil, err
	}
	return t.wrap(c), nil
}

type reusedKeep struct {
	store.Cursor
	buf []byte
}

func (c *reusedKeep) Keep() []byte {
	value := c.Cursor.Keep()
	if value == nil {
		return nil
	}
	c.buf = append(c.buf[:0], value...)
	return c.buf
}

// backSeek opens the scan anew for each Seek.
type backSeek struct{ store.Tx }

func (t backSeek) Scan(r store.Range) (store.Cursor, error) {
	c, err := t.Tx.Scan(r)
	if err != nil {
		return nil, err
	}
	return &seekingBack{c, t.Tx, r}, nil
}

type seekingBack struct {
	store.Cursor
	tx store.Tx
	r  store.Range
}

func (c *seekingBack) Seek(key []byte) bool {
	fresh, err := c.tx.Scan(c.r)
	if err != nil {
		return false
	}
	c.Cursor.Close()
	c.Cursor = fresh
	return fresh.Seek(key)
}

// inclusive takes the upper bound into the range.
type inclusive struct{ store.Tx }

func (t inclusive) Scan(r store.Range) (store.Cursor, error) {
	if r.Hi != nil {
		r.Hi = append(r.Hi[:len(r.Hi):len(r.Hi)], 0)
	}
	return t.Tx.Scan(r)
}

// watchFromNow does not ask what was written before it watches.
func watchFromNow(s *faulty, ranges []store.Range, _ uint64) (<-chan struct{}, func()) {
	head, err := s.Head(context.Background())
	if err != nil {
		panic(err)
	}
	return s.Store.Watch(ranges, head)
}

// askThenWatch asks what was written, and only then watches: what is written in between
// it misses.
func askThenWatch(s *faulty, ranges []store.Range, version uint64) (<-chan struct{}, func()) {
	if written, err := s.Written(ranges, version); written || err != nil {
		return s.Store.Watch(ranges, version)
	}
	time.Sleep(time.Millisecond)
	return watchFromNow(s, ranges, version)
}
