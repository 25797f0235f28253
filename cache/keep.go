package cache

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// The bytes of a layer that outlives the process. Each value ends in a CRC-32C of
// the key and of what is before it, so that nothing damaged is served, whatever
// the local store checks by itself.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const sumSize = 4

// seal appends value and its checksum to dst.
func seal(dst, key, value []byte) []byte {
	sum := crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, value)
	return binary.BigEndian.AppendUint32(append(dst, value...), sum)
}

// unseal returns the value that was sealed under key.
func unseal(key, sealed []byte) ([]byte, error) {
	n := len(sealed) - sumSize
	if n < 0 || binary.BigEndian.Uint32(sealed[n:]) != crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, sealed[:n]) {
		return nil, fmt.Errorf("cache: %w: an entry of a layer has the wrong checksum", store.ErrCorrupt)
	}
	return sealed[:n:n], nil
}

// mark is what a layer that outlives the process says of itself: that it is one,
// and as of when it knows what it knows.
type mark struct {
	life     schema.Incarnation
	position uint64
	bytes    int64
	checked  int64 // when position was last known to be the newest, in nanoseconds of Unix time
}

// magic begins a mark; its last byte is the format.
const magic = "kivis layer\x01"

func (m *mark) encode() []byte {
	b := append([]byte(magic), m.life[:]...)
	b = binary.BigEndian.AppendUint64(b, m.position)
	b = binary.BigEndian.AppendUint64(b, uint64(m.bytes))
	b = binary.BigEndian.AppendUint64(b, uint64(m.checked))
	return seal(nil, markKey, b)
}

// decodeMark returns the mark, and whether it is one that this release can read.
func decodeMark(sealed []byte) (m mark, ok bool) {
	b, err := unseal(markKey, sealed)
	if err != nil || len(b) != len(magic)+len(m.life)+24 || string(b[:len(magic)]) != magic {
		return mark{}, false
	}
	b = b[len(magic):]
	b = b[copy(m.life[:], b):]
	m.position = binary.BigEndian.Uint64(b)
	m.bytes = int64(binary.BigEndian.Uint64(b[8:]))
	m.checked = int64(binary.BigEndian.Uint64(b[16:]))
	return m, true
}

// save writes what is to be known, and the mark, with what else a transaction of
// the local store changes.
func (l *layer) save(tx store.Tx, d *draft, bytes int64) error {
	if !l.keeps {
		return nil
	}
	for lo := range d.changes() {
		key := append(append([]byte(nil), intervalKey...), lo...)
		iv, ok := d.at([]byte(lo))
		var err error
		if ok && string(iv.lo.Key()) == lo {
			err = tx.Set(key, seal(nil, key, encodeEnd(iv.hi)))
		} else {
			err = tx.Delete(key)
		}
		if err != nil {
			return err
		}
	}
	m := mark{l.life, l.position.Load(), bytes, l.hist.checked.Load()}
	return tx.Set(markKey, m.encode())
}

// encodeEnd returns what is stored of the end of an interval.
func encodeEnd(hi []byte) []byte {
	if hi == nil {
		return []byte{0}
	}
	return append([]byte{1}, hi...)
}

func decodeEnd(b []byte) (hi []byte, ok bool) {
	switch {
	case len(b) == 1 && b[0] == 0:
		return nil, true
	case len(b) > 0 && b[0] == 1:
		return append([]byte{}, b[1:]...), true
	}
	return nil, false
}
