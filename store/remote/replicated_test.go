package remote_test

import (
	"context"
	"testing"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/remote"
	"github.com/kivisdb/kivis/store/remote/remotetest"
)

// replicated is an engine with a copy that counts what it is asked for.
type replicated struct {
	*remotetest.Backend
	reads, scans int
	newest       bool
}

func (r *replicated) Replicas() remote.Reads { return (*replica)(r) }

type replica replicated

func (r *replica) Read(ctx context.Context, version uint64, keys [][]byte) ([][]byte, error) {
	r.reads++
	r.newest = r.newest || version == remote.Newest
	return r.Backend.Read(ctx, version, keys)
}

func (r *replica) Scan(ctx context.Context, version uint64, rg store.Range, limit int) ([]remote.Entry, bool, error) {
	r.scans++
	return r.Backend.Scan(ctx, version, rg, limit)
}

// TestReplicas has read-only transactions, and nothing else, read from replicas.
func TestReplicas(t *testing.T) {
	b := &replicated{Backend: remotetest.New()}
	s := open(t, b, nil)
	set(t, s, "a", "1")
	for _, write := range []bool{true, false} {
		tx, err := s.Begin(background, write)
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Discard()
		if _, err := tx.Get([]byte("a")); err != nil {
			t.Fatal(err)
		}
		if err := scan(tx, 1); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := store.Get(background, s, []byte("a")); err != nil {
		t.Fatal(err)
	}
	if b.reads != 1 || b.scans != 1 || b.newest {
		t.Errorf("the replicas answer %d reads and %d scans, the newest version: %v; want 1, 1 and not", b.reads, b.scans, b.newest)
	}
}
