package tikvstore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/tikv/client-go/v2/kv"
	"github.com/tikv/client-go/v2/tikv"
	"github.com/tikv/client-go/v2/txnkv/transaction"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/remote"
)

// format is of what a store has in the cluster.
const format = 1

// state is what holds for a whole store, besides the newest version.
type state struct {
	boundary uint64 // the log has this version's record and all after it
	since    uint64 // the time at which the boundary came to be there
	dropped  uint64 // the log's records up to here are gone
}

const stateSize = 1 + 3*8

func (s *state) encode() []byte {
	buf := append(make([]byte, 0, stateSize), format)
	for _, n := range []uint64{s.boundary, s.since, s.dropped} {
		buf = binary.BigEndian.AppendUint64(buf, n)
	}
	return buf
}

// decodeState reads a state; that of a store that is not there is errAbsent.
func decodeState(value []byte) (s state, err error) {
	switch {
	case len(value) == 0:
		return s, errAbsent
	case value[0] > format:
		return s, fmt.Errorf("tikvstore: the store has format %d, and this release knows those up to %d: a newer release has made it", value[0], format)
	case len(value) != stateSize:
		return s, fmt.Errorf("tikvstore: the state has %d bytes, not %d: %w", len(value), stateSize, store.ErrCorrupt)
	}
	for i, n := range []*uint64{&s.boundary, &s.since, &s.dropped} {
		*n = binary.BigEndian.Uint64(value[1+8*i:])
	}
	return s, nil
}

// readState returns the state at a time.
func (b *backend) readState(ctx context.Context, at uint64) (state, error) {
	value, err := b.get(ctx, at, b.state())
	if err != nil {
		return state{}, err
	}
	return decodeState(value)
}

// create makes the store, unless it is there or must not be made.
func (b *backend) create(ctx context.Context) error {
	_, err := b.readState(ctx, math.MaxUint64)
	switch {
	case !errors.Is(err, errAbsent):
		return err
	case b.opts.MustExist:
		return err
	case b.opts.ReadOnly:
		return fmt.Errorf("there is no such store: %w", store.ErrReadOnly)
	}
	start, err := b.now(ctx)
	if err != nil {
		return err
	}
	tx, err := b.client.Begin(tikv.WithStartTS(start))
	if err != nil {
		return outcome(err)
	}
	if err := b.fillNew(tx, start); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if err = tx.Commit(ctx); conflicts(err) {
		err = nil // another has made it
	}
	return outcome(err)
}

// fillNew writes an empty store: its first version, and a record of that.
func (b *backend) fillNew(tx *transaction.KVTxn, start uint64) error {
	first := state{boundary: 1, since: start}
	genesis := recordOf(1, start, new(remote.Proposal)).encode()[0]
	buf := tx.GetMemBuffer()
	return errors.Join(
		buf.SetWithFlags(b.head(), binary.BigEndian.AppendUint64(nil, 1), kv.SetPresumeKeyNotExists),
		buf.SetWithFlags(b.state(), first.encode(), kv.SetPresumeKeyNotExists),
		buf.SetWithFlags(b.log(1, 0), genesis, kv.SetPresumeKeyNotExists),
	)
}
