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

	// The key. Its capacity is one byte of marks and the value, or nothing for a
	// deletion. The marks stand where who scans looks anyway: behind the value they
	// would be in memory of their own, often.
	data []byte
}

// The marks of an entry, which its writer sets.
const (
	markCreated = 1 << iota // the key is new
	markSealed              // whoever reads the value need not check it: see [store.Sealer]
)

// NewEntry returns an entry with copies of key and value, in one allocation.
func NewEntry(key, value []byte) Entry {
	data := make([]byte, len(key)+len(value)+1)
	copy(data, key)
	copy(data[len(key)+1:], value)
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
	n := cap(e.data)
	return e.data[len(e.data)+1 : n : n]
}

// Deleted says whether the entry marks its key as deleted.
func (e Entry) Deleted() bool { return len(e.data) == cap(e.data) }

// Created says whether the entry's key was absent before the transaction that
// wrote it, as whoever wrote it knew.
func (e Entry) Created() bool { return e.marks()&markCreated != 0 }

// Sealed says whether the entry was written by SetSealed of a [Tx].
func (e Entry) Sealed() bool { return e.marks()&markSealed != 0 }

func (e Entry) marks() byte {
	if e.Deleted() {
		return 0
	}
	return e.data[:len(e.data)+1][len(e.data)]
}

// create marks the key of an entry, which nobody else has yet, as new.
func (e Entry) create() { e.mark(markCreated) }

// mark adds marks to an entry, which nobody else has yet.
func (e Entry) mark(marks byte) { e.data[:len(e.data)+1][len(e.data)] |= marks }

// as returns a copy of an entry that is no deletion, marked as new or not.
func (e Entry) as(created bool) Entry {
	was := e
	e = NewEntry(e.Key(), e.Value())
	e.mark(was.marks() &^ markCreated)
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
