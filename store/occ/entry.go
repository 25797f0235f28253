package occ

import (
	"bytes"
	"encoding/binary"
)

// Entry is a key with its value, or with the mark that it was deleted, in one
// block of memory that never changes. It is a small value: copy it freely. The
// zero Entry is a deletion of the empty key and must not be stored.
//
// The first bytes of the key stand in the entry itself, so that most comparisons
// in a tree touch no other memory: see Graefe, Modern B-Tree Techniques, on
// poor man's normalized keys.
type Entry struct {
	head uint64 // headOf the key

	// The key. Its capacity is the value and one byte more, which is 1 where the
	// key is new, or nothing for a deletion.
	data []byte
}

// NewEntry returns an entry with copies of key and value, in one allocation.
func NewEntry(key, value []byte) Entry {
	data := make([]byte, len(key)+len(value)+1)
	copy(data[copy(data, key):], value)
	return Entry{headOf(key), data[:len(key)]}
}

// NewTombstone returns an entry that says key is deleted, with a copy of it.
func NewTombstone(key []byte) Entry {
	data := make([]byte, len(key))
	copy(data, key)
	return Pivot(data)
}

// Pivot returns an entry that aliases key: to search with, not to store.
func Pivot(key []byte) Entry { return Entry{headOf(key), key[:len(key):len(key)]} }

// headOf returns the first 8 bytes of key as a big-endian number, a shorter one
// continued with zeros. So heads that differ are ordered as their keys are.
func headOf(key []byte) uint64 {
	if len(key) >= 8 {
		return binary.BigEndian.Uint64(key)
	}
	head := uint64(0)
	for i, b := range key {
		head |= uint64(b) << (56 - 8*i)
	}
	return head
}

// Key returns the key, to be read only.
func (e Entry) Key() []byte { return e.data[:len(e.data):len(e.data)] }

// Value returns the value, to be read only and never nil, or nil for a
// deletion.
func (e Entry) Value() []byte {
	if e.Deleted() {
		return nil
	}
	n := cap(e.data) - 1
	return e.data[len(e.data):n:n]
}

// Deleted says whether the entry marks its key as deleted.
func (e Entry) Deleted() bool { return len(e.data) == cap(e.data) }

// Created says whether the entry's key was absent before the transaction that
// wrote it, as whoever wrote it knew.
func (e Entry) Created() bool { n := cap(e.data); return n > len(e.data) && e.data[:n][n-1] == 1 }

// create marks the key of an entry, which nobody else has yet, as new.
func (e Entry) create() { n := cap(e.data); e.data[:n][n-1] = 1 }

// as returns a copy of an entry that is no deletion, marked as new or not.
func (e Entry) as(created bool) Entry {
	e = NewEntry(e.Key(), e.Value())
	if created {
		e.create()
	}
	return e
}

// Size returns the number of bytes in key and value.
func (e Entry) Size() int { return max(cap(e.data)-1, len(e.data)) }

// Less orders entries by key.
func Less(a, b Entry) bool {
	if a.head != b.head {
		return a.head < b.head
	}
	return bytes.Compare(a.data, b.data) < 0
}

// equal says whether two entries have the same key.
func equal(a, b Entry) bool { return a.head == b.head && string(a.data) == string(b.data) }
