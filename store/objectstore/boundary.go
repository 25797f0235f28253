package objectstore

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"

	"github.com/kivisdb/kivis/store"
)

// first is the version of an empty store, of which there is no commit.
const first = 1

// boundary is the one object that changes: what the store is, up to where its log
// may be gone, and where to begin instead. It is raised, and only by who has read it.
type boundary struct {
	db         [16]byte // of this store alone
	version    uint64   // objects of the log up to here may have been deleted
	checkpoint point    // the newest; its version is 0 where there is none
	size       int64    // of the checkpoint
	tag        string   // by which it can be replaced; not stored
}

func (n *boundary) encode() []byte {
	b := append(beginSeal(nil, magicBoundary), n.db[:]...)
	b = binary.BigEndian.AppendUint64(b, n.version)
	b = n.checkpoint.append(b)
	return endSeal(binary.BigEndian.AppendUint64(b, uint64(n.size)))
}

func decodeBoundary(b []byte) (n boundary, err error) {
	body, err := unseal(boundaryName, magicBoundary, b)
	if err != nil {
		return n, err
	}
	f := fields{b: body}
	n = boundary{db: f.id(), version: f.uint64(), checkpoint: f.point(), size: int64(f.uint64())}
	if f.bad || len(f.b) > 0 || n.version < first || n.size < 0 || n.version > max(first, n.checkpoint.version) {
		return n, damaged(boundaryName, "it is malformed")
	}
	return n, nil
}

// maxBoundary is how many bytes the object may have.
const maxBoundary = 4096

// boundary reads the boundary, or returns errMissing.
func (b *bucket) boundary(ctx context.Context) (n boundary, err error) {
	data, tag, err := b.get(ctx, boundaryName, maxBoundary)
	if err != nil {
		return n, err
	}
	n, err = decodeBoundary(data)
	n.tag = tag
	return n, err
}

// establish returns the boundary, having made it where there is none.
func (b *bucket) establish(ctx context.Context, o *Options) (boundary, error) {
	n, err := b.boundary(ctx)
	switch {
	case !errors.Is(err, errMissing):
		return n, err
	case o.ReadOnly:
		return n, fmt.Errorf("objectstore: there is no store %v: %w: %w", b.place, fs.ErrNotExist, store.ErrReadOnly)
	case o.MustExist:
		return n, fmt.Errorf("objectstore: there is no store %v: %w", b.place, fs.ErrNotExist)
	}
	n = boundary{version: first}
	rand.Read(n.db[:])
	err = b.create(ctx, boundaryName, n.encode())
	if err != nil && !errors.Is(err, errTaken) && !errors.Is(err, errBusy) {
		return n, err
	}
	return b.boundary(ctx) // another's, it may be
}
