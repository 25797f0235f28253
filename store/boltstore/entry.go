package boltstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/boltstore/internal/boltfile"
)

// The file has two buckets: one with the user's entries, one with the state.
var (
	dataBucket  = []byte("data")
	stateBucket = []byte("kivis")
	stateKey    = []byte("state")
)

const (
	// keyPrefix begins every key of the user's in bbolt, which takes no empty ones.
	keyPrefix = 'k'

	// maxKey is the longest user key: bbolt's limit, less the prefix.
	maxKey = 32768 - 1

	// sumSize is how many bytes of checksum end each value.
	sumSize = 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sumOf returns the checksum of an entry.
func sumOf(key, value []byte) uint32 {
	return crc32.Update(crc32.Update(0, castagnoli, key), castagnoli, value)
}

// appendValue appends value, as bbolt is to have it under key, to dst.
func appendValue(dst, key, value []byte) []byte {
	return binary.LittleEndian.AppendUint32(append(dst, value...), sumOf(key, value))
}

// valueOf returns what appendValue was given, and false if it is not that.
func valueOf(key, stored []byte) ([]byte, bool) {
	n := len(stored) - sumSize
	if n < 0 {
		return nil, false
	}
	value := stored[:n:n]
	return value, sumOf(key, value) == binary.LittleEndian.Uint32(stored[n:])
}

// badEntry is the error of an entry whose checksum is wrong.
func badEntry(path string, key []byte) error {
	return fmt.Errorf("boltstore: %s: the entry of key %x does not have its checksum: %w", path, key, store.ErrCorrupt)
}

// state is what the file says of itself in each version.
type state struct {
	version uint64
	closed  bool // by Close: both meta pages say the same
}

const stateFormat = 1

// encode returns the stored form of st.
func (st state) encode() []byte {
	b := []byte{stateFormat, 0}
	if st.closed {
		b[1] = 1
	}
	b = binary.BigEndian.AppendUint64(b, st.version)
	return appendValue(nil, stateKey, b)
}

// decodeState returns the state of its stored form.
func decodeState(stored []byte) (st state, err error) {
	b, ok := valueOf(stateKey, stored)
	switch {
	case !ok:
		return st, fmt.Errorf("the state does not have its checksum: %w", boltfile.ErrDamaged)
	case len(b) < 1 || b[0] != stateFormat:
		return st, fmt.Errorf("the store is of a format that this release does not know: %w", boltfile.ErrForeign)
	case len(b) != 10:
		return st, fmt.Errorf("the state is %d bytes long: %w", len(b), boltfile.ErrDamaged)
	}
	return state{binary.BigEndian.Uint64(b[2:]), b[1] == 1}, nil
}

var errNoState = errors.New("there is no state in it")
