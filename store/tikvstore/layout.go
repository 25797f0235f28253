package tikvstore

import (
	"bytes"
	"encoding/binary"

	"github.com/kivisdb/kivis/store"
)

// What a store has in the cluster lies under a prefix of its own, and there in
// spaces. The head comes first: of what a commit writes the first key is the one
// that decides, and once that is done everybody sees the new head.
const (
	headSpace  = 1 // the newest version
	stateSpace = 2 // format and boundary
	logSpace   = 3 // version, part: what a commit did
	entrySpace = 4 // key: value
)

const (
	// maxKey is the longest key of an entry. TiKV takes 8,192 bytes (storage.max-key-size),
	// of which its own encoding uses up an eighth, and the prefix some.
	maxKey = 6 << 10

	// maxValue is the longest value: a change has to go into one entry of Raft's log,
	// which has 8 MiB (raftstore.raft-entry-max-size).
	maxValue = 6 << 20
)

// layout makes the keys of one store.
type layout struct{ prefix []byte }

func layoutOf(name string) layout { return layout{[]byte("kivis/" + name + "/")} }

// space returns the prefix of a space, with room for n bytes more.
func (l layout) space(space byte, n int) []byte {
	key := make([]byte, 0, len(l.prefix)+1+n)
	return append(append(key, l.prefix...), space)
}

func (l layout) head() []byte  { return l.space(headSpace, 0) }
func (l layout) state() []byte { return l.space(stateSpace, 0) }

// log returns the key of a part of the log of a version.
func (l layout) log(version uint64, part uint32) []byte {
	key := binary.BigEndian.AppendUint64(l.space(logSpace, 12), version)
	return binary.BigEndian.AppendUint32(key, part)
}

// entry returns where the value of a key is.
func (l layout) entry(key []byte) []byte { return append(l.space(entrySpace, len(key)), key...) }

// entries returns where the entries of a range are.
func (l layout) entries(r store.Range) (lo, hi []byte) {
	if r.Hi == nil {
		return l.entry(r.Lo), l.space(entrySpace+1, 0)
	}
	return l.entry(r.Lo), l.entry(r.Hi)
}

// key returns the key of an entry, as it is there.
func (l layout) key(at []byte) []byte { return at[len(l.prefix)+1:] }

// end returns the end of all that the store has.
func (l layout) end() []byte {
	end := bytes.Clone(l.prefix)
	end[len(end)-1]++
	return end
}

// TiKV has no empty values, so that each is kept with a byte before it.
const plain = 0

// sealed returns a value as it is kept.
func sealed(value []byte) []byte { return append([]byte{plain}, value...) }

// opened returns a value of what is kept; nil for nothing.
func opened(kept []byte) []byte {
	if len(kept) == 0 {
		return nil
	}
	return kept[1:len(kept):len(kept)]
}
