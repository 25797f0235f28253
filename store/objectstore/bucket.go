package objectstore

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/kivisdb/kivis/store"
)

// bucket is where the objects are. Each method makes one request, but for what it
// says. A request is made once.
type bucket struct {
	core    *minio.Core
	place   *place
	timeout time.Duration
}

// bytesPerSecond is what a request may count on beyond its timeout.
const bytesPerSecond = 256 << 10

// allowed is how long a request may take that carries so many bytes.
func (b *bucket) allowed(size int64) time.Duration {
	return b.timeout + time.Duration(size)*time.Second/bytesPerSecond
}

// within bounds the time of a request that sends so many bytes.
func (b *bucket) within(ctx context.Context, size int64) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, b.allowed(size))
}

// get returns an object and its tag, or errMissing.
func (b *bucket) get(ctx context.Context, name string, most int64) (data []byte, tag string, err error) {
	return b.read(ctx, name, minio.GetObjectOptions{}, most)
}

// getRange returns n bytes of an object from off on.
func (b *bucket) getRange(ctx context.Context, name string, off, n int64) ([]byte, error) {
	var o minio.GetObjectOptions
	if err := o.SetRange(off, off+n-1); err != nil {
		return nil, err
	}
	data, _, err := b.read(ctx, name, o, n)
	if err == nil && int64(len(data)) != n {
		err = damaged(name, "it has %d bytes at %d, not %d", len(data), off, n)
	}
	return data, err
}

func (b *bucket) read(ctx context.Context, name string, o minio.GetObjectOptions, most int64) ([]byte, string, error) {
	timed, cancel := context.WithCancel(ctx)
	defer cancel()
	timer := time.AfterFunc(b.timeout, cancel)
	defer timer.Stop()
	body, info, _, err := b.core.GetObject(timed, b.place.bucket, b.place.prefix+name, o)
	if err != nil {
		return nil, "", outcome(ctx, name, err)
	}
	defer body.Close()
	if info.Size > most {
		return nil, "", damaged(name, "it has %d bytes, more than the %d that it may have", info.Size, most)
	}
	timer.Reset(b.allowed(info.Size))
	var buf bytes.Buffer
	if _, err := io.Copy(&buf, io.LimitReader(body, most+1)); err != nil {
		return nil, "", outcome(ctx, name, err)
	}
	if int64(buf.Len()) > most {
		return nil, "", damaged(name, "it has more than the %d bytes that it may have", most)
	}
	return buf.Bytes(), info.ETag, nil
}

// create makes an object, or returns errTaken where there is one of the name, or
// errBusy or errRefused, or errUnsure where it may have made it.
func (b *bucket) create(ctx context.Context, name string, data []byte) error {
	var o minio.PutObjectOptions
	o.SetMatchETagExcept("*")
	_, err := b.put(ctx, name, data, o)
	return err
}

// replace makes an object take the place of the one with a tag, or returns errTaken
// where that is not there, and else as create does.
func (b *bucket) replace(ctx context.Context, name string, data []byte, tag string) error {
	var o minio.PutObjectOptions
	o.SetMatchETag(tag)
	_, err := b.put(ctx, name, data, o)
	return err
}

func (b *bucket) put(ctx context.Context, name string, data []byte, o minio.PutObjectOptions) (tag string, err error) {
	ctx, cancel := b.within(ctx, int64(len(data)))
	defer cancel()
	o.ContentType, o.DisableContentSha256 = "application/octet-stream", true
	info, err := b.core.PutObject(ctx, b.place.bucket, b.place.prefix+name, bytes.NewReader(data), int64(len(data)), "", sum(data), o)
	return info.ETag, putOutcome(name, err)
}

// sum returns what a request is signed with for what it carries. Without it the client
// sends a body in chunks that are signed one by one, which not every server takes.
func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

// object is what a list says of one.
type object struct {
	name     string // without the prefix
	size     int64
	modified time.Time // by the bucket's clock
}

// listAtOnce is how many names one request lists at most.
const listAtOnce = 1000

// list returns the objects of a folder behind a name, in order, and whether there
// may be more.
func (b *bucket) list(ctx context.Context, folder, after string) (list []object, more bool, err error) {
	timed, cancel := b.within(ctx, 0)
	defer cancel()
	o := minio.ListObjectsOptions{Prefix: b.place.prefix + folder, Recursive: true, MaxKeys: listAtOnce}
	if after != "" {
		o.StartAfter = b.place.prefix + after
	}
	for info := range b.core.ListObjectsIter(timed, b.place.bucket, o) {
		if info.Err != nil {
			return nil, false, outcome(ctx, folder, info.Err)
		}
		name, ok := strings.CutPrefix(info.Key, b.place.prefix)
		if !ok {
			return nil, false, fmt.Errorf("objectstore: the bucket lists %.200q, which was not asked for", info.Key)
		}
		list = append(list, object{name, info.Size, info.LastModified})
		if len(list) == listAtOnce {
			return list, true, nil
		}
	}
	if err := timed.Err(); err != nil { // a list that was broken off looks like its end
		return nil, false, outcome(ctx, folder, err)
	}
	if !slices.IsSortedFunc(list, func(a, b object) int { return bytes.Compare([]byte(a.name), []byte(b.name)) }) {
		return nil, false, fmt.Errorf("objectstore: the bucket lists %s out of order", b.place.prefix+folder)
	}
	return list, false, nil
}

// remove deletes objects, of which some may not be there, with a request for each
// thousand.
func (b *bucket) remove(ctx context.Context, names []string) error {
	for some := range slices.Chunk(names, listAtOnce) {
		if err := b.removeSome(ctx, some); err != nil {
			return err
		}
	}
	return nil
}

func (b *bucket) removeSome(ctx context.Context, names []string) error {
	timed, cancel := b.within(ctx, 0)
	defer cancel()
	if len(names) == 1 {
		return outcome(ctx, names[0], b.core.RemoveObject(timed, b.place.bucket, b.place.prefix+names[0], minio.RemoveObjectOptions{}))
	}
	results, err := b.core.RemoveObjectsWithIter(timed, b.place.bucket, func(yield func(minio.ObjectInfo) bool) {
		for _, name := range names {
			if !yield(minio.ObjectInfo{Key: b.place.prefix + name}) {
				return
			}
		}
	}, minio.RemoveObjectsOptions{})
	if err != nil {
		return outcome(ctx, "deleting", err)
	}
	for r := range results {
		if r.Err != nil {
			err = r.Err
		}
	}
	return outcome(ctx, "deleting", err)
}

// damaged returns an error that matches store.ErrCorrupt.
func damaged(name, format string, args ...any) error {
	return fmt.Errorf("objectstore: %s: %s: %w", name, fmt.Sprintf(format, args...), store.ErrCorrupt)
}
