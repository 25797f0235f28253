// Package walfile reads logs of Pebble's and tells a log that a power failure has
// torn from one that is damaged. Pebble itself looks for traces of a damaged place
// in the following blocks of 32 KiB only, and takes some places for a log's end.
package walfile

import (
	"encoding/binary"
	"hash/crc32"
)

// A log is blocks of 32 KiB, each of chunks. A chunk is: its checksum (4 bytes),
// the length of its payload (2), its kind (1), the number of its log (4), and in
// the newer format up to which offset the log was synced when it was written (8).
// A chunk never crosses a block's end.
const (
	blockSize = 32 << 10

	headerSize     = 11 // without the offset
	syncHeaderSize = 19

	kindOld  = 5 // of 4 kinds: whole, first, middle, last
	kindSync = 9 // of the same 4, with the offset
	kinds    = 13
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// chunk is one that is whole.
type chunk struct {
	size   int
	synced uint64 // up to where; 0 where it does not say
}

// State is how a log ends.
type State uint8

const (
	// Closed: as Pebble ends a log.
	Closed State = iota
	// Torn: in the middle of what nobody was told is there.
	Torn
	// Damaged: a later chunk says that the log was synced beyond.
	Damaged
)

// End returns the offset of the first chunk that is not whole, and what that means.
func End(log []byte, number uint64) (end int, state State) {
	end, state = wholeUntil(log, uint32(number)), Torn
	if closedAt(log, end, uint32(number)) {
		state = Closed
	}
	for at := end + 1; at+syncHeaderSize <= len(log); at++ {
		if c, ok := chunkAt(log, at, uint32(number)); ok && c.synced > uint64(end) {
			return end, Damaged
		}
	}
	return end, state
}

// closedAt says whether the end of a log is marked at an offset: by the head of an
// empty chunk of the next log, without a checksum.
func closedAt(log []byte, at int, number uint32) bool {
	if at+headerSize > len(log) {
		return false
	}
	b := log[at : at+headerSize]
	return zero(b[:6]) && b[6] == kindOld && binary.LittleEndian.Uint32(b[7:]) == number+1
}

// wholeUntil returns the offset of the first chunk that is not whole.
func wholeUntil(log []byte, number uint32) int {
	at := 0
	for at < len(log) {
		c, ok := chunkAt(log, at, number)
		if ok {
			at += c.size
			continue
		}
		// The rest of a block that is too short for a chunk is zeros.
		next := (at/blockSize + 1) * blockSize
		if next > len(log) || next-at >= syncHeaderSize || !zero(log[at:next]) {
			return at
		}
		at = next
	}
	return at
}

// chunkAt returns the chunk at an offset, if a whole one of the log begins there.
func chunkAt(log []byte, at int, number uint32) (chunk, bool) {
	block := log[at:min(len(log), (at/blockSize+1)*blockSize)]
	if len(block) < headerSize || binary.LittleEndian.Uint32(block[7:]) != number {
		return chunk{}, false
	}
	c := chunk{size: headerSize + int(binary.LittleEndian.Uint16(block[4:]))}
	switch kind := block[6]; {
	case kind < kindOld || kind >= kinds:
		return chunk{}, false
	case kind >= kindSync:
		if c.size += syncHeaderSize - headerSize; c.size > len(block) {
			return chunk{}, false
		}
		c.synced = binary.LittleEndian.Uint64(block[headerSize:])
	}
	if c.size > len(block) || binary.LittleEndian.Uint32(block) != sum(block[6:c.size]) {
		return chunk{}, false
	}
	return c, true
}

// sum returns Pebble's checksum.
func sum(b []byte) uint32 {
	c := crc32.Checksum(b, castagnoli)
	return (c>>15 | c<<17) + 0xa282ead8
}

func zero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
