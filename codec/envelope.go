package codec

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
)

// The form of a record's value: see the package documentation.
const (
	recordFormat = 1

	// ChecksumSize is how many bytes [Seal] and [SealEntry] add.
	ChecksumSize = 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// AppendHeader appends what stands before a body of the given schema version.
func AppendHeader(dst []byte, version uint32) []byte {
	return binary.AppendUvarint(append(dst, recordFormat), uint64(version))
}

// Seal ends the value that begins at from in dst, the header and the body of
// the record with the given key tuple: it appends the checksum.
func Seal(dst []byte, from int, table uint32, key []byte) []byte {
	return binary.BigEndian.AppendUint32(dst, checksum(dst[from:], table, key))
}

// SealEntry appends what is stored under a key of its own without a header: the
// value, then the checksum of the store's key and the value.
func SealEntry(dst, key, value []byte) []byte {
	sum := crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, value)
	return binary.BigEndian.AppendUint32(append(dst, value...), sum)
}

// OpenEntry returns the value that [SealEntry] sealed under the key, a part of
// sealed without room to grow. An error matches [ErrCorrupt].
func OpenEntry(sealed, key []byte) ([]byte, error) {
	end := len(sealed) - ChecksumSize
	if end < 0 {
		return nil, fmt.Errorf("%w: an entry of %d bytes", ErrCorrupt, len(sealed))
	}
	value := sealed[:end:end]
	sum := crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, value)
	if sum != binary.BigEndian.Uint32(sealed[end:]) {
		return nil, fmt.Errorf("%w: the checksum of an entry does not match", ErrCorrupt)
	}
	return value, nil
}

func checksum(value []byte, table uint32, key []byte) uint32 {
	sum := crc32.Update(checksumOf(table), castagnoli, key)
	return crc32.Update(sum, castagnoli, value)
}

// checksumOf returns the CRC-32C of the 4 bytes of table, the highest first. It
// goes byte by byte, since an array of them would be allocated, and the first
// three are nearly always 0.
func checksumOf(table uint32) uint32 {
	if table <= math.MaxUint8 {
		return ^step(threeZeros, byte(table))
	}
	sum := ^uint32(0)
	for shift := 24; shift >= 0; shift -= 8 {
		sum = step(sum, byte(table>>shift))
	}
	return ^sum
}

var threeZeros = step(step(step(^uint32(0), 0), 0), 0)

// step returns the state of a CRC-32C after one byte more.
func step(sum uint32, b byte) uint32 { return castagnoli[byte(sum)^b] ^ sum>>8 }

// Open checks the value stored under the given key tuple and returns its schema
// version and its body, which is part of value and has no room to grow. An
// error matches [ErrCorrupt]: the bytes are not those that were sealed, or not
// under this key.
func Open(value []byte, table uint32, key []byte) (version uint32, body []byte, err error) {
	end := len(value) - ChecksumSize
	if end < 2 {
		return 0, nil, fmt.Errorf("%w: a record of %d bytes", ErrCorrupt, len(value))
	}
	// The bytes are looked at in order, which memory is quickest with: those
	// of the checksum last.
	if checksum(value[:end], table, key) != binary.BigEndian.Uint32(value[end:]) {
		return 0, nil, fmt.Errorf("%w: the checksum of a record does not match", ErrCorrupt)
	}
	return OpenSealed(value)
}

// OpenSealed is [Open] of a value that is known to be as it was sealed: the
// checksum is not looked at.
func OpenSealed(value []byte) (version uint32, body []byte, err error) {
	end := len(value) - ChecksumSize
	if end < 2 {
		return 0, nil, fmt.Errorf("%w: a record of %d bytes", ErrCorrupt, len(value))
	}
	value = value[:end:end]
	if value[0] != recordFormat {
		return 0, nil, fmt.Errorf("%w: record format %d is not known", ErrCorrupt, value[0])
	}
	v, n := binary.Uvarint(value[1:])
	if n <= 0 || v > math.MaxUint32 {
		return 0, nil, fmt.Errorf("%w: no schema version", ErrCorrupt)
	}
	return uint32(v), value[1+n:], nil
}
