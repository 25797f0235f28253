package tikvstore

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sort"
	"time"

	"github.com/tikv/client-go/v2/kv"
	"github.com/tikv/client-go/v2/tikv"
	"github.com/tikv/client-go/v2/txnkv/transaction"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/remote"
)

// blindFor is how long after a version was known to be the newest a commit may
// go after it without a look at the log: the record that it makes must not be
// there, which the cluster checks. No record is dropped within twice this time.
const blindFor = 15 * time.Second

// attemptPause is about how long is waited before another attempt.
const attemptPause = 2 * time.Millisecond

// Commit implements remote.Backend. It is one optimistic transaction of the cluster,
// of which the first key is the head. A commit that came between has written that, too,
// so that the cluster refuses this one; then the log says whether it may go after it.
func (b *backend) Commit(ctx context.Context, p *remote.Proposal) (uint64, error) {
	if err := tooLarge(p); err != nil {
		return 0, err
	}
	for attempt := 0; ; attempt++ {
		start, err := b.now(ctx)
		if err != nil {
			return 0, err
		}
		version := p.Base
		if attempt > 0 || !b.blind(p, start) {
			var made bool
			if version, made, err = b.check(ctx, p, start); err != nil || made {
				return version, err
			}
		}
		version++
		err = b.propose(ctx, version, start, p)
		if err == nil {
			b.open.settle(p.ID)
			return version, nil
		}
		if !conflicts(err) {
			b.open.note(p.ID, err)
			return 0, commitOutcome(err)
		}
		if err := pause(ctx, min(attempt+1, 10)); err != nil {
			return 0, err
		}
	}
}

// pause waits between attempts, at random and longer each time.
func pause(ctx context.Context, times int) error {
	timer := time.NewTimer(rand.N(attemptPause * time.Duration(times)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return outcome(ctx.Err())
	}
}

// tooLarge returns an error if there is a value that TiKV does not take.
func tooLarge(p *remote.Proposal) error {
	for _, c := range p.Changes {
		if len(c.Value) > maxValue {
			return remote.Refused(fmt.Errorf("tikvstore: the value of key %.64q has %d bytes, the most is %d: %w", c.Key, len(c.Value), maxValue, store.ErrTxTooLarge))
		}
	}
	return nil
}

// blind says whether a proposal may go after its base unseen.
func (b *backend) blind(p *remote.Proposal, start uint64) bool {
	at := b.times.find(p.Base)
	return at > 0 && between(at, start) < blindFor && !b.open.has(p.ID)
}

// propose makes a proposal a version, at a time at which the one before was the
// newest, unless the cluster knows better.
func (b *backend) propose(ctx context.Context, version, start uint64, p *remote.Proposal) error {
	tx, err := b.client.Begin(tikv.WithStartTS(start))
	if err != nil {
		return err
	}
	if err := b.fill(tx, version, start, p); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	var info transaction.TxnInfo
	tx.SetCommitCallback(func(text string, err error) {
		if err == nil {
			_ = json.Unmarshal([]byte(text), &info)
		}
	})
	if err := tx.Commit(ctx); err != nil {
		return err
	}
	b.times.note(version-1, start)
	if info.CommitTS > 0 {
		b.times.note(version, info.CommitTS)
	}
	return nil
}

// fill has a transaction of the cluster's write what a proposal does.
func (b *backend) fill(tx *transaction.KVTxn, version, start uint64, p *remote.Proposal) error {
	if err := tx.Set(b.head(), binary.BigEndian.AppendUint64(nil, version)); err != nil {
		return err
	}
	for i, part := range recordOf(version, start, p).encode() {
		if err := tx.GetMemBuffer().SetWithFlags(b.log(version, uint32(i)), part, kv.SetPresumeKeyNotExists); err != nil {
			return err
		}
	}
	for _, c := range p.Changes {
		var err error
		if c.Value == nil {
			err = tx.Delete(b.entry(c.Key))
		} else {
			err = tx.Set(b.entry(c.Key), sealed(c.Value))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// check looks at what the log has at a time after the base of a proposal. It returns
// the newest version, or that of the proposal itself, where it was made already.
func (b *backend) check(ctx context.Context, p *remote.Proposal, at uint64) (version uint64, made bool, err error) {
	version = p.Base
	for more := true; more; {
		var list []*record
		list, more, err = b.records(ctx, at, version)
		if errors.Is(err, store.ErrGap) {
			return 0, false, b.unknown(p, err)
		}
		if err != nil {
			return 0, false, err
		}
		b.learn(list, more, at)
		for _, r := range list {
			version = r.version
			if r.id == p.ID {
				b.open.settle(p.ID)
				return version, true, nil
			}
			if touches(r.writes, p.Footprint) {
				b.open.settle(p.ID)
				return 0, false, store.ErrConflict
			}
		}
	}
	b.times.note(version, at)
	return version, false, nil
}

// unknown is the outcome of a proposal whose place in the log has been dropped.
func (b *backend) unknown(p *remote.Proposal, err error) error {
	if b.open.has(p.ID) {
		return fmt.Errorf("tikvstore: it is no longer known whether the commit was made: %v", err)
	}
	return store.ErrConflict
}

// touches says whether any of the writes is in one of the ranges, which ascend.
func touches(writes []store.Write, ranges []store.Range) bool {
	for _, w := range writes {
		i := sort.Search(len(ranges), func(i int) bool {
			return ranges[i].Hi == nil || bytes.Compare(w.Key, ranges[i].Hi) < 0
		})
		if i < len(ranges) && bytes.Compare(w.Key, ranges[i].Lo) >= 0 {
			return true
		}
	}
	return false
}
