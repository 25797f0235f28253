package cache

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/memstore"
	"github.com/kivisdb/kivis/store/occ"
)

var (
	_ store.Store  = (*Store)(nil)
	_ store.Getter = (*Store)(nil)
	_ occ.Engine   = (*engine)(nil)
)

// Store is an origin behind layers: a [store.Store] that answers as the origin
// does.
type Store struct {
	origin   store.Store
	feeder   store.Feeder
	embedded bool
	layers   []*layer // from the nearest
	kept     int      // how many bytes of a scan they keep at a time
	options  Options

	core    occ.Core
	engine  engine
	hist    history
	current atomic.Pointer[view] // the newest version that the layers have followed to
	rounds  rounds
	stash   stash
	finds   finds
	idler   idler
	unhook  func()

	// following is held by whoever has the layers follow the origin: a lock
	// that one can stop waiting for.
	following chan struct{}
	life      schema.Incarnation // under following
	doubt     atomic.Bool        // the origin has failed: it may be another when it is back
	newest    atomic.Uint64      // the origin's version, when it was last asked
	reads     atomic.Int64       // of the origin

	open    context.Context // ends at Close
	shut    context.CancelFunc
	workers sync.WaitGroup

	follower sync.Once // starts followOn
	watches  bool      // the origin is no store.Watcher, so the core has the watches

	gone    atomic.Bool // Close was called
	closing sync.Mutex
	closed  bool
}

// engine is what the core of a Store works on.
type engine struct{ *Store }

// New returns origin behind layers, given from the nearest to the farthest. The
// origin must be a [store.Feeder]. The store owns the origin, and the stores that
// the layers are made of: Close closes them.
func New(origin store.Store, options *Options, layers ...Layer) (*Store, error) {
	s := &Store{origin: origin, following: make(chan struct{}, 1)}
	s.open, s.shut = context.WithCancel(context.Background())
	if options != nil {
		s.options = *options
	}
	if err := s.options.check(); err != nil {
		return nil, err
	}
	feeder, ok := origin.(store.Feeder)
	if !ok {
		return nil, fmt.Errorf("cache: the origin is a %T, which is no store.Feeder: it cannot say what others have written", origin)
	}
	s.feeder, s.embedded = feeder, store.IsEmbedded(origin)
	for i, l := range layers {
		made, err := l.make(&s.hist)
		if err != nil {
			return nil, fmt.Errorf("cache: layer %d, %s: %w", i+1, l.name, err)
		}
		s.layers = append(s.layers, made)
	}
	s.kept = keptSize(s.layers)
	return s, s.start()
}

// Stack is [New] without options.
func Stack(origin store.Store, layers ...Layer) (*Store, error) {
	return New(origin, nil, layers...)
}

// start begins to follow the origin.
func (s *Store) start() error {
	s.engine.Store = s
	if hooker, ok := s.origin.(store.CommitHooker); ok && s.embedded {
		s.unhook = hooker.OnCommit(s.stash.put)
	}
	_, watcher := s.origin.(store.Watcher)
	s.watches = !watcher
	tx, err := s.origin.Begin(context.Background(), false)
	switch {
	case errors.Is(err, store.ErrUnreachable):
		return s.startOffline(err)
	case err != nil:
		return err
	}
	if err := s.keepFeed(); err != nil {
		tx.Discard()
		return err
	}
	if s.life, err = incarnationOf(tx); err != nil {
		tx.Discard()
		return err
	}
	readOnly, err := s.readOnly()
	if err != nil {
		tx.Discard()
		return err
	}
	s.hist.init(tx.Version())
	s.hist.checked.Store(time.Now().UnixNano())
	if err := s.catchUp(tx); err != nil {
		tx.Discard()
		return err
	}
	s.core.Init(&s.engine, tx.Version(), s.limits(readOnly))
	s.current.Store(newView(s, tx))
	s.idler.begin(s)
	s.work()
	return nil
}

// keepFeed has the origin keep its feed for layers that outlive the process, if it
// can be told to.
func (s *Store) keepFeed() error {
	keeper := store.FeedKeeperOf(s.origin)
	if keeper == nil || s.options.Feed == nil && !s.outlives() {
		return nil
	}
	feed := s.options.Feed
	if feed == nil {
		feed = &store.Feed{}
	}
	err := keeper.KeepFeed(context.Background(), feed)
	if errors.Is(err, store.ErrReadOnly) {
		return nil
	}
	return err
}

// outlives says whether a layer outlives the process.
func (s *Store) outlives() bool {
	return slices.ContainsFunc(s.layers, func(l *layer) bool { return l.keeps })
}

// limits returns the origin's limits.
func (s *Store) limits(readOnly bool) occ.Options {
	o := occ.Options{ReadOnly: readOnly}
	if l, ok := s.origin.(store.Limiter); ok {
		o.MaxKey, o.Limit = l.Limits()
	}
	return o
}

// readOnly says whether the origin takes no write transactions.
func (s *Store) readOnly() (bool, error) {
	tx, err := s.origin.Begin(context.Background(), true)
	if err == nil {
		tx.Discard()
		return false, nil
	}
	if errors.Is(err, store.ErrReadOnly) {
		return true, nil
	}
	return false, err
}

