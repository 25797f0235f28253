package badgerstore

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/dgraph-io/badger/v4"

	"github.com/kivisdb/kivis/store"
)

// Values above maxInline are cut into chunks, which are entries of their own,
// and a head in their place. Badger would put them into its value log, where a
// failed sync or a damaged value goes unnoticed, and which needs a collection
// of garbage that has resurrected deleted keys before.
//
// The heads stand in an index too, which is read at opening: writes must know
// which of their keys have chunks to delete, and must not look up every key.
const (
	chunkSize = maxInline
	metaBlob  = 1 // the user meta byte of a head
)

// head says where a blob is.
type head struct {
	id   blobID
	size int
}

func (h head) chunks() int { return (h.size + chunkSize - 1) / chunkSize }

func (h head) append(dst []byte) []byte {
	return binary.AppendUvarint(append(dst, h.id[:]...), uint64(h.size))
}

func parseHead(b []byte) (head, error) {
	var h head
	size, n := binary.Uvarint(b[min(len(h.id), len(b)):])
	if n <= 0 || len(h.id)+n != len(b) || size > 1<<40 {
		return h, fmt.Errorf("badgerstore: head of a big value is %x: %w", b, store.ErrCorrupt)
	}
	copy(h.id[:], b)
	h.size = int(size)
	return h, nil
}

// blob returns the value that a head stands for, in memory of its own.
func (r *reader) blob(b []byte) ([]byte, error) {
	h, err := parseHead(b)
	if err != nil {
		return nil, err
	}
	first, last := appendChunkKey(nil, h.id, 0), appendChunkKey(nil, h.id, max(h.chunks(), 1)-1)
	if err := r.s.checkKeys(first, last); err != nil {
		return nil, err
	}
	var value []byte
	// An iterator has the pieces in the same memory, one after the other.
	it := r.txn.NewIterator(badger.IteratorOptions{Prefix: first[:1+len(h.id)]})
	defer it.Close()
	it.Rewind()
	for i := range h.chunks() {
		if !it.Valid() || !bytes.Equal(it.Item().Key(), appendChunkKey(last[:0], h.id, i)) {
			return nil, fmt.Errorf("badgerstore: piece %d of a value of %d bytes is missing: %w", i, h.size, store.ErrCorrupt)
		}
		if value == nil {
			value = make([]byte, 0, h.size) // there is something, so the size can be believed
		}
		if err := it.Item().Value(func(p []byte) error { value = append(value, p...); return nil }); err != nil {
			return nil, wrapEngine("get", err)
		}
		it.Next()
	}
	if len(value) != h.size {
		return nil, fmt.Errorf("badgerstore: value of %d bytes has pieces of %d: %w", h.size, len(value), store.ErrCorrupt)
	}
	return value, nil
}

// loadBlobs reads the index of big values.
func (s *Store) loadBlobs() error {
	s.blobs = make(map[string]head)
	prefix := []byte{spaceIndex}
	if err := s.checkKeys(prefix, []byte{spaceIndex + 1}); err != nil {
		return err
	}
	it := s.current.txn.NewIterator(badger.IteratorOptions{Prefix: prefix})
	defer it.Close()
	for it.Rewind(); it.Valid(); it.Next() {
		item := it.Item()
		value, err := item.ValueCopy(nil)
		if err != nil {
			return wrapEngine("reading the index of big values", err)
		}
		h, err := parseHead(value)
		if err != nil {
			return err
		}
		s.blobs[string(bytes.TrimPrefix(item.Key(), prefix))] = h
	}
	return nil
}
