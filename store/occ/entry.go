package occ

import "bytes"

// Entry is a key with its value, or with the mark that it was deleted, in one
// block of memory that never changes. It is a small value: copy it freely. The
// zero Entry has an empty key and must not be stored.
type Entry struct {
	data    []byte // the key, then the value
	klen    uint32
	deleted bool
}

// NewEntry returns an entry with copies of key and value, in one allocation.
func NewEntry(key, value []byte) Entry {
	data := make([]byte, len(key)+len(value))
	copy(data[copy(data, key):], value)
	return Entry{data: data, klen: uint32(len(key))}
}

// NewTombstone returns an entry that says key is deleted, with a copy of it.
func NewTombstone(key []byte) Entry {
	data := make([]byte, len(key))
	copy(data, key)
	return Entry{data: data, klen: uint32(len(key)), deleted: true}
}

// Pivot returns an entry that aliases key: to search with, not to store.
func Pivot(key []byte) Entry { return Entry{data: key, klen: uint32(len(key))} }

// Key returns the key, to be read only.
func (e Entry) Key() []byte { return e.data[:e.klen:e.klen] }

// Value returns the value, to be read only and never nil, or nil for a
// deletion.
func (e Entry) Value() []byte {
	if e.deleted {
		return nil
	}
	return e.data[e.klen:len(e.data):len(e.data)]
}

// Deleted says whether the entry marks its key as deleted.
func (e Entry) Deleted() bool { return e.deleted }

// Size returns the number of bytes in key and value.
func (e Entry) Size() int { return len(e.data) }

// Less orders entries by key.
func Less(a, b Entry) bool {
	return bytes.Compare(a.data[:a.klen], b.data[:b.klen]) < 0
}
