package badgerfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"slices"

	"github.com/dgraph-io/badger/v4/fb"
	"github.com/dgraph-io/badger/v4/options"
	"github.com/dgraph-io/badger/v4/y"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
)

// maxBlock is how big a block can be at most, decompressed. Badger ends one after
// a few kilobytes; only one entry can be bigger, of a key and a value.
const maxBlock = 4 << 20

// readBlock reads, decompresses and checks one block, and returns its content
// without the checksum, until the next call.
func (r *TableReader) readBlock(f io.ReaderAt, c options.CompressionType, off, n int64) ([]byte, error) {
	if n > maxBlock {
		return nil, fmt.Errorf("a block of %d bytes", n)
	}
	r.raw = grown(r.raw, int(n))
	if _, err := f.ReadAt(r.raw, off); err != nil {
		return nil, err
	}
	data, err := r.decompress(c)
	if err != nil {
		return nil, err
	}
	if len(data) < 4 {
		return nil, io.ErrUnexpectedEOF
	}
	end := len(data) - 4
	sum := binary.BigEndian.Uint32(data[end:])
	if uint64(sum)+4 > uint64(end) {
		return nil, fmt.Errorf("checksum of %d bytes in a block of %d", sum, len(data))
	}
	end -= int(sum)
	return data[:end], verify(data[:end], data[end:len(data)-4])
}

func (r *TableReader) decompress(c options.CompressionType) ([]byte, error) {
	switch c {
	case options.None:
		return r.raw, nil
	case options.Snappy:
		n, err := snappy.DecodedLen(r.raw)
		if err != nil {
			return nil, err
		}
		if n > len(r.raw)*64+1024 {
			return nil, fmt.Errorf("%d bytes cannot hold %d", len(r.raw), n)
		}
		r.plain = grown(r.plain, n)
		return snappy.Decode(r.plain, r.raw)
	case options.ZSTD:
		return r.unzstd()
	}
	return nil, fmt.Errorf("compression %d: %w", c, ErrUnknown)
}

func (r *TableReader) unzstd() (_ []byte, err error) {
	if r.zstd == nil {
		if r.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxBlock)); err != nil {
			return nil, err
		}
	}
	r.plain, err = r.zstd.DecodeAll(r.raw, r.plain[:0])
	return r.plain, err
}

// verify compares data with a checksum: a protocol buffer of the algorithm,
// which is 0 and left out for CRC-32C, the only one that Badger writes, and the
// sum, left out if it is 0.
func verify(data, sum []byte) error {
	algorithm, rest, first := field(sum, 1)
	want, rest, second := field(rest, 2)
	switch {
	case len(rest) > 0:
		return errors.New("not a checksum")
	case first && second && algorithm != 0:
		return fmt.Errorf("checksum by algorithm %d: %w", algorithm, ErrUnknown)
	case first:
		return errors.New("not a checksum")
	}
	if got := uint64(crc32.Checksum(data, castagnoli)); got != want {
		return fmt.Errorf("checksum is %08x, want %08x", got, want)
	}
	return nil
}

// field takes a number off a protocol buffer, if it begins with that field.
func field(b []byte, id byte) (v uint64, rest []byte, ok bool) {
	if len(b) == 0 || b[0] != id<<3 {
		return 0, b, false
	}
	v, n := binary.Uvarint(b[1:])
	if n <= 0 {
		return 0, b, false
	}
	return v, b[1+n:], true
}

// Entry is an entry of a table.
type Entry struct {
	Key     []byte // without its version
	Version uint64
	Deleted bool
	User    byte // the user's meta byte
	Value   []byte
}

// Entries calls f with every entry of a table, in the order of their keys, those
// of one key with the newest first. What f gets is good until it returns.
func (r *TableReader) Entries(t Table, f func(Entry) error) error {
	all := func(int, int, *fb.TableIndex) bool { return true }
	return r.each(t, all, func(block []byte) error { return r.entries(block, f) })
}

// EntriesNear calls f with every entry of the blocks that may hold one of some
// keys, which ascend, as Entries does.
func (r *TableReader) EntriesNear(t Table, keys [][]byte, f func(Entry) error) error {
	near := func(i, n int, index *fb.TableIndex) bool {
		at, _ := slices.BinarySearchFunc(keys, firstKey(index, i), bytes.Compare)
		return at < len(keys) && (i == n-1 || bytes.Compare(keys[at], firstKey(index, i+1)) <= 0)
	}
	return r.each(t, near, func(block []byte) error { return r.entries(block, f) })
}

// First returns the first entry of a table, and no key if the table has gone.
func (r *TableReader) First(t Table) (key []byte, version uint64, err error) {
	first := func(i, _ int, _ *fb.TableIndex) bool { return i == 0 }
	err = r.each(t, first, func(block []byte) error {
		return r.entries(block, func(e Entry) error {
			if key == nil {
				key, version = bytes.Clone(e.Key), e.Version
			}
			return nil
		})
	})
	return key, version, err
}

// Has says whether a table has an entry.
func (r *TableReader) Has(t Table, key []byte, version uint64) (found bool, err error) {
	err = r.EntriesNear(t, [][]byte{key}, func(e Entry) error {
		found = found || e.Version == version && bytes.Equal(e.Key, key)
		return nil
	})
	return found, err
}

// Incomplete says whether the writing of a table was cut short, which was then
// never listed: Badger makes the file in its whole size, fills it, and syncs it
// first. So there are pages of zeros, or its last bytes are zeros.
func Incomplete(path string) (bool, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return false, fileError("table file", path, err)
	}
	if len(data) < 4 || binary.BigEndian.Uint32(data[len(data)-4:]) == 0 {
		return true, nil
	}
	zeros := make([]byte, 4096)
	for page := range slices.Chunk(data, len(zeros)) {
		if bytes.Equal(page, zeros[:len(page)]) {
			return true, nil
		}
	}
	return false, nil
}

// entries calls f with each entry of a block: a header of the lengths of what
// the key shares with the block's first and what is its own, that, and the
// value. Behind them are where they begin, and how many there are.
func (r *TableReader) entries(block []byte, f func(Entry) error) error {
	count := int(binary.BigEndian.Uint32(block[len(block)-4:]))
	offsets := block[len(block)-4-4*count : len(block)-4]
	data := block[:len(block)-4-4*count]
	var first []byte
	for i := range count {
		start, end := binary.NativeEndian.Uint32(offsets[4*i:]), uint32(len(data))
		if i+1 < count {
			end = binary.NativeEndian.Uint32(offsets[4*i+4:])
		}
		e := data[start:end]
		shared := int(binary.NativeEndian.Uint16(e))
		own := int(binary.NativeEndian.Uint16(e[2:]))
		if i == 0 {
			first = slices.Clone(e[4 : 4+own])
		}
		r.key = append(append(r.key[:0], first[:shared]...), e[4:4+own]...)
		value := e[4+own:]
		_, n := binary.Uvarint(value[2:])
		entry := Entry{
			Key: y.ParseKey(r.key), Version: y.ParseTs(r.key),
			Deleted: value[0]&metaDelete != 0, User: value[1], Value: value[2+n:],
		}
		if err := f(entry); err != nil {
			return err
		}
	}
	return nil
}

// grown returns a slice of n bytes, in buf if they fit.
func grown(buf []byte, n int) []byte {
	if cap(buf) < n {
		return make([]byte, n, n+n/4)
	}
	return buf[:n]
}
