package boltfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

var errFound = errors.New("found")

// Sequence returns the sequence number of a bucket. It checks nothing but what it
// comes by, and needs all buckets to be in one page.
func Sequence(f io.ReaderAt, m Meta, bucket []byte) (sequence uint64, err error) {
	data := make([]byte, m.PageSize)
	if _, err := f.ReadAt(data, int64(m.Root)*int64(m.PageSize)); err != nil {
		return 0, fmt.Errorf("page %d: %w", m.Root, err)
	}
	root := parseHeader(data)
	if root.id != m.Root || root.flags != flagLeaf {
		return 0, damaged("page %d is not the root", m.Root)
	}
	_, err = root.elems(func(e elem) error {
		if !bytes.Equal(e.key, bucket) || len(e.value) < bucketHeader {
			return nil
		}
		sequence = order.Uint64(e.value[8:])
		return errFound
	})
	switch {
	case err == nil:
		return 0, fmt.Errorf("it has no bucket %q: %w", bucket, ErrForeign)
	case !errors.Is(err, errFound):
		return 0, err
	}
	return sequence, nil
}
