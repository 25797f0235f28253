package tikvstore

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/kivisdb/kivis/store"
)

// recordsAtOnce is how many records, and about how many bytes of them, are read before
// they are told.
const (
	recordsAtOnce      = 200
	recordBytesAtOnce  = 8 << 20
	recordsScannedOnce = recordsAtOnce + 1
)

// records returns the first records after a version, at a time, and whether there
// may be more. The version's own is read, too: there is no other way to know that
// those after it have not been dropped.
func (b *backend) records(ctx context.Context, at, after uint64) (list []*record, more bool, err error) {
	type answer struct {
		list []*record
		more bool
	}
	a, err := within(ctx, func() (a answer, err error) {
		a.list, a.more, err = b.recordsAt(at, after)
		return a, err
	})
	switch {
	case err != nil:
		return nil, false, err
	case len(a.list) == 0 || a.list[0].version != after:
		return nil, false, b.gap(ctx, at, after)
	}
	return a.list[1:], a.more, nil
}

// recordsAt returns the records from a version on.
func (b *backend) recordsAt(at, from uint64) (list []*record, more bool, err error) {
	snapshot := b.client.GetSnapshot(at)
	snapshot.SetScanBatchSize(recordsScannedOnce)
	it, err := snapshot.Iter(b.log(from, 0), b.space(logSpace+1, 0))
	if err != nil {
		return nil, false, outcome(err)
	}
	defer it.Close()
	var body []byte
	for size := 0; it.Valid(); {
		version, last, part, err := b.part(it.Key(), it.Value())
		if err != nil {
			return nil, false, err
		}
		body = append(body, part...)
		size += len(part)
		if last {
			r, err := decode(version, body)
			if err != nil {
				return nil, false, err
			}
			list, body = append(list, r), body[:0]
			if len(list) > recordsAtOnce || len(list) > 1 && size > recordBytesAtOnce {
				return list, true, nil
			}
		}
		if err := it.Next(); err != nil {
			return nil, false, outcome(err)
		}
	}
	return list, false, nil
}

// part returns what a part of a record is of, whether it is its last, and what is in it.
func (b *backend) part(key, value []byte) (version uint64, last bool, body []byte, err error) {
	at := b.layout.key(key)
	if len(at) != 12 || len(value) < 4 {
		return 0, false, nil, fmt.Errorf("tikvstore: the key %x of the log, with %d bytes, is none: %w", key, len(value), store.ErrCorrupt)
	}
	part, parts := binary.BigEndian.Uint32(at[8:]), binary.BigEndian.Uint32(value)
	return binary.BigEndian.Uint64(at), part+1 == parts, value[4:], nil
}

// gap returns why the log does not have what comes after a version.
func (b *backend) gap(ctx context.Context, at, after uint64) error {
	st, err := b.readState(ctx, at)
	if err != nil {
		return err
	}
	if after < st.boundary {
		return &store.GapError{After: after, Boundary: st.boundary}
	}
	value, err := b.get(ctx, at, b.head())
	if err != nil {
		return err
	}
	head, err := decodeHead(value)
	if err != nil {
		return err
	}
	return &store.GapError{After: after, Boundary: head}
}

// Changes implements remote.Backend. Where nothing has come, that is one request.
func (b *backend) Changes(ctx context.Context, after uint64, yield func(store.Commit) bool) error {
	if head, err := b.newest(ctx); err != nil || head == after {
		return err
	}
	now, err := b.now(ctx)
	if err != nil {
		return err
	}
	for more := true; more; {
		var list []*record
		if list, more, err = b.records(ctx, now, after); err != nil {
			return err
		}
		b.learn(list, more, now)
		for _, r := range list {
			after = r.version
			if !yield(r.commit()) {
				return nil
			}
		}
	}
	return nil
}

// learn notes what records that were read at a time say of times.
func (b *backend) learn(list []*record, more bool, now uint64) {
	for _, r := range list {
		b.times.note(r.version-1, r.start)
	}
	if n := len(list); n > 0 && !more {
		b.times.note(list[n-1].version, now)
	}
}

// Wait implements remote.Backend.
func (b *backend) Wait(ctx context.Context, after uint64) (uint64, error) {
	version, err := b.newest(ctx)
	if err != nil || version > after {
		return version, err
	}
	timer := time.NewTimer(b.opts.Poll)
	defer timer.Stop()
	select {
	case <-timer.C:
		return b.newest(ctx)
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}
