package boltstore

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	bolt "go.etcd.io/bbolt"

	"github.com/kivisdb/kivis/store/boltstore/internal/boltfile"
)

// state is what the file says of itself in each version. It is the sequence number
// of the bucket, which bbolt writes at each commit in any case: the version, then a
// bit, then a checksum of both.
type state struct {
	version uint64
	closed  bool // by Close: both meta pages say the same
}

const (
	stateSum  = 16 // bits
	stateBits = stateSum + 1
)

// encode returns the number of a state.
func (st state) encode() uint64 {
	n := st.version << stateBits
	if st.closed {
		n |= 1 << stateSum
	}
	return n | sumOfState(n)
}

// sumOfState returns the checksum of a number whose last bits are zero.
func sumOfState(n uint64) uint64 {
	sum := crc32.Checksum(binary.BigEndian.AppendUint64(nil, n), castagnoli)
	return uint64(sum^sum>>16) & (1<<stateSum - 1)
}

// decodeState returns the state of its number.
func decodeState(n uint64) (state, error) {
	st := state{n >> stateBits, n>>stateSum&1 == 1}
	if st.encode() != n || st.version == 0 {
		return state{}, fmt.Errorf("the version does not have its checksum: %w", boltfile.ErrDamaged)
	}
	return st, nil
}

// putState writes a state to a file that may be empty.
func putState(db *bolt.DB, st state) error {
	err := db.Update(func(tx *bolt.Tx) error {
		data, err := tx.CreateBucketIfNotExists(dataBucket)
		if err != nil {
			return err
		}
		return data.SetSequence(st.encode())
	})
	if err != nil {
		return fmt.Errorf("boltstore: making %s: %w", db.Path(), err)
	}
	return nil
}
