package boltfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

var errFound = errors.New("found")

// Find returns the value of a key in a bucket that is small enough to be in the
// page of buckets. It checks nothing but what it comes by.
func Find(f io.ReaderAt, m Meta, bucket, key []byte) (value []byte, err error) {
	data := make([]byte, m.PageSize)
	if _, err := f.ReadAt(data, int64(m.Root)*int64(m.PageSize)); err != nil {
		return nil, fmt.Errorf("page %d: %w", m.Root, err)
	}
	root := parseHeader(data)
	if root.id != m.Root || root.flags != flagLeaf {
		return nil, damaged("page %d is not the root", m.Root)
	}
	in, err := root.find(bucket)
	if err != nil {
		return nil, err
	}
	if len(in) < bucketHeader+pageHeader || order.Uint64(in) != 0 {
		return nil, damaged("bucket %q is not small", bucket)
	}
	return parseHeader(in[bucketHeader:]).find(key)
}

// find returns the value of a key in a leaf.
func (p page) find(key []byte) (value []byte, err error) {
	_, err = p.elems(func(e elem) error {
		if !bytes.Equal(e.key, key) {
			return nil
		}
		value = e.value
		return errFound
	})
	if err == nil {
		return nil, fmt.Errorf("it has no %q: %w", key, ErrForeign)
	}
	if !errors.Is(err, errFound) {
		return nil, err
	}
	return value, nil
}
