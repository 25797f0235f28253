package boltstore

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/kivisdb/kivis/store"
)

// dataBucket has the user's entries, and those of the feed's log. Its name says what the file is, and in which
// format.
var dataBucket = []byte("kivis 1")

const (
	// keyPrefix begins every key of the user's in bbolt, which takes no empty ones;
	// logPrefix, which follows, every key of the feed's log.
	keyPrefix = 'k'
	logPrefix = keyPrefix + 1

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
