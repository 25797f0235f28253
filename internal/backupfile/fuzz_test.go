package backupfile

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/s2"

	"github.com/kivisdb/kivis/store"
)

// FuzzFile reads any bytes in every way; what Verify takes must be read without
// an error. The sums of the frames are made right first, so that what is behind
// them is met.
func FuzzFile(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{0, 3, 200} {
		data, info := write(f, Header{Version: 3}, nil, randomState(r, n))
		f.Add(data)
		data, _ = write(f, Header{Version: 4, Previous: info.Hash}, state{"a": "1"}, randomState(r, n))
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Open(bytes.NewReader(mend(data)))
		if err != nil {
			return
		}
		sound := file.Verify(context.Background(), nil) == nil
		c := &Chain{[]*File{file, file}}
		var keys [][]byte
		for _, reverse := range []bool{false, true} {
			cur := c.Scan(store.Range{Reverse: reverse})
			for cur.Next() {
				keys = append(keys, cur.Key())
			}
			if sound && cur.Err() != nil {
				t.Errorf("a scan of a sound file: %v", cur.Err())
			}
		}
		for _, key := range keys[:min(len(keys), 20)] {
			if _, err := c.Get(key); sound && err != nil {
				t.Errorf("Get in a sound file: %v", err)
			}
			if _, err := file.rank(key); sound && err != nil {
				t.Errorf("rank in a sound file: %v", err)
			}
		}
	})
}

// mend makes the checksums right, from the front, as far as frames follow each
// other, and those of the header and of the footer.
func mend(data []byte) []byte {
	data = bytes.Clone(data)
	if len(data) < headerSize+footerSize {
		return data
	}
	binary.BigEndian.PutUint32(data[headerSize-4:], crc32.Checksum(data[:headerSize-4], castagnoli))
	foot := data[len(data)-footerSize:]
	binary.BigEndian.PutUint64(foot[hashedTail-8:], uint64(len(data)))
	binary.BigEndian.PutUint32(foot[footerSize-12:], crc32.Checksum(foot[:footerSize-12], castagnoli))
	for rest := data[headerSize : len(data)-footerSize]; len(rest) >= frameHead; {
		n := frameHead + int(binary.BigEndian.Uint32(rest[5:]))
		if n > len(rest) {
			break
		}
		if raw, err := s2.DecodedLen(rest[frameHead:n]); err == nil {
			binary.BigEndian.PutUint32(rest[1:], uint32(raw))
		}
		binary.BigEndian.PutUint32(rest[9:], frameSum(rest[:n]))
		rest = rest[n:]
	}
	return data
}

// FuzzBlock reads any bytes as a data block and as an index block.
func FuzzBlock(f *testing.F) {
	var b blockBuilder
	b.add(entry{key: []byte("a"), value: []byte("1"), tag: tagWhole})
	b.add(entry{key: []byte("ab"), tag: tagDeleted})
	b.add(entry{key: []byte("abc"), value: []byte("2"), tag: tagFirst, total: 9})
	f.Add(b.raw)
	var l indexLevel
	l.add(0, child{key: []byte("a"), off: headerSize, size: 40, count: 3})
	l.add(0, child{key: []byte("ab"), off: headerSize + 40, size: 60, count: 5})
	f.Add(l.raw)
	f.Fuzz(func(t *testing.T, raw []byte) {
		if x, err := parseIndex(raw, 1, 1<<40); err == nil && len(x.children) == 0 {
			t.Error("an index block without children")
		}
		parsed, err := parseBlock(raw)
		if err != nil {
			return
		}
		var again blockBuilder
		for _, e := range parsed.entries {
			again.add(e)
		}
		twice, err := parseBlock(again.raw)
		if err != nil || len(twice.entries) != len(parsed.entries) {
			t.Errorf("a block that is written again: %d entries, %v; want %d", len(twice.entries), err, len(parsed.entries))
		}
	})
}
