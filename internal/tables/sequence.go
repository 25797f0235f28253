package tables

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/store"
)

// Ids of one table come from its sequence. The store keeps a high-water mark:
// the first id that has not been leased. Ids below it are handed out from
// memory. A lease is durable, and apart from every user transaction, before
// an id of it leaves; so ids never repeat, and inserts never conflict over them.
//
// A caller may give any id. One at or above the mark moves the sequence past
// it. One that is leased, but has not left, is remembered and passed over: it
// is always this process that has the lease. One in the upper half of its type
// moves nothing, so that a single one does not use up the sequence; a drawn id
// that has come so far is looked up in the store before it is used.
const (
	minLease = 16
	maxLease = 4096
)

// sequences has the sequences of a store, by table id.
type sequences struct {
	store store.Store
	byID  sync.Map // uint32 -> *sequence
}

// sequence hands out the ids of one table.
type sequence struct {
	mu    sync.Mutex
	key   []byte          // of the high-water mark
	max   uint64          // largest id of the key's type
	given map[uint64]bool // by callers: leased ids from next on, to be passed over
	next  uint64          // next id to hand out; 0 until the first lease
	high  uint64          // ids below are leased
	block uint64          // size of the last lease
}

// of returns the sequence of the table whose key is auto-increment and of the
// column type t.
func (s *sequences) of(table uint32, t codec.Type) *sequence {
	if q, ok := s.byID.Load(table); ok {
		return q.(*sequence)
	}
	q := &sequence{key: sequenceKey(table), max: record.MaxID(t), block: minLease / 2}
	have, _ := s.byID.LoadOrStore(table, q)
	return have.(*sequence)
}

// giveBack returns what is left of every lease.
func (s *sequences) giveBack(ctx context.Context) error {
	var faults []error
	s.byID.Range(func(_, q any) bool {
		if err := q.(*sequence).giveBack(ctx, s.store); err != nil {
			faults = append(faults, fmt.Errorf("giving back leased ids: %w", err))
		}
		return true
	})
	return errors.Join(faults...)
}

// take returns the next id.
func (s *sequence) take(ctx context.Context, kv store.Store) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		if s.next == s.high {
			if err := s.lease(ctx, kv, s.next); err != nil {
				return 0, err
			}
		}
		id := s.next
		s.next++
		if !s.given[id] {
			return id, nil
		}
		delete(s.given, id)
	}
}

// isUpper reports whether an id is in the upper half of the key's type.
func (s *sequence) isUpper(id uint64) bool { return id > s.max/2 }

// advance makes sure that an id which a caller has given is not drawn later.
func (s *sequence) advance(ctx context.Context, kv store.Store, id uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.next == 0 || id >= s.high:
		return s.lease(ctx, kv, id+1)
	case id >= s.next:
		if s.given == nil {
			s.given = make(map[uint64]bool)
		}
		s.given[id] = true
	}
	return nil
}

// lease moves the high-water mark to a block beyond from, or beyond itself
// where it is already past that.
func (s *sequence) lease(ctx context.Context, kv store.Store, from uint64) error {
	block := min(2*s.block, maxLease)
	var start, end uint64
	err := store.Lease(ctx, kv, s.key, func(old []byte) ([]byte, error) {
		mark, err := decodeMark(old, s.key)
		if err != nil {
			return nil, err
		}
		start = max(mark, from)
		if start > s.max {
			return nil, s.exhausted()
		}
		end = start + min(block, s.max-start+1)
		if end < start { // beyond 64 bits: the last id is never handed out
			end = math.MaxUint64
		}
		if end == start {
			return nil, s.exhausted()
		}
		return encodeMark(end, s.key), nil
	})
	if err != nil {
		return err
	}
	if start > s.high || s.next == 0 {
		s.next = start
		clear(s.given)
	}
	s.high, s.block = end, block
	return nil
}

func (s *sequence) exhausted() error {
	return fmt.Errorf("%w: the largest id of the key's type is %d", ErrExhausted, s.max)
}

// giveBack returns the rest of the lease behind what callers have given, when
// the database closes. An insert that is still on its way has to lease anew.
func (s *sequence) giveBack(ctx context.Context, kv store.Store) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	low := s.next
	for id := range s.given {
		low = max(low, id+1)
	}
	if low == s.high {
		return nil
	}
	done := false
	err := store.Lease(ctx, kv, s.key, func(old []byte) ([]byte, error) {
		mark, err := decodeMark(old, s.key)
		if done = err == nil && mark == s.high; !done {
			return old, err
		}
		return encodeMark(low, s.key), nil
	})
	if done && err == nil {
		s.high = low
	}
	return err
}

// encodeMark returns a high-water mark as it is stored under key: 8 bytes, the
// highest first, and a checksum, since a mark that were read too low would give
// ids again.
func encodeMark(mark uint64, key []byte) []byte {
	return codec.SealEntry(nil, key, binary.BigEndian.AppendUint64(nil, mark))
}

// decodeMark reads a stored high-water mark; there is none before the first id, 1.
func decodeMark(b, key []byte) (uint64, error) {
	if len(b) == 0 {
		return 1, nil
	}
	mark, err := codec.OpenEntry(b, key)
	if err == nil && len(mark) != 8 {
		err = fmt.Errorf("%w: a mark of %d bytes", codec.ErrCorrupt, len(mark))
	}
	if err != nil {
		return 0, &record.CorruptError{Err: fmt.Errorf("mark of a sequence: %w", err)}
	}
	return binary.BigEndian.Uint64(mark), nil
}