// incarnationOf returns the incarnation of the database that tx sees, zero where
// there is none.
func incarnationOf(tx store.Tx) (schema.Incarnation, error) {
	b, err := tx.Get(incarnationKey)
	if errors.Is(err, store.ErrNotFound) {
		return schema.Incarnation{}, nil
	}
	if err != nil {
		return schema.Incarnation{}, err
	}
	life, err := schema.DecodeIncarnation(b)
	if err != nil {
		// Whoever opens the database is told; to tell one from another, the
		// bytes will do.
		copy(life[:], b)
	}
	return life, nil
}

// Self implements [store.Getter].
func (s *Store) Self() store.Store { return s }

// Begin implements [store.Store]. It asks the origin for its newest version, and
// has the layers follow to it.
func (s *Store) Begin(ctx context.Context, write bool) (store.Tx, error) {
	for {
		err := s.fresh(ctx, write)
		if err != nil && !s.mayBeOffline(ctx, write, err) {
			return nil, err
		}
		tx, err := s.core.Begin(ctx, write)
		if err == nil {
			return tx, nil
		}
		if err != errUnpinned {
			return nil, err
		}
	}
}

// errUnpinned: the newest view has no transaction of the origin any more.
var errUnpinned = errors.New("cache: unpinned")

// Snapshot implements [occ.Engine].
func (e *engine) Snapshot(uint64) (occ.Reader, error) {
	v := e.current.Load()
	if !v.usable() {
		return nil, errUnpinned
	}
	v.refs.Add(1)
	r := readers.Get().(*reader)
	r.s, r.v = e.Store, v
	return r, nil
}

// fresh returns once the newest view is at least as new as the origin was when it
// was called, or, for reads, at most so much older as options allow.
func (s *Store) fresh(ctx context.Context, write bool) error {
	if s.gone.Load() {
		return store.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	began := int64(0)
	if !s.embedded || s.options.Lag > 0 {
		began = time.Now().UnixNano()
		if !write && s.options.Lag > 0 && began-s.hist.checked.Load() <= int64(s.options.Lag) && s.current.Load().pinned() {
			return nil
		}
	}
	before := s.current.Load().as.version
	head, err := s.head(ctx)
	if err != nil {
		return s.away(ctx, err)
	}
	if head < before {
		s.doubt.Store(true) // the origin has gone back: it is another
	}
	if !s.isAt(head) {
		if err := s.follow(ctx, head); err != nil {
			return s.away(ctx, err)
		}
	}
	if began != 0 {
		s.newest.Store(head)
		s.hist.checked.Store(began)
	}
	return nil
}

// away notes that the origin has failed: when it is back it may be another.
func (s *Store) away(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		s.doubt.Store(true)
	}
	return s.failure(err)
}

// isAt says whether the newest view is at least as new as head.
func (s *Store) isAt(head uint64) bool {
	v := s.current.Load()
	return v.as.version >= head && v.pinned() && !s.doubt.Load()
}

// usable returns why a call must be refused.
func (s *Store) usable(ctx context.Context) error {
	_, err := s.core.Head(ctx)
	return err
}

// failure returns what to say of an error of the origin's: that the store is
// closed, if it is.
func (s *Store) failure(err error) error {
	if err == nil {
		return nil
	}
	if closed := s.usable(context.Background()); closed != nil {
		return closed
	}
	return err
}

// head returns the origin's newest version.
func (s *Store) head(ctx context.Context) (uint64, error) {
	if s.embedded {
		return s.feeder.Head(ctx)
	}
	return s.rounds.head(ctx, s.feeder)
}

// Get implements [store.Getter].
func (s *Store) Get(ctx context.Context, key []byte) ([]byte, error) {
	if err := s.fresh(ctx, false); err != nil && !s.mayBeOffline(ctx, false, err) {
		return nil, err
	}
	switch value, a := s.nearest(key, s.current.Load().as); a {
	case present:
		return value, nil
	case absent:
		return nil, store.ErrNotFound
	}
	tx, err := s.Begin(ctx, false)
	if err != nil {
		return nil, err
	}
	defer tx.Discard()
	return tx.Get(key)
}

// Close implements [store.Store]. It closes the layers' stores, and the origin.
func (s *Store) Close() error {
	s.closing.Lock()
	defer s.closing.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	s.gone.Store(true)
	s.shut()
	s.core.Close()
	s.workers.Wait()
	if s.unhook != nil {
		s.unhook()
	}
	s.following <- struct{}{} // for ever: nobody follows any more
	s.idler.end()
	v := s.current.Load()
	s.current.Store(unpinned(s, v.as.version))
	v.release()
	var errs []error
	for _, l := range s.layers {
		errs = append(errs, l.close())
	}
	return errors.Join(append(errs, s.origin.Close())...)
}

// Memory returns a layer in memory that holds up to so many bytes, and forgets
// what is not asked for.
func Memory(bytes int64) Layer {
	return Layer{name: "memory", max: bytes, bounded: true, open: func() store.Store { return memstore.New() }}
}

// Persistent returns a layer in st that holds up to so many bytes, through
// restarts, and forgets what is not asked for. It is the layer's alone: st must be
// empty, or have been a layer before.
func Persistent(st store.Store, bytes int64) Layer {
	return Layer{name: "persistent", max: bytes, bounded: true, keeps: true, open: func() store.Store { return st }}
}

// Archive returns a layer in st that copies everything, in the background, and
// forgets nothing. It is the layer's alone: st must be empty, or have been a layer
// before. What was copied before a restart is not copied again.
func Archive(st store.Store) Layer {
	return Layer{name: "archive", keeps: true, archive: true, open: func() store.Store { return st }}
}
