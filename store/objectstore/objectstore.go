package objectstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/memstore"
	"github.com/kivisdb/kivis/store/remote"
)

var (
	_ store.Store    = (*Store)(nil)
	_ store.Getter   = (*Store)(nil)
	_ store.Feeder   = (*Store)(nil)
	_ store.Watcher  = (*Store)(nil)
	_ store.Sharer   = (*Store)(nil)
	_ store.Sizer    = (*Store)(nil)
	_ store.Verifier = (*Store)(nil)
)

// Store is a [store.Store] in a bucket.
type Store struct {
	*remote.Store
	backend *backend
}

// Open opens the store at a URL, s3://BUCKET/PREFIX, and makes it if it is not
// there; the bucket must be. Settings of the URL are endpoint, of the server, with
// http:// before it if it is without TLS, else Amazon's; region; and style, which is
// path or host, for where requests have the bucket's name, if a server does not
// take what is usual for it.
//
// It reads what the local store does not have yet: a checkpoint, and the log behind
// it. With a context of [store.Offline], a bucket that cannot be reached, and a local
// store that has followed it, it opens what is here.
func Open(ctx context.Context, url string, o *Options) (*Store, error) {
	s, err := openStore(ctx, url, o)
	if err != nil && o != nil && o.State != nil {
		err = errors.Join(err, o.State.Close())
	}
	return s, err
}

func openStore(ctx context.Context, url string, o *Options) (*Store, error) {
	opts, err := o.filled()
	if err != nil {
		return nil, err
	}
	p, err := placeOf(url)
	if err != nil {
		return nil, err
	}
	bk, err := p.connect(&opts)
	if err != nil {
		return nil, err
	}
	if opts.State == nil {
		opts.State = memstore.New()
	}
	b, err := newBackend(bk, opts)
	if err != nil {
		return nil, err
	}
	if err := b.begin(ctx); err != nil {
		b.stop()
		return nil, fmt.Errorf("objectstore: opening %v: %w", p, err)
	}
	s, err := remote.OpenLocal(ctx, b, opts.remote())
	if err != nil {
		b.stop()
		return nil, err
	}
	if !opts.ReadOnly {
		b.collecting()
	}
	return &Store{s, b}, nil
}

func newBackend(bk *bucket, opts Options) (*backend, error) {
	b := &backend{bucket: bk, opts: opts, following: make(chan struct{}, 1), full: make(chan struct{}, 1), start: time.Now()}
	var err error
	if b.state, err = openState(opts.State); err != nil {
		return nil, err
	}
	rand.Read(b.writer[:])
	b.ctx, b.cancel = context.WithCancel(context.Background())
	return b, nil
}

// begin has the state be that of the bucket now.
func (b *backend) begin(ctx context.Context) error {
	var at boundary
	err := b.patiently(ctx, func() (err error) {
		if at, err = b.find(ctx); err == nil {
			err = b.beginAt(ctx, at)
		}
		return err
	})
	if !errors.Is(err, store.ErrUnreachable) || !store.IsOffline(ctx) {
		return err
	}
	here, ok := b.state.position()
	if !ok || at.db != b.state.db && at.db != [16]byte{} {
		return err
	}
	b.db = b.state.db
	b.window.restart(here, point{})
	return nil
}

// patiently calls f again while the bucket cannot be reached, as long as there is
// patience.
func (b *backend) patiently(ctx context.Context, f func() error) error {
	until := time.Now().Add(b.opts.Patience)
	for wait := firstWait; ; wait = min(2*wait, lastWait) {
		err := f()
		if errors.Is(err, errUnsure) {
			err = fmt.Errorf("%w: %w", store.ErrUnreachable, err)
		}
		if !errors.Is(err, store.ErrUnreachable) || time.Now().Add(wait).After(until) || !sleep(ctx, wait) {
			return err
		}
	}
}

