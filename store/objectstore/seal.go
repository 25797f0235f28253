package objectstore

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// Our own objects begin with a magic of 8 bytes and the format, and end with a
// checksum of all before it.

// format is the format that this release writes, and the newest that it reads.
const format = 1

const sealSize = 8 + 4 + 4

// Magics: the first byte tells that it is no text.
const (
	magicBoundary = "\x8bkv-bnd\n"
	magicCommit   = "\x8bkv-log\n"
	magicWriters  = "\x8bkv-wrt\n"
	magicState    = "\x8bkv-sta\n"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// beginSeal appends what an object begins with.
func beginSeal(dst []byte, magic string) []byte {
	return binary.BigEndian.AppendUint32(append(dst, magic...), format)
}

// endSeal appends the checksum of an object.
func endSeal(b []byte) []byte {
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// unseal returns what an object holds, having checked it.
func unseal(name, magic string, b []byte) ([]byte, error) {
	if len(b) < sealSize || string(b[:8]) != magic {
		return nil, damaged(name, "it does not begin as such an object does")
	}
	if f := binary.BigEndian.Uint32(b[8:]); f > format {
		return nil, fmt.Errorf("%s has format %d, the newest known is %d: %w", name, f, format, ErrNewer)
	}
	end := len(b) - 4
	if crc32.Checksum(b[:end], castagnoli) != binary.BigEndian.Uint32(b[end:]) || binary.BigEndian.Uint32(b[8:]) == 0 {
		return nil, damaged(name, "its checksum is another")
	}
	return b[12:end], nil
}

// fields takes apart what an object holds. After a mistake bad is set, and all that
// it returns is zero.
type fields struct {
	b   []byte
	bad bool
}

func (f *fields) take(n uint64) []byte {
	if f.bad || n > uint64(len(f.b)) {
		f.bad = true
		return nil
	}
	b := f.b[:n:n]
	f.b = f.b[n:]
	return b
}

func (f *fields) id() (id [16]byte) {
	copy(id[:], f.take(16))
	return id
}

func (f *fields) uint64() uint64 {
	if b := f.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (f *fields) byte() byte {
	if b := f.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (f *fields) uvarint() uint64 {
	v, n := binary.Uvarint(f.b)
	if n <= 0 {
		f.bad = true
		return 0
	}
	f.take(uint64(n))
	return v
}
