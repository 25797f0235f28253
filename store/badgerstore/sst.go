package badgerstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4/fb"
	"github.com/dgraph-io/badger/v4/options"
	"github.com/dgraph-io/badger/v4/y"
	"github.com/klauspost/compress/snappy"

	"github.com/kivisdb/kivis/store"
)

// Badger reads its tables with little suspicion: an undecodable index ends the
// process, a damaged block ends a scan early and without an error. So the store
// reads them itself before Badger does. The format is that of Badger's package
// table: blocks, then the index, its length, its checksum, and that one's
// length; each block ends in its own checksum. All numbers are big-endian.

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// tableFile is a table of Badger's to be checked.
type tableFile struct {
	path        string
	compression options.CompressionType
}

func tablePath(dir string, id uint64) string {
	return filepath.Join(dir, fmt.Sprintf("%06d.sst", id))
}

// sstReader checks tables. It reuses its buffers, and is not safe for
// concurrent use.
type sstReader struct {
	index, raw, plain []byte
}

// whole checks every block of a table.
func (r *sstReader) whole(t tableFile) error {
	return r.check(t, func(int, int, *fb.TableIndex) bool { return true })
}

// part checks the blocks of a table that may hold keys in [lo, hi], and returns
// what is sound then.
func (r *sstReader) part(t tableFile, lo, hi []byte) (sound []stretch, err error) {
	err = r.check(t, func(i, _ int, index *fb.TableIndex) bool {
		if !mayHold(index, i, lo, hi) {
			return false
		}
		if sound == nil {
			sound = []stretch{stretchOf(index, i, i+1)}
		}
		sound[0].before = stretchOf(index, i, i+1).before
		return true
	})
	return sound, err
}

// mayHold says whether versions of keys in [lo, hi] may be in a block.
func mayHold(index *fb.TableIndex, i int, lo, hi []byte) bool {
	return bytes.Compare(firstKey(index, i), hi) <= 0 &&
		(i == index.OffsetsLength()-1 || bytes.Compare(firstKey(index, i+1), lo) >= 0)
}

// edges checks the first and the last block of a table, and returns what is
// sound then and the newest version in the table.
func (r *sstReader) edges(t tableFile) (sound []stretch, version uint64, err error) {
	err = r.check(t, func(i, n int, index *fb.TableIndex) bool {
		version = index.MaxVersion()
		switch {
		case n <= 2 && i == 0:
			sound = []stretch{stretchOf(index, 0, n)}
		case n > 2 && (i == 0 || i == n-1):
			sound = append(sound, stretchOf(index, i, i+1))
		}
		return i == 0 || i == n-1
	})
	return sound, version, err
}

// firstKey returns the first key of a block, without its version. It is part of
// the index.
func firstKey(index *fb.TableIndex, i int) []byte {
	var at fb.BlockOffset
	index.Offsets(&at, i)
	return y.ParseKey(at.KeyBytes())
}

// version returns the newest version in a table file.
func (r *sstReader) version(path string) (version uint64, err error) {
	err = r.read(tableFile{path: path}, func(_, _ int, index *fb.TableIndex) bool {
		version = index.MaxVersion()
		return false
	})
	return version, err
}

// check checks the index of a table and those blocks i of n that want selects.
// A table that has gone is no fault: Badger deletes those that it has
// compacted, by truncating them first.
func (r *sstReader) check(t tableFile, want func(i, n int, index *fb.TableIndex) bool) error {
	err := r.read(t, want)
	if err == nil {
		return nil
	}
	if missing(t.path) {
		return nil
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("it ends too early")
	}
	return fmt.Errorf("badgerstore: table file %s: %w: %w", t.path, err, store.ErrCorrupt)
}

