package sqlitestore

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/kivisdb/kivis/store"
)

const (
	// pageSize is that of every store: smaller pages cost less where a commit
	// writes one anew, or a get reads one.
	pageSize = 4096

	// reserved is how many bytes at the end of each page SQLite leaves alone: they
	// hold the page's checksum.
	reserved = 4

	// applicationID says in SQLite's header whose file it is: "Kivi".
	applicationID = 0x4b697669

	// format is what the file's user_version says.
	format = 1

	// metaPage is the root of the table meta, which has one row: every commit
	// writes it.
	metaPage = 2

	headerSize = 100
	magic      = "SQLite format 3\x00"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sumOf returns the checksum of a page, which is never 0, and of the place that it
// has: a page in another's place is damage, too.
func sumOf(page []byte, number uint32) uint32 {
	var n [4]byte
	binary.BigEndian.PutUint32(n[:], number)
	sum := crc32.Update(crc32.Update(0, castagnoli, n[:]), castagnoli, page[:pageSize-reserved])
	return max(sum, 1)
}

// sealPage gives a page its checksum.
func sealPage(page []byte, number uint32) {
	binary.BigEndian.PutUint32(page[pageSize-reserved:], sumOf(page, number))
}

// openPage says whether a page has its checksum, and clears that. Pages that
// another program has written, as a copy of the file, have none, which is 0: so
// pages must have none in the log, too.
func openPage(page []byte, number uint32) bool {
	sum := page[pageSize-reserved:]
	if s := binary.BigEndian.Uint32(sum); s != 0 && s != sumOf(page, number) {
		return false
	}
	clear(sum)
	return true
}

// checkHeader checks that a file of a size begins as a store does, before SQLite
// believes what is there. Without a log what it says of itself is the newest.
func (s *Store) checkHeader(f io.ReaderAt, size int64, logged bool) error {
	page := make([]byte, pageSize)
	n, err := f.ReadAt(page, 0)
	if err != nil && err != io.EOF {
		return fmt.Errorf("sqlitestore: %w", err)
	}
	switch {
	case n < headerSize || string(page[:len(magic)]) != magic:
		return fmt.Errorf("sqlitestore: %s is not a file of SQLite's: %w", s.path, ErrForeign)
	case binary.BigEndian.Uint32(page[68:]) != applicationID:
		return fmt.Errorf("sqlitestore: %s is a file of SQLite's, but not a store: its application_id is %#x, want %#x: %w",
			s.path, binary.BigEndian.Uint32(page[68:]), applicationID, ErrForeign)
	case binary.BigEndian.Uint32(page[60:]) != format:
		return fmt.Errorf("sqlitestore: %s is a store of format %d, want %d: %w", s.path, binary.BigEndian.Uint32(page[60:]), format, ErrForeign)
	case binary.BigEndian.Uint16(page[16:]) != pageSize, page[20] != reserved, page[18] > 2, page[19] > 2:
		return fmt.Errorf("sqlitestore: %s: the header is not as it was written: %w", s.path, store.ErrCorrupt)
	case logged:
		return nil // the log has what was being written, this page and the last perhaps
	case n < pageSize || size%pageSize != 0:
		return fmt.Errorf("sqlitestore: %s has %d bytes, which are not whole pages: %w", s.path, size, store.ErrCorrupt)
	case !openPage(page, 1):
		return fmt.Errorf("sqlitestore: %s: the first page does not have its checksum: %w", s.path, store.ErrCorrupt)
	}
	if pages := int64(binary.BigEndian.Uint32(page[28:])); pages*pageSize > size {
		return fmt.Errorf("sqlitestore: %s has %d bytes, but had %d pages of %d: %w", s.path, size, pages, pageSize, store.ErrCorrupt)
	}
	return nil
}
