package kivis

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"sync"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// Ids of one table come from its sequence. The store keeps a high-water mark:
// the first id that has not been leased. Ids below it are handed out from
// memory. A lease is durable, and apart from every user transaction, before
// an id of it leaves; so ids never repeat, and inserts never conflict over them.
const (
	minLease = 16
	maxLease = 4096
)

// sequence hands out the ids of one table.
type sequence struct {
	mu    sync.Mutex
	key   []byte // of the high-water mark
	max   uint64 // largest id of the key's type
	next  uint64 // next id to hand out; 0 until the first lease
	high  uint64 // ids below are leased
	block uint64 // size of the last lease
}

// raise is an id that a caller set himself: before the transaction commits,
// the sequence must be past it. A rolled-back transaction raises nothing.
type raise struct {
	seq *sequence
	id  uint64
}

// sequenceOf returns the sequence of tb, which has an auto-increment key.
func (db *DB) sequenceOf(tb *schema.Table) *sequence {
	if s, ok := db.sequences.Load(tb.ID); ok {
		return s.(*sequence)
	}
	s := &sequence{key: sequenceKey(tb.ID), max: maxID(tb.Columns[tb.Key.AutoColumn].GoType), block: minLease / 2}
	have, _ := db.sequences.LoadOrStore(tb.ID, s)
	return have.(*sequence)
}

// maxID returns the largest value of an integer type.
func maxID(t reflect.Type) uint64 {
	bits := t.Bits()
	if t.Kind() >= reflect.Int && t.Kind() <= reflect.Int64 {
		bits--
	}
	return math.MaxUint64 >> (64 - bits)
}

// take returns the next id.
func (s *sequence) take(ctx context.Context, kv store.Store) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next == s.high {
		if err := s.lease(ctx, kv, s.next); err != nil {
			return 0, err
		}
	}
	id := s.next
	s.next++
	return id, nil
}

// pass makes every later id larger than id.
func (s *sequence) pass(ctx context.Context, kv store.Store, id uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next == 0 || id >= s.high {
		if err := s.lease(ctx, kv, id+1); err != nil {
			return err
		}
	}
	s.next = max(s.next, id+1)
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
			return nil, fmt.Errorf("%w: the largest id of the key's type is %d", ErrExhausted, s.max)
		}
		end = start + min(block, s.max-start+1)
		if end < start { // beyond 64 bits: the last id is never handed out
			end = math.MaxUint64
		}
		if end == start {
			return nil, fmt.Errorf("%w: the largest id of the key's type is %d", ErrExhausted, s.max)
		}
		return encodeMark(end, s.key), nil
	})
	if err != nil {
		return err
	}
	if start > s.high || s.next == 0 {
		s.next = start
	}
	s.high, s.block = end, block
	return nil
}

// giveBack returns the rest of the lease, when the database closes. An insert
// that is still on its way has to lease anew.
func (s *sequence) giveBack(ctx context.Context, kv store.Store) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next == s.high {
		return nil
	}
	given := false
	err := store.Lease(ctx, kv, s.key, func(old []byte) ([]byte, error) {
		mark, err := decodeMark(old, s.key)
		if given = err == nil && mark == s.high; !given {
			return old, err
		}
		return encodeMark(s.next, s.key), nil
	})
	if given && err == nil {
		s.high = s.next
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
		return 0, &CorruptError{Err: fmt.Errorf("mark of a sequence: %w", err)}
	}
	return binary.BigEndian.Uint64(mark), nil
}

// nextID draws an id for a new record of tb.
func (t *txn) nextID(tb *schema.Table) (uint64, error) {
	ctx := context.Background()
	if err := t.raiseAll(ctx); err != nil {
		return 0, err
	}
	return t.db.sequenceOf(tb).take(ctx, t.db.kv)
}

// pass notes an id that the caller set on a new record of tb.
func (t *txn) pass(tb *schema.Table, id uint64) error {
	s := t.db.sequenceOf(tb)
	if id > s.max/2 {
		return fmt.Errorf("%w: id %d is in the upper half of its type and would use up the sequence", ErrExhausted, id)
	}
	t.raises = append(t.raises, raise{s, id})
	return nil
}

// raiseAll moves the sequences past the ids that the caller set.
func (t *txn) raiseAll(ctx context.Context) error {
	for _, r := range t.raises {
		if err := r.seq.pass(ctx, t.db.kv, r.id); err != nil {
			return err
		}
	}
	t.raises = t.raises[:0]
	return nil
}
