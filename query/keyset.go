package query

import (
	"bytes"
	"hash/maphash"
	"slices"
)

// A keySet is a set of primary keys, held as they are.
type keySet struct {
	bytes []byte
	ends  []uint32 // where each key ends in bytes
	slots []uint32 // by hash, with linear probing: the key's number plus one
	seed  maphash.Seed
}

// minSlots is how many slots a set begins with. There are always at least twice
// as many as keys.
const minSlots = 64

// len returns how many keys there are.
func (s *keySet) len() int { return len(s.ends) }

// size is about how many bytes the set takes.
func (s *keySet) size() int { return len(s.bytes) + 4*len(s.ends) + 4*len(s.slots) }

// key returns the i-th key in the order in which they came.
func (s *keySet) key(i int) []byte {
	from := uint32(0)
	if i > 0 {
		from = s.ends[i-1]
	}
	return s.bytes[from:s.ends[i]]
}

// add adds a key, which may be there already.
func (s *keySet) add(key []byte) {
	if 2*len(s.ends) >= len(s.slots) {
		s.grow()
	}
	i, found := s.find(key)
	if found {
		return
	}
	s.bytes = append(s.bytes, key...)
	s.ends = append(s.ends, uint32(len(s.bytes)))
	s.slots[i] = uint32(len(s.ends))
}

// has reports whether the key is in the set.
func (s *keySet) has(key []byte) bool {
	if len(s.ends) == 0 {
		return false
	}
	_, found := s.find(key)
	return found
}

// find returns the slot of a key, or the one where it would be.
func (s *keySet) find(key []byte) (slot int, found bool) {
	mask := len(s.slots) - 1
	for i := int(maphash.Bytes(s.seed, key)) & mask; ; i = (i + 1) & mask {
		switch n := s.slots[i]; {
		case n == 0:
			return i, false
		case bytes.Equal(s.key(int(n)-1), key):
			return i, true
		}
	}
}

// grow doubles the slots.
func (s *keySet) grow() {
	if s.slots == nil {
		s.seed = maphash.MakeSeed()
	}
	s.slots = make([]uint32, max(minSlots, 2*len(s.slots)))
	for i := range s.ends {
		slot, _ := s.find(s.key(i))
		s.slots[slot] = uint32(i + 1)
	}
}

// sorted returns the numbers of the keys in their order, or the reverse of it.
func (s *keySet) sorted(reverse bool) []uint32 {
	order := make([]uint32, len(s.ends))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(i, j uint32) int { return bytes.Compare(s.key(int(i)), s.key(int(j))) })
	if reverse {
		slices.Reverse(order)
	}
	return order
}

// A keyScan gives the keys of a set.
type keyScan struct {
	keys  *keySet
	order []uint32
	i     int
}

func (k *keyScan) next(it *item) bool {
	if k.i == len(k.order) {
		return false
	}
	*it = item{key: k.keys.key(int(k.order[k.i]))}
	k.i++
	return true
}

func (k *keyScan) close() {}