func (r *sstReader) read(t tableFile, want func(i, n int, index *fb.TableIndex) bool) (err error) {
	f, err := os.Open(t.path)
	if err != nil {
		return err
	}
	defer f.Close()
	// A sound checksum over nonsense is not something to die of either.
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("undecodable: %v", p)
		}
	}()
	index, err := r.readIndex(f)
	if err != nil {
		return err
	}
	n := index.OffsetsLength()
	if n == 0 {
		return errors.New("it has no blocks")
	}
	var at fb.BlockOffset
	for i := range n {
		if !want(i, n, index) {
			continue
		}
		index.Offsets(&at, i)
		if err := r.readBlock(f, t.compression, int64(at.Offset()), int(at.Len())); err != nil {
			return fmt.Errorf("block %d of %d: %w", i, n, err)
		}
	}
	return nil
}

// readIndex reads and checks the index at the end of a table.
func (r *sstReader) readIndex(f *os.File) (*fb.TableIndex, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	end := info.Size()
	sum, end, err := readTrailer(f, end, 64)
	if err != nil {
		return nil, fmt.Errorf("checksum of the index: %w", err)
	}
	n, end, err := readLength(f, end, end)
	if err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	r.index = grown(r.index, n)
	if _, err := f.ReadAt(r.index, end-int64(n)); err != nil {
		return nil, err
	}
	if err := verify(r.index, sum); err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	return fb.GetRootAsTableIndex(r.index, 0), nil
}

// readTrailer reads the bytes before end whose length stands at end, of which
// there are at most limit, and returns where they begin.
func readTrailer(f io.ReaderAt, end int64, limit int) ([]byte, int64, error) {
	n, end, err := readLength(f, end, int64(limit))
	if err != nil {
		return nil, 0, err
	}
	data := make([]byte, n)
	_, err = f.ReadAt(data, end-int64(n))
	return data, end - int64(n), err
}

// readLength reads the length that ends at end, which must fit into what lies
// before, and returns where it begins.
func readLength(f io.ReaderAt, end, limit int64) (int, int64, error) {
	var buf [4]byte
	if end < 4 {
		return 0, 0, io.ErrUnexpectedEOF
	}
	if _, err := f.ReadAt(buf[:], end-4); err != nil {
		return 0, 0, err
	}
	end -= 4
	n := int64(binary.BigEndian.Uint32(buf[:]))
	if n > min(end, limit) {
		return 0, 0, fmt.Errorf("length %d where at most %d is possible", n, min(end, limit))
	}
	return int(n), end, nil
}

// readBlock reads, decompresses and checks one block.
func (r *sstReader) readBlock(f io.ReaderAt, c options.CompressionType, off int64, n int) error {
	r.raw = grown(r.raw, n)
	if _, err := f.ReadAt(r.raw, off); err != nil {
		return err
	}
	data, err := r.decompress(c)
	if err != nil {
		return err
	}
	if len(data) < 4 {
		return io.ErrUnexpectedEOF
	}
	end := len(data) - 4
	sum := int(binary.BigEndian.Uint32(data[end:]))
	if sum > end-4 {
		return fmt.Errorf("checksum of %d bytes in a block of %d", sum, len(data))
	}
	return verify(data[:end-sum], data[end-sum:end])
}

func (r *sstReader) decompress(c options.CompressionType) ([]byte, error) {
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
	}
	return nil, fmt.Errorf("unknown compression %d", c)
}

// verify compares data with a checksum: a protocol buffer of the algorithm,
// which is 0 and left out for CRC-32C, the only one that Badger writes, and the
// sum.
func verify(data, sum []byte) error {
	const sumField = 2 << 3
	if len(sum) == 0 {
		// Protocol buffers leave out zeros, so this is a sum of 0.
		sum = []byte{sumField, 0}
	}
	want, n := binary.Uvarint(sum[1:])
	if sum[0] != sumField || n != len(sum)-1 {
		return errors.New("not a checksum")
	}
	if got := uint64(crc32.Checksum(data, castagnoli)); got != want {
		return fmt.Errorf("checksum is %08x, want %08x", got, want)
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