// How long is waited between attempts.
const (
	firstWait = 10 * time.Millisecond
	lastWait  = 500 * time.Millisecond
)

// find returns what the bucket has, having tried it.
func (b *backend) find(ctx context.Context) (at boundary, err error) {
	if !b.opts.ReadOnly {
		if err := b.bucket.probe(ctx); err != nil {
			return at, err
		}
	}
	return b.bucket.establish(ctx, &b.opts)
}

// beginAt has the state begin where it is, if that is in the log, or at a checkpoint.
func (b *backend) beginAt(ctx context.Context, at boundary) error {
	b.db = at.db
	here := b.state.cur.point // torn or not: the log mends it
	switch {
	case b.state.db == at.db && here.version >= at.version && here.version >= first:
	case at.checkpoint.version > 0:
		return b.beginAnew(ctx)
	default:
		if err := b.state.clear(b.state.cur.gen); err != nil {
			return err
		}
		if err := b.state.begin(at.db); err != nil {
			return err
		}
		here = b.state.cur.point
	}
	b.window.restart(here, point{})
	if err := b.lock(ctx); err != nil {
		return err
	}
	err := b.catchUp(ctx)
	b.unlock()
	b.noteCheckpoint(at)
	if errors.Is(err, store.ErrGap) {
		return b.beginAnew(ctx)
	}
	return err
}

// beginAnew has the state begin at a checkpoint.
func (b *backend) beginAnew(ctx context.Context) error {
	b.state.mu.Lock()
	b.state.db = b.db
	b.state.mu.Unlock()
	if err := b.load(ctx, b.opts.Progress); err != nil {
		return err
	}
	b.state.mu.Lock()
	defer b.state.mu.Unlock()
	return b.state.adopt()
}

// Self implements [store.Getter].
func (s *Store) Self() store.Store { return s }

// Size implements [store.Sizer]: the bytes of all objects in the bucket.
func (s *Store) Size() (int64, error) {
	size := int64(0)
	err := s.backend.bucket.walk(context.Background(), func(list []object) error {
		for _, o := range list {
			size += o.size
		}
		return nil
	})
	return size, err
}

// Verify implements [store.Verifier]: it reads the newest checkpoint and the log
// behind the boundary.
func (s *Store) Verify(ctx context.Context) error { return s.backend.verify(ctx) }

// Age returns how long ago the newest version that is here was surely the newest of
// all: when that was last seen, or, where it has not been since Open, when it was
// committed, by the clock of who did.
func (s *Store) Age() time.Duration {
	if fresh := s.backend.fresh.Load(); fresh > 0 {
		return time.Since(s.backend.start) - time.Duration(fresh)
	}
	return max(0, time.Since(time.Unix(0, s.backend.window.newest().time)))
}

// Drop deletes the store at a URL, with all that its place in the bucket holds.
// Nobody may have it open. There is no error where there is none.
func Drop(ctx context.Context, url string, o *Options) error {
	opts, err := o.filled()
	if err != nil {
		return err
	}
	p, err := placeOf(url)
	if err != nil {
		return err
	}
	b, err := p.connect(&opts)
	if err != nil {
		return err
	}
	return b.walk(ctx, func(list []object) error {
		names := make([]string, len(list))
		for i, o := range list {
			names[i] = o.name
		}
		return b.remove(ctx, names)
	})
}

// walk calls f for all objects of a store, some at a time, the boundary last.
func (b *bucket) walk(ctx context.Context, f func(list []object) error) error {
	for _, folder := range []string{logFolder, checkpointFolder, writersFolder, probeFolder, boundaryName} {
		after := ""
		for more := true; more; {
			var list []object
			var err error
			if list, more, err = b.list(ctx, folder, after); err != nil {
				return err
			}
			if len(list) == 0 {
				break
			}
			if err := f(list); err != nil {
				return err
			}
			after = list[len(list)-1].name
		}
	}
	return nil
}
