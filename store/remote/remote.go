package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/occ"
)

var (
	_ store.Store   = (*Store)(nil)
	_ store.Getter  = (*Store)(nil)
	_ store.Feeder  = (*Store)(nil)
	_ store.Watcher = (*Store)(nil)
	_ store.Sharer  = (*Store)(nil)
	_ occ.Engine    = (*Store)(nil)
)

// Store is a [store.Store] over a [Backend], or over a [Local].
type Store struct {
	log     Log
	backend Backend // nil over a Local
	copies  Reads   // what read-only transactions read: the backend, or its replicas
	local   Local   // nil over a Backend
	opts    Options
	core    occ.Core
	queue   occ.Queue
	puller  puller
	room    int // in the group that is being made

	// publishing is held by whoever makes a version the newest, or asks the core
	// for conflicts: it is then the core's committer. No request is made under it.
	publishing sync.Mutex

	fresh  atomic.Int64 // when the newest version known was surely the newest of all, since start
	start  time.Time
	follow sync.Once // starts the follower

	ctx     context.Context // ends when the store has been closed
	cancel  context.CancelFunc
	closing chan struct{} // closed by Close, at first
	once    sync.Once
	down    atomic.Bool // the engine could not be reached when it was last tried

	working sync.Mutex     // for work, and ended
	work    sync.WaitGroup // what goes on in the background
	ended   bool           // nothing is begun any more
}

// Open returns a store over b. It makes one request.
func Open(ctx context.Context, b Backend, o *Options) (*Store, error) {
	s := &Store{log: b, backend: b, copies: b}
	if r, ok := b.(Replicated); ok {
		s.copies = r.Replicas()
	}
	return open(ctx, s, o)
}

// OpenLocal returns a store over l, of which it asks the head.
func OpenLocal(ctx context.Context, l Local, o *Options) (*Store, error) {
	return open(ctx, &Store{log: l, local: l}, o)
}

func open(ctx context.Context, s *Store, o *Options) (*Store, error) {
	opts, err := o.filled()
	if err != nil {
		return nil, err
	}
	s.opts, s.start, s.closing = opts, time.Now(), make(chan struct{})
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.queue.Lead, s.queue.Fits, s.queue.Aborted = s.commitGroup, s.fits, errAborted
	var head uint64
	err = s.try(ctx, func(ctx context.Context) (err error) {
		head, err = s.log.Head(ctx)
		return err
	})
	if err != nil {
		s.cancel()
		return nil, fmt.Errorf("remote: opening: %w", err)
	}
	s.core.Init(s, head, occ.Options{ReadOnly: opts.ReadOnly, MaxKey: opts.MaxKey, Limit: s.opts.limit})
	s.published(head)
	return s, nil
}

// Begin implements [store.Store]. It learns the newest version.
func (s *Store) Begin(ctx context.Context, write bool) (store.Tx, error) {
	if write || !s.lately() {
		if _, err := s.core.Head(ctx); err != nil {
			return nil, err
		}
		if err := s.pull(ctx); err != nil && !s.suffices(ctx, write, err) {
			return nil, err
		}
	}
	tx, err := s.core.Begin(ctx, write)
	if err != nil {
		return nil, err
	}
	return tx, nil
}

// lately says whether the newest version known may be shown unasked.
func (s *Store) lately() bool {
	at := s.fresh.Load()
	return s.opts.Lag > 0 && at > 0 && int64(time.Since(s.start))-at <= int64(s.opts.Lag)
}

// suffices says whether what is here will do, since the engine cannot be reached
// and nothing is to be written: all of it is here, and was asked for.
func (s *Store) suffices(ctx context.Context, write bool, err error) bool {
	return s.local != nil && !write && store.IsOffline(ctx) && errors.Is(err, store.ErrUnreachable)
}

// Snapshot implements [occ.Engine].
func (s *Store) Snapshot(version uint64) (occ.Reader, error) {
	if s.local != nil {
		return s.local.Snapshot(version)
	}
	return &reader{s: s, from: s.copies, version: version, ctx: s.ctx}, nil
}

// Get implements [store.Getter], in one request.
func (s *Store) Get(ctx context.Context, key []byte) ([]byte, error) {
	if s.local != nil {
		return s.getLocal(ctx, key)
	}
	if _, err := s.core.Head(ctx); err != nil {
		return nil, err
	}
	r := reader{s: s, from: s.backend, version: Newest, ctx: ctx}
	return r.Get(key)
}

// getLocal is Get where the entries are here.
func (s *Store) getLocal(ctx context.Context, key []byte) ([]byte, error) {
	tx, err := s.Begin(ctx, false)
	if err != nil {
		return nil, err
	}
	defer tx.Discard()
	return tx.Get(key)
}

// Self implements [store.Getter].
func (s *Store) Self() store.Store { return s }

// Shared implements [store.Sharer].
func (s *Store) Shared() bool { return true }

// Close implements [store.Store]. Requests under way end, and are not tried again.
func (s *Store) Close() error {
	s.once.Do(func() { close(s.closing) })
	if !s.core.Close() {
		return nil
	}
	s.cancel()
	s.working.Lock()
	s.ended = true
	s.working.Unlock()
	s.work.Wait()
	if c, ok := s.log.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// background has f run in a goroutine that Close waits for, or returns false
// where it is too late.
func (s *Store) background(f func()) bool {
	s.working.Lock()
	defer s.working.Unlock()
	if !s.ended {
		s.work.Go(f)
	}
	return !s.ended
}

// isClosing says whether Close has been called.
func (s *Store) isClosing() bool {
	select {
	case <-s.closing:
		return true
	default:
		return false
	}
}

// errAborted is what members of a group get should its leader panic.
var errAborted = fmt.Errorf("remote: the commit of another transaction in the same group panicked: %w", store.ErrCommitUnknown)

// errMoved is why a backend is not what it was.
var errMoved = errors.New("remote: the engine has gone back to an older version")
