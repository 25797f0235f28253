package tikvstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/pingcap/log"
	tikverr "github.com/tikv/client-go/v2/error"
	"github.com/tikv/client-go/v2/testutils"
	"github.com/tikv/client-go/v2/tikv"
	"go.uber.org/zap/zapcore"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/remote"
)

var background = context.Background()

func TestMain(m *testing.M) {
	log.SetLevel(zapcore.FatalLevel)
	os.Exit(m.Run())
}

// mock returns a client of the client's own small cluster, whose transactions are TiKV's.
func mock(t testing.TB) *tikv.KVStore {
	t.Helper()
	rpc, cluster, pd, err := testutils.NewMockTiKV("", nil)
	if err != nil {
		t.Fatal(err)
	}
	testutils.BootstrapWithSingleStore(cluster)
	client, err := tikv.NewTestTiKVStore(rpc, pd, nil, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

func open(t testing.TB, client *tikv.KVStore, o *Options) *Store {
	t.Helper()
	s, err := OpenClient(background, client, "test", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

func set(t testing.TB, s *Store, key, value string) uint64 {
	t.Helper()
	for {
		tx, err := s.Begin(background, true)
		if err != nil {
			t.Fatal(err)
		}
		if err := tx.Set([]byte(key), []byte(value)); err != nil {
			t.Fatal(err)
		}
		version, err := tx.Commit()
		if err == nil {
			return version
		}
		if !errors.Is(err, store.ErrConflict) {
			t.Fatal(err)
		}
	}
}

func get(t testing.TB, s *Store, key string) string {
	t.Helper()
	tx, err := s.Begin(background, false)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Discard()
	value, err := tx.Get([]byte(key))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	return string(value)
}

// logged returns of which versions there are records.
func logged(t testing.TB, s *Store) []uint64 {
	t.Helper()
	b := s.backend
	now, err := b.now(background)
	if err != nil {
		t.Fatal(err)
	}
	var list []uint64
	for from, more := uint64(0), true; more; from = list[len(list)-1] + 1 {
		var records []*record
		if records, more, err = b.recordsAt(now, from); err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			list = append(list, r.version)
		}
	}
	return list
}

// TestCollect forgets what is older than is kept: it says so first, and drops the
// records later on, the newest never.
func TestCollect(t *testing.T) {
	client := mock(t)
	s := open(t, client, nil)
	var last uint64
	for i := range 30 {
		last = set(t, s, "k", fmt.Sprint(i))
	}
	b := s.backend
	if err := b.collect(background, time.Hour, 0); err != nil {
		t.Fatal(err)
	}
	if got := logged(t, s); len(got) != 31 {
		t.Fatalf("after collecting what is older than an hour there are records %d", got)
	}
	time.Sleep(2 * time.Millisecond)
	if err := b.collect(background, 0, time.Hour); err != nil {
		t.Fatal(err)
	}
	if got := logged(t, s); len(got) != 31 {
		t.Errorf("records are dropped at once: %d are left", len(got))
	}
	for range 2 {
		if err := b.collect(background, 0, 0); err != nil {
			t.Fatal(err)
		}
	}
	if got := logged(t, s); len(got) != 1 || got[0] != last {
		t.Errorf("there are records of %d, want %d alone", got, last)
	}
	other := open(t, client, nil)
	var gap *store.GapError
	if err := other.Changes(background, 3, func(store.Commit) bool { return true }); !errors.As(err, &gap) || gap.Boundary != last {
		t.Errorf("Changes from what is gone: %v, want a GapError up to %d", err, last)
	}
	if err := other.Changes(background, last, func(store.Commit) bool { return true }); err != nil {
		t.Errorf("Changes from the newest: %v", err)
	}
	if got := get(t, other, "k"); got != "29" {
		t.Errorf("k is %q", got)
	}
	if next := set(t, s, "k", "more"); next != last+1 {
		t.Errorf("the next version is %d, want %d", next, last+1)
	}
}

// TestHeldUp has a process stand still until its lease is over, and the cluster's safe point
// be moved meanwhile: it does not take what is left of a version for the version.
func TestHeldUp(t *testing.T) {
	client := mock(t)
	s, other := open(t, client, nil), open(t, client, nil)
	set(t, s, "k", "old")
	tx, err := s.Begin(background, false)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Discard()
	set(t, other, "k", "new")
	if value, err := tx.Get([]byte("k")); string(value) != "old" || err != nil {
		t.Errorf("k at its version is %q, %v; want old", value, err)
	}
	time.Sleep(2 * time.Millisecond)
	now, err := s.backend.now(background)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.GetPDClient().UpdateGCSafePoint(background, now); err != nil {
		t.Fatal(err)
	}
	s.backend.lease.mu.Lock()
	s.backend.lease.until = time.Now() // as if it had been stopped for long
	s.backend.lease.mu.Unlock()
	if value, err := tx.Get([]byte("x")); !errors.Is(err, store.ErrSnapshotTooOld) {
		t.Errorf("a read of a version that is gone: %q, %v; want ErrSnapshotTooOld", value, err)
	}
	c, err := tx.Scan(store.Range{})
	if err == nil && (c.Next() || !errors.Is(c.Err(), store.ErrSnapshotTooOld)) {
		t.Errorf("a scan of a version that is gone: %v, want ErrSnapshotTooOld", c.Err())
	}
	if got := get(t, s, "k"); got != "new" {
		t.Errorf("in a new transaction k is %q", got)
	}
}

// TestStalledCommit has a commit be made of which the process learns nothing until its
// place in the log is dropped: it says that it does not know, and not that there was a
// conflict.
func TestStalledCommit(t *testing.T) {
	client := mock(t)
	s, other := open(t, client, nil), open(t, client, nil)
	base := set(t, s, "k", "1")
	p := &remote.Proposal{ID: [16]byte{1}, Base: base, Changes: []remote.Change{{Key: []byte("k"), Value: []byte("2")}}}
	b := s.backend
	version, err := b.Commit(background, p)
	if err != nil || version != base+1 {
		t.Fatalf("Commit = %d, %v", version, err)
	}
	if again, err := b.Commit(background, p); again != version || err != nil {
		t.Errorf("the same commit again = %d, %v; want %d", again, err, version)
	}
	for range 3 {
		set(t, other, "k", "3")
	}
	if again, err := b.Commit(background, p); again != version || err != nil {
		t.Errorf("the same commit after others = %d, %v; want %d", again, err, version)
	}
	time.Sleep(2 * time.Millisecond)
	for range 2 {
		if err := b.collect(background, 0, 0); err != nil {
			t.Fatal(err)
		}
	}
	b.times = times{} // too old to go after it unseen
	if _, err := b.Commit(background, &remote.Proposal{ID: [16]byte{2}, Base: base}); !errors.Is(err, store.ErrConflict) {
		t.Errorf("a commit on what was dropped: %v, want ErrConflict", err)
	}
	b.open.note(p.ID, tikverr.ErrResultUndetermined)
	_, err = b.Commit(background, p)
	if err == nil || errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrUnreachable) {
		t.Errorf("a commit that may have been made before its record was dropped: %v; want an error that leaves it open", err)
	}
}

// TestTooLarge has a value, and a key, that no cluster takes.
func TestTooLarge(t *testing.T) {
	s := open(t, mock(t), nil)
	tx, err := s.Begin(background, true)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Discard()
	if err := tx.Set(make([]byte, maxKey+1), nil); !errors.Is(err, store.ErrKeyTooLarge) {
		t.Errorf("Set of a key of %d bytes: %v, want ErrKeyTooLarge", maxKey+1, err)
	}
	if err := errors.Join(tx.Set(make([]byte, maxKey), nil), tx.Set([]byte("k"), make([]byte, maxValue+1))); err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Commit(); !errors.Is(err, store.ErrTxTooLarge) {
		t.Errorf("Commit of a value of %d bytes: %v, want ErrTxTooLarge", maxValue+1, err)
	}
}

// TestOptions refuses what cannot be.
func TestOptions(t *testing.T) {
	for _, o := range []*Options{{Keep: time.Second}, {Keep: -1}, {Poll: -1}, {GC: true, ReadOnly: true}, {MaxTx: -1}} {
		if s, err := OpenClient(background, mock(t), "test", o); err == nil {
			s.Close()
			t.Errorf("%+v is taken", *o)
		}
	}
	if _, err := OpenClient(background, mock(t), "Test", nil); err == nil {
		t.Error("a name with a capital is taken")
	}
}

// TestGC moves the safe point of the cluster, but not past what a process still reads.
func TestGC(t *testing.T) {
	client := mock(t)
	s := open(t, client, nil)
	set(t, s, "k", "1")
	if err := s.backend.collectCluster(background, 0); err != nil {
		t.Fatal(err)
	}
	at, err := client.GetPDClient().UpdateGCSafePoint(background, 0)
	if err != nil {
		t.Fatal(err)
	}
	if floor := s.backend.lease.floor; at == 0 || at > floor {
		t.Errorf("the safe point is moved to %d, and a process still reads from %d on", at, floor)
	}
	if got := get(t, s, "k"); got != "1" {
		t.Errorf("k is %q", got)
	}
}
