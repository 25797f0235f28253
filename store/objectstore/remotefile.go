package objectstore

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
)

// chunkSize is how much of a file one request reads.
const chunkSize = 4 << 20

// remoteFile reads an object in place, in chunks, of which it keeps some and reads
// the next one ahead.
type remoteFile struct {
	ctx      context.Context
	cancel   context.CancelFunc
	bucket   *bucket
	name     string
	size     int64
	progress func(done, total int64) // may be nil

	mu     sync.Mutex
	read   int64    // bytes that were told of
	chunks []*chunk // the one used last in front
	work   sync.WaitGroup
}

// chunk is a part of a file.
type chunk struct {
	at   int64 // in chunks
	done chan struct{}
	data []byte
	err  error
	told bool
}

// keepChunks is how many are kept: one that is read, the next, and where the index is.
const keepChunks = 4

func newRemoteFile(ctx context.Context, b *bucket, name string, size int64) *remoteFile {
	f := &remoteFile{bucket: b, name: name, size: size}
	f.ctx, f.cancel = context.WithCancel(ctx)
	return f
}

// close ends what is being read ahead.
func (f *remoteFile) close() {
	f.cancel()
	f.work.Wait()
}

// Size returns how many bytes there are.
func (f *remoteFile) Size() int64 { return f.size }

// ReadAt implements io.ReaderAt.
func (f *remoteFile) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, fmt.Errorf("objectstore: %s: a negative place", f.name)
	}
	for n < len(p) && off < f.size {
		c := f.chunk(off / chunkSize)
		<-c.done
		if c.err != nil {
			f.drop(c)
			return n, c.err
		}
		f.tell(c)
		m := copy(p[n:], c.data[off%chunkSize:])
		n, off = n+m, off+int64(m)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// tell tells of a chunk that is used for the first time. Some are read twice: the
// index is at the end.
func (f *remoteFile) tell(c *chunk) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if c.told || f.progress == nil {
		return
	}
	c.told = true
	f.read = min(f.read+int64(len(c.data)), f.size)
	f.progress(f.read, f.size)
}

// drop forgets a chunk that could not be read, so that it is asked for again.
func (f *remoteFile) drop(failed *chunk) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.chunks = slices.DeleteFunc(f.chunks, func(c *chunk) bool { return c == failed })
}

// chunk returns a chunk, which may be being read. Who goes through a file finds the
// next one on its way.
func (f *remoteFile) chunk(at int64) *chunk {
	f.mu.Lock()
	defer f.mu.Unlock()
	if c := f.kept(at); c != nil {
		return c
	}
	if f.kept(at-1) != nil && (at+1)*chunkSize < f.size && f.kept(at+1) == nil {
		f.begin(at + 1)
	}
	return f.begin(at)
}

// kept returns a chunk that is kept, or nil.
func (f *remoteFile) kept(at int64) *chunk {
	for i, c := range f.chunks {
		if c.at == at {
			copy(f.chunks[1:], f.chunks[:i])
			f.chunks[0] = c
			return c
		}
	}
	return nil
}

// begin has a chunk read, and keeps it.
func (f *remoteFile) begin(at int64) *chunk {
	c := &chunk{at: at, done: make(chan struct{})}
	f.chunks = append([]*chunk{c}, f.chunks[:min(len(f.chunks), keepChunks-1)]...)
	f.work.Go(func() { f.fetch(c) })
	return c
}

// fetch reads a chunk.
func (f *remoteFile) fetch(c *chunk) {
	defer close(c.done)
	off := c.at * chunkSize
	c.data, c.err = f.bucket.getRange(f.ctx, f.name, off, min(chunkSize, f.size-off))
}
