package backupfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"sort"
)

// How an entry goes on after its key: its tag is the length of what follows,
// times 4, plus one of these.
const (
	tagDeleted = 0 // the key is gone; the length is 0
	tagWhole   = 1 // a value
	tagFirst   = 2 // the length of the value, then its first piece; the last entry of its block
	tagMore    = 3 // another piece of the value before; the first entry of its block
)

// entry is an entry of a data block.
type entry struct {
	key   []byte
	value []byte // or a piece of it
	tag   byte
	total uint64 // the length of the value, for tagFirst
}

// blockBuilder makes data blocks. Keys are cut by what they share with the key
// before.
type blockBuilder struct {
	raw      []byte
	last     []byte
	keyBytes int
	entries  int // that begin in the block
}

// add appends an entry.
func (b *blockBuilder) add(e entry) {
	shared := 0
	if len(b.raw) > 0 {
		shared = sharedPrefix(b.last, e.key)
	}
	b.raw = binary.AppendUvarint(b.raw, uint64(shared))
	b.raw = binary.AppendUvarint(b.raw, uint64(len(e.key)-shared))
	b.raw = binary.AppendUvarint(b.raw, uint64(len(e.value))<<2|uint64(e.tag))
	if e.tag == tagFirst {
		b.raw = binary.AppendUvarint(b.raw, e.total)
	}
	b.raw = append(b.raw, e.key[shared:]...)
	b.raw = append(b.raw, e.value...)
	b.last = append(b.last[:0], e.key...)
	b.keyBytes += len(e.key)
	if e.tag != tagMore {
		b.entries++
	}
}

// full reports whether the block is complete.
func (b *blockBuilder) full() bool { return len(b.raw) >= blockSize || b.keyBytes >= maxKeyBytes }

// reset begins a new block, in the memory of raw.
func (b *blockBuilder) reset(raw []byte) { b.raw, b.keyBytes, b.entries = raw[:0], 0, 0 }

func sharedPrefix(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// block is a data block as it is read.
type block struct {
	entries  []entry
	keyBytes int
}

var errBlock = errors.New("the block's entries make no sense")

// parseBlock reads a data block, whose memory it keeps.
func parseBlock(raw []byte) (*block, error) {
	b := &block{entries: make([]entry, 0, countEntries(raw))}
	r := rawReader{rest: raw}
	for len(r.rest) > 0 {
		e, ok := r.entry()
		if !ok || !b.follows(&e) {
			return nil, errBlock
		}
		b.entries = append(b.entries, e)
	}
	if len(b.entries) == 0 {
		return nil, errBlock
	}
	b.keyBytes = r.keyBytes
	return b, nil
}

// countEntries returns how many entries a data block has, as far as they make
// sense.
func countEntries(raw []byte) (n int) {
	r := rawReader{rest: raw}
	for len(r.rest) > 0 {
		_, ok1 := r.uvarint(maxKey)
		unshared, ok2 := r.uvarint(maxKey)
		tag, ok3 := r.uvarint(maxRaw << 2)
		if ok3 && tag&3 == tagFirst {
			_, ok3 = r.uvarint(maxValue)
		}
		if _, ok := r.take(unshared + tag>>2); !ok || !ok1 || !ok2 || !ok3 {
			break
		}
		n++
	}
	return n
}

// follows reports whether e may come next.
func (b *block) follows(e *entry) bool {
	if len(b.entries) == 0 {
		return true
	}
	last := &b.entries[len(b.entries)-1]
	return e.tag != tagMore && last.tag != tagFirst && bytes.Compare(last.key, e.key) < 0
}

// own returns the place of the first entry that begins in the block.
func (b *block) own() int {
	if b.entries[0].tag == tagMore {
		return 1
	}
	return 0
}

// last returns the last key.
func (b *block) last() []byte { return b.entries[len(b.entries)-1].key }

// find returns the place of the first entry that begins in the block and whose
// key is at or behind key.
func (b *block) find(key []byte) int {
	own := b.own()
	return own + sort.Search(len(b.entries)-own, func(i int) bool {
		return bytes.Compare(b.entries[own+i].key, key) >= 0
	})
}

// rawReader reads the bytes of a block. Its keys are pieces of arenas, so that
// there are few of them.
type rawReader struct {
	rest     []byte
	last     []byte
	arena    []byte
	keyBytes int
}

// uvarint reads a number up to most.
func (r *rawReader) uvarint(most uint64) (int, bool) {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 || v > most {
		return 0, false
	}
	r.rest = r.rest[n:]
	return int(v), true
}

// take reads n bytes.
func (r *rawReader) take(n int) ([]byte, bool) {
	if n > len(r.rest) {
		return nil, false
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b, true
}

// lengths reads what a key shares with the one before, and how much follows.
func (r *rawReader) lengths() (shared, unshared int, ok bool) {
	if shared, ok = r.uvarint(uint64(len(r.last))); !ok {
		return 0, 0, false
	}
	unshared, ok = r.uvarint(maxKey)
	return shared, unshared, ok
}

// key reads the rest of a key and returns all of it.
func (r *rawReader) key(shared, unshared int) ([]byte, bool) {
	suffix, ok := r.take(unshared)
	n := shared + unshared
	r.keyBytes += n
	if !ok || n > maxKey || r.keyBytes > maxKeyBytes+maxKey {
		return nil, false
	}
	if cap(r.arena)-len(r.arena) < n {
		r.arena = make([]byte, 0, max(n, min(2*len(r.rest), 16<<10)))
	}
	start := len(r.arena)
	r.arena = append(append(r.arena, r.last[:shared]...), suffix...)
	r.last = r.arena[start:len(r.arena):len(r.arena)]
	return r.last, true
}

// entry reads an entry of a data block.
func (r *rawReader) entry() (e entry, ok bool) {
	shared, unshared, ok := r.lengths()
	if !ok {
		return e, false
	}
	tag, ok := r.uvarint(maxRaw << 2)
	if !ok {
		return e, false
	}
	e.tag = byte(tag & 3)
	n := tag >> 2
	if e.tag == tagFirst {
		total, ok := r.uvarint(maxValue)
		if !ok || total <= n {
			return e, false
		}
		e.total = uint64(total)
	}
	if e.tag == tagDeleted && n > 0 || e.tag >= tagFirst && n == 0 {
		return e, false
	}
	if e.key, ok = r.key(shared, unshared); !ok {
		return e, false
	}
	e.value, ok = r.take(n)
	return e, ok
}
