package badgerfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4/fb"
	"github.com/dgraph-io/badger/v4/options"
	"github.com/dgraph-io/badger/v4/y"
	"github.com/klauspost/compress/zstd"
)

// The format of a table is that of Badger's package table: blocks, then the
// index, its length, its checksum, and that one's length; each block ends in its
// own checksum. All these numbers are big-endian.

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Table is a table as the manifest has it.
type Table struct {
	Path        string
	Compression options.CompressionType
	Level       int
}

// TablePath returns the path of a table in dir.
func TablePath(dir string, id uint64) string {
	return filepath.Join(dir, fmt.Sprintf("%06d.sst", id))
}

// TableReader reads tables. It reuses its buffers, and is not safe for
// concurrent use. Of a table that has gone it finds no fault: Badger deletes
// those that it has compacted, by truncating them first.
type TableReader struct {
	index, raw, plain, key []byte
	zstd                   *zstd.Decoder
}

// Whole checks every block of a table.
func (r *TableReader) Whole(t Table) error {
	return r.check(t, func(int, int, *fb.TableIndex) bool { return true })
}

// Part checks the blocks of a table that may hold keys in [lo, hi], and returns
// the keys that are verified then.
func (r *TableReader) Part(t Table, lo, hi []byte) (verified []KeyRange, err error) {
	err = r.check(t, func(i, _ int, index *fb.TableIndex) bool {
		if !mayHold(index, i, lo, hi) {
			return false
		}
		if verified == nil {
			verified = []KeyRange{rangeOf(index, i, i+1)}
		}
		verified[0].Before = rangeOf(index, i, i+1).Before
		return true
	})
	return verified, err
}

// mayHold says whether versions of keys in [lo, hi] may be in a block.
func mayHold(index *fb.TableIndex, i int, lo, hi []byte) bool {
	return bytes.Compare(firstKey(index, i), hi) <= 0 &&
		(i == index.OffsetsLength()-1 || bytes.Compare(firstKey(index, i+1), lo) >= 0)
}

// Edges checks the first and the last block of a table, and returns the keys
// that are verified then and the newest version in the table.
func (r *TableReader) Edges(t Table) (verified []KeyRange, version uint64, err error) {
	err = r.check(t, func(i, n int, index *fb.TableIndex) bool {
		version = index.MaxVersion()
		switch {
		case n <= 2 && i == 0:
			verified = []KeyRange{rangeOf(index, 0, n)}
		case n > 2 && (i == 0 || i == n-1):
			verified = append(verified, rangeOf(index, i, i+1))
		}
		return i == 0 || i == n-1
	})
	return verified, version, err
}

// KeyRange is the keys between two others, neither of which is one of them. A
// nil bound is that of the table.
type KeyRange struct{ After, Before []byte }

// rangeOf returns the keys whose versions are all in the blocks from i to before
// j. The versions of a block's first key may begin in the one before.
func rangeOf(index *fb.TableIndex, i, j int) (r KeyRange) {
	if i > 0 {
		r.After = bytes.Clone(firstKey(index, i))
	}
	if j < index.OffsetsLength() {
		r.Before = bytes.Clone(firstKey(index, j))
	}
	return r
}

// Has says whether all keys of a table in [lo, hi] are in the range.
func (r KeyRange) Has(lo, hi []byte) bool {
	return (r.After == nil || bytes.Compare(r.After, lo) < 0) && (r.Before == nil || bytes.Compare(hi, r.Before) < 0)
}

// firstKey returns the first key of a block, without its version. It is part of
// the index.
func firstKey(index *fb.TableIndex, i int) []byte {
	var at fb.BlockOffset
	index.Offsets(&at, i)
	return y.ParseKey(at.KeyBytes())
}

// Version returns the newest version in a table, as its index says.
func (r *TableReader) Version(t Table) (version uint64, err error) {
	err = r.check(t, func(_, _ int, index *fb.TableIndex) bool {
		version = index.MaxVersion()
		return false
	})
	return version, err
}

// FirstKeys returns the keys with which the blocks of a table begin, without
// checking the blocks.
func (r *TableReader) FirstKeys(t Table) (keys [][]byte, err error) {
	err = r.check(t, func(i, _ int, index *fb.TableIndex) bool {
		keys = append(keys, bytes.Clone(firstKey(index, i)))
		return false
	})
	return keys, err
}

// check checks the index of a table and those blocks i of n that want selects.
func (r *TableReader) check(t Table, want func(i, n int, index *fb.TableIndex) bool) error {
	return r.each(t, want, func([]byte) error { return nil })
}

// each calls f with the content of those blocks that want selects.
func (r *TableReader) each(t Table, want func(i, n int, index *fb.TableIndex) bool, f func(block []byte) error) error {
	err := r.read(t, want, f)
	if err == nil || Missing(t.Path) {
		return nil
	}
	return fileError("table file", t.Path, err)
}

// Missing says whether a table file has gone, or is about to.
func Missing(path string) bool {
	info, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0
}

func (r *TableReader) read(t Table, want func(i, n int, index *fb.TableIndex) bool, f func(block []byte) error) (err error) {
	file, err := os.Open(t.Path)
	if err != nil {
		return err
	}
	defer file.Close()
	// Nonsense may have a right checksum. That is damage too, not a panic.
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("undecodable: %v", p)
		}
	}()
	index, err := r.readIndex(file)
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
		block, err := r.readBlock(file, t.Compression, int64(at.Offset()), int64(at.Len()))
		if err == nil {
			err = f(block)
		}
		if err != nil {
			return fmt.Errorf("block %d of %d: %w", i, n, err)
		}
	}
	return nil
}

// readIndex reads and checks the index at the end of a table.
func (r *TableReader) readIndex(f *os.File) (*fb.TableIndex, error) {
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
