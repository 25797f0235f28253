package objectstore

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/kivisdb/kivis/store"
)

// upload makes an object of what is written to it: in one request, or in parts where
// it is long. It is there once close has returned.
type upload struct {
	ctx    context.Context
	bucket *bucket
	name   string
	buf    bytes.Buffer
	part   int    // bytes
	id     string // of the parts' upload; empty before the first one
	parts  []minio.CompletePart
}

const (
	leastPart = 8 << 20
	fewParts  = 4000 // of what an object is expected to have; there may be 10,000
	attempts  = 4    // of a request that may simply be made again
	pause     = 100 * time.Millisecond
)

// newUpload returns one of an object that has about so many bytes, or fewer.
func newUpload(ctx context.Context, b *bucket, name string, size int64) *upload {
	return &upload{ctx: ctx, bucket: b, name: name, part: int(max(leastPart, min(size/fewParts, 1<<30)))}
}

// Write implements io.Writer.
func (u *upload) Write(p []byte) (n int, err error) {
	u.buf.Write(p)
	for u.buf.Len() > u.part {
		if err := u.send(u.buf.Next(u.part)); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// send makes a part of data.
func (u *upload) send(data []byte) error {
	b := u.bucket
	if u.id == "" {
		err := u.again(0, func(ctx context.Context) (err error) {
			u.id, err = b.core.NewMultipartUpload(ctx, b.place.bucket, b.place.prefix+u.name, minio.PutObjectOptions{})
			return err
		})
		if err != nil {
			return err
		}
	}
	n := len(u.parts) + 1
	return u.again(int64(len(data)), func(ctx context.Context) error {
		p, err := b.core.PutObjectPart(ctx, b.place.bucket, b.place.prefix+u.name, u.id, n, bytes.NewReader(data), int64(len(data)), minio.PutObjectPartOptions{Sha256Hex: sum(data), DisableContentSha256: true})
		if err == nil {
			u.parts = append(u.parts, minio.CompletePart{PartNumber: n, ETag: p.ETag})
		}
		return err
	})
}

// again makes a request of the same outcome however often it is made, until it
// succeeds.
func (u *upload) again(size int64, request func(ctx context.Context) error) (err error) {
	for i := range attempts {
		ctx, cancel := u.bucket.within(u.ctx, size)
		err = outcome(u.ctx, u.name, request(ctx))
		cancel()
		if !errors.Is(err, store.ErrUnreachable) || i == attempts-1 || !sleep(u.ctx, pause<<i) {
			break
		}
	}
	return err
}

// close makes the object.
func (u *upload) close() error {
	if u.id == "" {
		return u.again(int64(u.buf.Len()), func(ctx context.Context) error {
			_, err := u.bucket.put(ctx, u.name, u.buf.Bytes(), minio.PutObjectOptions{})
			return err
		})
	}
	if err := u.send(u.buf.Bytes()); err != nil {
		return err
	}
	b := u.bucket
	err := u.again(0, func(ctx context.Context) error {
		_, err := b.core.CompleteMultipartUpload(ctx, b.place.bucket, b.place.prefix+u.name, u.id, u.parts, minio.PutObjectOptions{})
		return err
	})
	if err == nil {
		u.id = ""
	}
	return err
}

// abort drops the parts of an object that was not made.
func (u *upload) abort() {
	if u.id == "" {
		return
	}
	ctx, cancel := u.bucket.within(context.WithoutCancel(u.ctx), 0)
	defer cancel()
	// What cannot be dropped now the bucket's own rules may drop later.
	_ = u.bucket.core.AbortMultipartUpload(ctx, u.bucket.place.bucket, u.bucket.place.prefix+u.name, u.id)
}
