package objectstore

import (
	"bytes"
	"context"
	"encoding/binary"
	"maps"
	"slices"
	"time"
)

// lastCommits says of each writer, which is a store that was opened, which commit
// was its last one: a writer that stood still for so long that the log is gone
// learns from it what has become of its commit.
type lastCommits map[[16]byte]point

// forgetWriters is after what time without a commit a checkpoint forgets a writer.
const forgetWriters = 30 * 24 * time.Hour

// encode returns what goes with a checkpoint.
func (l lastCommits) encode(db [16]byte, at point) []byte {
	b := append(beginSeal(nil, magicWriters), db[:]...)
	b = binary.BigEndian.AppendUint64(b, at.version)
	for _, writer := range slices.SortedFunc(maps.Keys(l), func(a, b [16]byte) int { return bytes.Compare(a[:], b[:]) }) {
		if last := l[writer]; last.time >= at.time-int64(forgetWriters) {
			b = last.append(append(b, writer[:]...))
		}
	}
	return endSeal(b)
}

func decodeWriters(db [16]byte, version uint64, b []byte) (lastCommits, error) {
	name := nameOf(writersFolder, version)
	body, err := unseal(name, magicWriters, b)
	if err != nil {
		return nil, err
	}
	f := fields{b: body}
	of, v := f.id(), f.uint64()
	l := make(lastCommits)
	for !f.bad && len(f.b) > 0 {
		writer := f.id()
		l[writer] = f.point()
	}
	if f.bad || of != db || v != version {
		return nil, damaged(name, "it is malformed, or of another store")
	}
	return l, nil
}

// maxWriters is how many bytes the object may have.
const maxWriters = 1 << 30

// writers reads what goes with a checkpoint.
func (b *bucket) writers(ctx context.Context, db [16]byte, version uint64) (lastCommits, error) {
	name := nameOf(writersFolder, version)
	data, _, err := b.get(ctx, name, maxWriters)
	if err != nil {
		return nil, err
	}
	return decodeWriters(db, version, data)
}
