package objectstore

import (
	"bytes"
	"encoding/binary"
	"time"

	"github.com/klauspost/compress/s2"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/remote"
)

// commit is an object of the log.
type commit struct {
	point
	previous [16]byte // the id of the commit before; of the first one, the store's
	writer   [16]byte
	changes  []remote.Change
	size     int64 // of the object
}

// point is a version, and what is to be known of the commit that made it.
type point struct {
	version uint64
	id      [16]byte
	time    int64 // Unix, in nanoseconds
}

// What is done to a key.
const (
	doSet = iota
	doDelete
	doCreate
)

// maxRaw bounds the changes of a commit before they are compressed, by the longest
// transaction, and maxObject an object of the log.
const (
	maxRaw    = maxTx + 1<<20
	maxObject = maxRaw + maxRaw/8
)

// encode returns the object.
func (c *commit) encode(db [16]byte) []byte {
	raw := binary.AppendUvarint(nil, uint64(len(c.changes)))
	for i := range c.changes {
		raw = appendChange(raw, &c.changes[i])
	}
	b := beginSeal(make([]byte, 0, 128+s2.MaxEncodedLen(len(raw))), magicCommit)
	b = append(b, db[:]...)
	b = c.point.append(b)
	b = append(append(b, c.previous[:]...), c.writer[:]...)
	b = append(b, s2.Encode(nil, raw)...)
	return endSeal(b)
}

func (p *point) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(b, p.version)
	b = append(b, p.id[:]...)
	return binary.BigEndian.AppendUint64(b, uint64(p.time))
}

func (f *fields) point() point {
	return point{version: f.uint64(), id: f.id(), time: int64(f.uint64())}
}

func appendChange(b []byte, c *remote.Change) []byte {
	do := byte(doSet)
	switch {
	case c.Value == nil:
		do = doDelete
	case c.Created:
		do = doCreate
	}
	b = binary.AppendUvarint(append(b, do), uint64(len(c.Key)))
	b = append(b, c.Key...)
	if do != doDelete {
		b = binary.AppendUvarint(b, uint64(len(c.Value)))
		b = append(b, c.Value...)
	}
	return b
}

// decodeCommit reads the object of a version. What it returns aliases nothing that
// changes.
func decodeCommit(db [16]byte, version uint64, b []byte) (*commit, error) {
	name := nameOf(logFolder, version)
	body, err := unseal(name, magicCommit, b)
	if err != nil {
		return nil, err
	}
	f := fields{b: body}
	c := &commit{size: int64(len(b))}
	of := f.id()
	c.point, c.previous, c.writer = f.point(), f.id(), f.id()
	switch {
	case f.bad:
		return nil, damaged(name, "it is too short")
	case of != db:
		return nil, damaged(name, "it is of another store")
	case c.version != version:
		return nil, damaged(name, "it is of version %d", c.version)
	}
	if n, err := s2.DecodedLen(f.b); err != nil || n > maxRaw {
		return nil, damaged(name, "its changes cannot be decompressed")
	}
	raw, err := s2.Decode(nil, f.b)
	if err != nil || !c.decodeChanges(raw) {
		return nil, damaged(name, "its changes are malformed")
	}
	return c, nil
}

func (c *commit) decodeChanges(raw []byte) bool {
	f := fields{b: raw}
	n := f.uvarint()
	if n > uint64(len(raw)) {
		return false
	}
	c.changes = make([]remote.Change, 0, n)
	for i := range n {
		var change remote.Change
		do := f.byte()
		change.Key = f.take(f.uvarint())
		if do != doDelete {
			change.Value, change.Created = f.take(f.uvarint()), do == doCreate
		}
		if f.bad || do > doCreate || i > 0 && bytes.Compare(c.changes[i-1].Key, change.Key) >= 0 {
			return false
		}
		c.changes = append(c.changes, change)
	}
	return len(f.b) == 0
}

// memory is about how many bytes the commit takes.
func (c *commit) memory() int64 {
	n := int64(0)
	for i := range c.changes {
		n += int64(len(c.changes[i].Key) + len(c.changes[i].Value) + 64)
	}
	return n
}

// told returns the commit as the feed tells it.
func (c *commit) told() store.Commit {
	t := store.Commit{Version: c.version, Time: time.Unix(0, c.time), Writes: make([]store.Write, len(c.changes))}
	for i := range c.changes {
		change := &c.changes[i]
		t.Writes[i] = store.Write{Key: change.Key, Deleted: change.Value == nil, Created: change.Created}
	}
	return t
}

// wrote says whether the commit has written anything in ranges, which ascend.
func (c *commit) wrote(ranges []store.Range) bool {
	i := 0
	for _, r := range ranges {
		for i < len(c.changes) && bytes.Compare(c.changes[i].Key, r.Lo) < 0 {
			i++
		}
		if i < len(c.changes) && (r.Hi == nil || bytes.Compare(c.changes[i].Key, r.Hi) < 0) {
			return true
		}
	}
	return false
}
