package tikvstore

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"sync"
	"sync/atomic"

	tikverr "github.com/tikv/client-go/v2/error"
	"github.com/tikv/client-go/v2/oracle"
	"github.com/tikv/client-go/v2/tikv"
	"github.com/tikv/client-go/v2/txnkv/txnsnapshot"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/remote"
)

var _ remote.Backend = (*backend)(nil)

// backend is the cluster. A version is a number of the log, and is read at a time of
// the cluster's at which it was the newest.
type backend struct {
	layout
	client *tikv.KVStore
	own    bool // the client is closed with the store
	opts   Options
	times  times
	lease  lease
	open   openCommits

	perEntry atomic.Int64 // about how many bytes an entry has that was scanned

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	work   sync.WaitGroup
}

func newBackend(client *tikv.KVStore, name string, opts Options) *backend {
	b := &backend{layout: layoutOf(name), client: client, opts: opts, lease: newLease(name, opts.Keep)}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	return b
}

// Close implements io.Closer.
func (b *backend) Close() error {
	b.cancel()
	b.work.Wait()
	b.release()
	if !b.own {
		return nil
	}
	return b.client.Close()
}

// now returns the time of the cluster, which never goes back, nor stands still.
func (b *backend) now(ctx context.Context) (uint64, error) {
	ts, err := b.client.GetOracle().GetTimestamp(ctx, &oracle.Option{TxnScope: oracle.GlobalTxnScope})
	return ts, outcome(err)
}

// get reads a key at a time, or the newest value of all; nil where there is none.
func (b *backend) get(ctx context.Context, at uint64, key []byte) ([]byte, error) {
	value, err := b.client.GetSnapshot(at).Get(ctx, key)
	if tikverr.IsErrNotFound(err) {
		return nil, nil
	}
	return value, outcome(err)
}

// newest returns the newest version, in one request and without a time of the
// cluster's. What is being committed does not count yet.
func (b *backend) newest(ctx context.Context) (uint64, error) {
	value, err := b.get(ctx, math.MaxUint64, b.head())
	if err != nil {
		return 0, err
	}
	return decodeHead(value)
}

func decodeHead(value []byte) (uint64, error) {
	if len(value) != 8 {
		return 0, fmt.Errorf("tikvstore: the head has %d bytes, not 8; has the store been dropped? %w", len(value), store.ErrCorrupt)
	}
	return binary.BigEndian.Uint64(value), nil
}

// Head implements remote.Backend.
func (b *backend) Head(ctx context.Context) (uint64, error) {
	now, err := b.now(ctx)
	if err != nil {
		return 0, err
	}
	value, err := b.get(ctx, now, b.head())
	if err != nil {
		return 0, err
	}
	version, err := decodeHead(value)
	if err == nil {
		b.times.note(version, now)
	}
	return version, err
}

// Read implements remote.Backend.
func (b *backend) Read(ctx context.Context, version uint64, keys [][]byte) ([][]byte, error) {
	if version == remote.Newest {
		return b.readNewest(ctx, keys)
	}
	var values [][]byte
	err := b.at(ctx, version, func(at uint64) (err error) {
		values, err = b.readAt(ctx, at, keys)
		return err
	})
	return values, err
}

// readNewest reads what is the newest. One key takes no time of the cluster's.
func (b *backend) readNewest(ctx context.Context, keys [][]byte) ([][]byte, error) {
	if len(keys) == 1 {
		return b.readAt(ctx, math.MaxUint64, keys)
	}
	now, err := b.now(ctx)
	if err != nil {
		return nil, err
	}
	return b.readAt(ctx, now, keys)
}

func (b *backend) readAt(ctx context.Context, at uint64, keys [][]byte) ([][]byte, error) {
	values := make([][]byte, len(keys))
	if len(keys) == 1 {
		value, err := b.get(ctx, at, b.entry(keys[0]))
		values[0] = opened(value)
		return values, err
	}
	list := make([][]byte, len(keys))
	for i, key := range keys {
		list[i] = b.entry(key)
	}
	found, err := b.client.GetSnapshot(at).BatchGet(ctx, list)
	if err != nil {
		return nil, outcome(err)
	}
	for i, key := range list {
		values[i] = opened(found[string(key)])
	}
	return values, nil
}

// Scan implements remote.Backend.
func (b *backend) Scan(ctx context.Context, version uint64, r store.Range, limit int) (entries []remote.Entry, more bool, err error) {
	if r.Hi != nil && bytes.Compare(r.Lo, r.Hi) >= 0 {
		return nil, false, nil
	}
	err = b.at(ctx, version, func(at uint64) error {
		p, err := within(ctx, func() (page, error) { return b.scanAt(at, r, limit) })
		entries, more = p.entries, p.more
		return err
	})
	return entries, more, err
}

// page is the answer to one scan.
type page struct {
	entries []remote.Entry
	more    bool
}

// within returns what f does, or that ctx has ended: the client's iterators do not
// heed one. They end by themselves.
func within[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	done := make(chan answer, 1)
	go func() {
		value, err := f()
		done <- answer{value, err}
	}()
	select {
	case a := <-done:
		return a.value, a.err
	case <-ctx.Done():
		var none T
		return none, outcome(ctx.Err())
	}
}

const (
	// maxPage is about how many bytes one scan returns, or one entry if that has more.
	maxPage = 4 << 20

	leastBatch = 8 // entries that are asked for at once, however large the last ones were
)

// batch returns how many entries are asked for at once: TiKV bounds a scan's answer by
// their number alone, so that what was scanned before has to say how large they may be.
func (b *backend) batch(limit int, keysOnly bool) int {
	if n := b.perEntry.Load(); n > 0 && !keysOnly {
		return max(min(limit, int(maxPage/n)), leastBatch)
	}
	return limit
}

func (b *backend) scanAt(at uint64, r store.Range, limit int) (p page, err error) {
	snapshot := b.client.GetSnapshot(at)
	snapshot.SetKeyOnly(r.KeysOnly)
	snapshot.SetScanBatchSize(b.batch(limit, r.KeysOnly))
	it, err := b.iterate(snapshot, r)
	if err != nil {
		return p, outcome(err)
	}
	defer it.Close()
	p.entries = make([]remote.Entry, 0, limit)
	size := 0
	for it.Valid() {
		e := remote.Entry{Key: b.key(it.Key())}
		if !r.KeysOnly {
			e.Value = opened(it.Value())
		}
		p.entries = append(p.entries, e)
		size += len(e.Key) + len(e.Value)
		if p.more = len(p.entries) == limit || size >= maxPage; p.more {
			break
		}
		if err := it.Next(); err != nil {
			return p, outcome(err)
		}
	}
	if !r.KeysOnly && len(p.entries) > 0 {
		b.perEntry.Store(int64(size/len(p.entries)) + 1)
	}
	return p, nil
}

// iterator is one of the client's.
type iterator interface {
	Valid() bool
	Key() []byte
	Value() []byte
	Next() error
	Close()
}

func (b *backend) iterate(s *txnsnapshot.KVSnapshot, r store.Range) (iterator, error) {
	lo, hi := b.entries(r)
	if r.Reverse {
		return s.IterReverse(hi, lo)
	}
	return s.Iter(lo, hi)
}
