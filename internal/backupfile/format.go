package backupfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/kivisdb/kivis/store"
)

// Format is the format of the files that this release writes, and the newest
// that it reads.
const Format = 1

// Bounds of a file. The writer ends a block at blockSize, so that a reader can
// refuse what is bigger than the longest entry makes it.
const (
	blockSize   = 64 << 10      // at which a block is complete
	maxKey      = 64 << 10      // the longest key
	maxValue    = 1 << 30       // the longest value
	maxKeyBytes = 1 << 20       // of all keys in a block, written out, at which it is complete
	maxRaw      = 4 * blockSize // the longest block
	maxLevels   = 40            // of index blocks
	minChildren = 2             // of an index block that has another one above it
	headerSize  = 8 + 4 + 16 + 8 + 32 + 4
	footerSize  = 1 + 1 + 8 + 4 + 8 + 8 + 8 + 32 + 4 + 8
	hashedTail  = 1 + 1 + 8 + 4 + 8 + 8 + 8 // what of the footer goes into the hash
)

// A file begins and ends with these. The first one has a byte over 127 and both
// ends of a line, so that a copy as text is noticed at once.
var (
	magic    = [8]byte{0x8b, 'k', 'i', 'v', 'i', 's', 0x1a, '\n'}
	endMagic = [8]byte{'\n', 0x1a, 's', 'i', 'v', 'i', 'k', 0x8b}
)

// Kinds of what follows the header.
const (
	kindData   = 1
	kindIndex  = 2
	kindFooter = 3
)

// ErrNewer: a newer release wrote the file.
var ErrNewer = errors.New("written by a newer release")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A Header says what a file is the backup of.
type Header struct {
	Incarnation [16]byte
	Version     uint64   // of the snapshot
	Previous    [32]byte // the hash of the file that this one continues; zero for a whole backup
}

// Whole reports whether the file is one of everything, not only of what has
// changed.
func (h *Header) Whole() bool { return h.Previous == [32]byte{} }

// append appends the header as it is stored.
func (h *Header) append(dst []byte) []byte {
	start := len(dst)
	dst = append(dst, magic[:]...)
	dst = binary.BigEndian.AppendUint32(dst, Format)
	dst = append(dst, h.Incarnation[:]...)
	dst = binary.BigEndian.AppendUint64(dst, h.Version)
	dst = append(dst, h.Previous[:]...)
	return binary.BigEndian.AppendUint32(dst, crc32.Checksum(dst[start:], castagnoli))
}

// IsBackup reports whether a file that begins with these bytes is a backup,
// damaged or not.
func IsBackup(start []byte) bool { return bytes.HasPrefix(start, magic[:]) }

// parseHeader reads a header of headerSize bytes.
func parseHeader(b []byte) (h Header, err error) {
	if !IsBackup(b) {
		return h, damaged(0, "it does not begin as a backup does")
	}
	if format := binary.BigEndian.Uint32(b[8:]); format > Format {
		return h, fmt.Errorf("backup file of format %d, the newest known is %d: %w", format, Format, ErrNewer)
	}
	end := headerSize - 4
	if crc32.Checksum(b[:end], castagnoli) != binary.BigEndian.Uint32(b[end:]) || binary.BigEndian.Uint32(b[8:]) == 0 {
		return h, damaged(0, "the header's checksum is another")
	}
	copy(h.Incarnation[:], b[12:])
	h.Version = binary.BigEndian.Uint64(b[28:])
	copy(h.Previous[:], b[36:])
	return h, nil
}

// An Info is what header and footer say of a file.
type Info struct {
	Header
	Hash    [32]byte // of all that the file holds
	Entries uint64   // keys that have a value
	Deleted uint64   // keys that are gone; 0 in a whole backup
	Size    int64    // of the file, in bytes
}

// footer is the end of a file.
type footer struct {
	root    child // the topmost index block; its key and count are not stored
	levels  int   // of index blocks; 0 in a file without entries
	entries uint64
	deleted uint64
	size    int64
	hash    [32]byte
}

// appendHashed appends what of the footer goes into the hash.
func (f *footer) appendHashed(dst []byte) []byte {
	dst = append(dst, kindFooter, byte(f.levels))
	dst = binary.BigEndian.AppendUint64(dst, uint64(f.root.off))
	dst = binary.BigEndian.AppendUint32(dst, f.root.size)
	dst = binary.BigEndian.AppendUint64(dst, f.entries)
	dst = binary.BigEndian.AppendUint64(dst, f.deleted)
	return binary.BigEndian.AppendUint64(dst, uint64(f.size))
}

// append appends the footer as it is stored.
func (f *footer) append(dst []byte) []byte {
	start := len(dst)
	dst = append(f.appendHashed(dst), f.hash[:]...)
	dst = binary.BigEndian.AppendUint32(dst, crc32.Checksum(dst[start:], castagnoli))
	return append(dst, endMagic[:]...)
}

// parseFooter reads the footer, of footerSize bytes, of a file of size bytes.
func parseFooter(b []byte, size int64) (f footer, err error) {
	at := size - footerSize
	end := footerSize - 8 - 4
	switch {
	case !bytes.HasSuffix(b, endMagic[:]) || b[0] != kindFooter:
		return f, damaged(at, "it does not end as a backup does: it was cut, or something follows it")
	case crc32.Checksum(b[:end], castagnoli) != binary.BigEndian.Uint32(b[end:]):
		return f, damaged(at, "the footer's checksum is another")
	}
	f.levels = int(b[1])
	f.root.off = int64(binary.BigEndian.Uint64(b[2:]))
	f.root.size = binary.BigEndian.Uint32(b[10:])
	f.entries = binary.BigEndian.Uint64(b[14:])
	f.deleted = binary.BigEndian.Uint64(b[22:])
	f.size = int64(binary.BigEndian.Uint64(b[30:]))
	copy(f.hash[:], b[hashedTail:])
	switch {
	case f.size != size:
		return f, damaged(at, fmt.Sprintf("the footer is one of a file of %d bytes, and the file has %d", f.size, size))
	case f.levels > maxLevels:
		return f, damaged(at, fmt.Sprintf("an index of %d levels", f.levels))
	}
	return f, nil
}

// A DamageError says where a file is not what the writer wrote. It matches
// store.ErrCorrupt.
type DamageError struct {
	Offset int64
	What   string
}

// Error implements error.
func (e *DamageError) Error() string {
	return fmt.Sprintf("backup file, at byte %d: %s: %v", e.Offset, e.What, store.ErrCorrupt)
}

// Unwrap returns store.ErrCorrupt.
func (e *DamageError) Unwrap() error { return store.ErrCorrupt }

func damaged(off int64, what string) error { return &DamageError{off, what} }
