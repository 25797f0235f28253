package backupfile

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/klauspost/compress/s2"
)

// frameHead is kind, length of the block, length of its compressed form, and
// the checksum of these and of the compressed form.
const frameHead = 1 + 4 + 4 + 4

// maxPacked is the longest that a block is in its compressed form.
var maxPacked = s2.MaxEncodedLen(maxRaw)

// appendFrame appends a block as a frame.
func appendFrame(dst []byte, kind byte, raw []byte) []byte {
	start := len(dst)
	need := frameHead + s2.MaxEncodedLen(len(raw))
	if cap(dst)-start < need {
		dst = append(make([]byte, 0, start+need), dst...)
	}
	dst = dst[:start+frameHead]
	packed := s2.Encode(dst[start+frameHead:cap(dst)], raw)
	dst = dst[:start+frameHead+len(packed)]
	head := dst[start:]
	head[0] = kind
	binary.BigEndian.PutUint32(head[1:], uint32(len(raw)))
	binary.BigEndian.PutUint32(head[5:], uint32(len(packed)))
	binary.BigEndian.PutUint32(head[9:], frameSum(head))
	return dst
}

// frameSum returns the checksum of a frame.
func frameSum(frame []byte) uint32 {
	sum := crc32.Update(0, castagnoli, frame[:9])
	return crc32.Update(sum, castagnoli, frame[frameHead:])
}

// packedSize returns how long the compressed form is of the frame that has this
// head, which stands at off.
func packedSize(head []byte, off int64) (int, error) {
	raw, packed := binary.BigEndian.Uint32(head[1:]), binary.BigEndian.Uint32(head[5:])
	if raw > maxRaw || int64(packed) > int64(maxPacked) {
		return 0, damaged(off, fmt.Sprintf("a block of %d bytes, %d compressed", raw, packed))
	}
	return int(packed), nil
}

// openFrame checks the frame, which stands at off, and returns its block.
func openFrame(frame []byte, kind byte, off int64) ([]byte, error) {
	if len(frame) < frameHead || frame[0] != kind {
		return nil, damaged(off, fmt.Sprintf("no block of kind %d", kind))
	}
	packed, err := packedSize(frame, off)
	switch {
	case err != nil:
		return nil, err
	case packed != len(frame)-frameHead:
		return nil, damaged(off, "the block's length is another")
	case frameSum(frame) != binary.BigEndian.Uint32(frame[9:]):
		return nil, damaged(off, "the block's checksum is another")
	}
	want := int(binary.BigEndian.Uint32(frame[1:]))
	if n, err := s2.DecodedLen(frame[frameHead:]); err != nil || n != want {
		return nil, damaged(off, "the block's length is another")
	}
	raw, err := s2.Decode(make([]byte, want), frame[frameHead:])
	if err != nil {
		return nil, damaged(off, "the block cannot be decompressed: "+err.Error())
	}
	return raw, nil
}
