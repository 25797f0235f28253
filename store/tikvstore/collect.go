package tikvstore

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"sort"
	"time"

	"github.com/tikv/client-go/v2/tikv"
)

const (
	// collectAtOnce is how many records one transaction of the collector drops.
	collectAtOnce = 2000

	longestPause = time.Minute
)

// maintaining renews the lease and drops by and by what is older than is kept, until
// the store is closed. Every process that has it open does so.
func (b *backend) maintaining() {
	b.work.Go(func() {
		for {
			pause := min(b.opts.Keep/8, longestPause)
			timer := time.NewTimer(pause/2 + rand.N(pause/2))
			select {
			case <-timer.C:
				b.maintain()
			case <-b.ctx.Done():
				timer.Stop()
				return
			}
		}
	})
}

// maintain does what is due. An error is one that the next call of somebody meets as well.
func (b *backend) maintain() {
	if b.renew(b.ctx) != nil || b.opts.ReadOnly {
		return
	}
	_ = b.collect(b.ctx, b.opts.Keep, 2*blindFor)
	if b.opts.GC {
		_ = b.collectCluster(b.ctx, b.opts.Keep)
	}
}

// collect drops records that are older than keep, but for the newest of them, by which the
// log shows that it has all after it. It first says up to where, and drops
// them a time later: a commit may be under way that goes by a record's not being
// there. So one call does what is due.
func (b *backend) collect(ctx context.Context, keep, settled time.Duration) error {
	for {
		now, err := b.now(ctx)
		if err != nil {
			return err
		}
		st, err := b.readState(ctx, now)
		if err != nil {
			return err
		}
		var gone [][]byte
		switch {
		case st.dropped+1 < st.boundary && between(st.since, now) < settled:
			return nil
		case st.dropped+1 < st.boundary:
			gone, st.dropped, err = b.droppable(ctx, now, st)
		default:
			old := st.boundary
			st.since = now
			if st.boundary, err = b.boundary(ctx, now, old, keep); st.boundary == old {
				return err
			}
		}
		if err != nil {
			return err
		}
		if err := b.putState(ctx, now, st, gone); err != nil {
			return err
		}
	}
}

// boundary returns the last version that was made longer than keep ago, or old.
func (b *backend) boundary(ctx context.Context, now, old uint64, keep time.Duration) (uint64, error) {
	value, err := b.get(ctx, now, b.head())
	if err != nil {
		return old, err
	}
	head, err := decodeHead(value)
	if err != nil {
		return old, err
	}
	limit := earlier(now, keep)
	n := sort.Search(int(head-old), func(i int) bool {
		var part []byte
		if err == nil {
			part, err = b.get(ctx, now, b.log(old+1+uint64(i), 0))
		}
		if err != nil {
			return true
		}
		var start uint64
		_, start, err = decodeHeader(part)
		return err != nil || start >= limit
	})
	if err != nil {
		return old, err
	}
	return old + uint64(n), nil
}

// droppable returns the next keys of the log that may go, and up to which version that is.
func (b *backend) droppable(ctx context.Context, now uint64, st state) (keys [][]byte, version uint64, err error) {
	version = min(st.boundary-1, st.dropped+collectAtOnce)
	keys, err = within(ctx, func() (keys [][]byte, err error) {
		snapshot := b.client.GetSnapshot(now)
		snapshot.SetKeyOnly(true)
		it, err := snapshot.Iter(b.log(st.dropped+1, 0), b.log(version+1, 0))
		if err != nil {
			return nil, outcome(err)
		}
		defer it.Close()
		for it.Valid() {
			keys = append(keys, it.Key())
			if err := it.Next(); err != nil {
				return nil, outcome(err)
			}
		}
		return keys, nil
	})
	return keys, version, err
}

// putState writes the state, at a time at which it was read, and drops keys.
func (b *backend) putState(ctx context.Context, at uint64, st state, gone [][]byte) error {
	tx, err := b.client.Begin(tikv.WithStartTS(at))
	if err != nil {
		return outcome(err)
	}
	err = tx.Set(b.state(), st.encode())
	for _, key := range gone {
		err = errors.Join(err, tx.Delete(key))
	}
	if err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return outcome(tx.Commit(ctx))
}

// collectCluster moves the safe point of the cluster, as far as all leases allow.
func (b *backend) collectCluster(ctx context.Context, keep time.Duration) error {
	now, err := b.now(ctx)
	if err != nil {
		return err
	}
	// PD's name for whoever collects; what it asks for lasts for ever.
	want := earlier(now, keep)
	least, err := b.client.GetPDClient().UpdateServiceGCSafePoint(ctx, "gc_worker", math.MaxInt64, want)
	if err != nil {
		return outcome(err)
	}
	_, err = b.client.GC(ctx, min(want, least))
	return outcome(err)
}
