package boltstore

import (
	"context"
	"math/bits"
	"os"
	"sync/atomic"

	bolt "go.etcd.io/bbolt"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/occ"
)

var (
	_ store.Store        = (*Store)(nil)
	_ store.CommitHooker = (*Store)(nil)
	_ store.Sizer        = (*Store)(nil)
	_ store.Verifier     = (*Store)(nil)
	_ occ.LogEngine      = engine{}
	_ occ.LogReader      = (*reader)(nil)
	_ store.Counter      = (*reader)(nil)
)

// Store is an open file. Its methods are safe for concurrent use.
type Store struct {
	occ.Store

	path string
	opts Options
	file *os.File // bbolt's own: it closes it
	was  os.FileInfo
	db   *bolt.DB
	core occ.Core

	current *snapshot             // of the newest version; under the core's lock
	damage  atomic.Pointer[error] // the first that was found
	open    context.Context       // ends at Close
	shut    context.CancelFunc

	queue    occ.Queue // its leader owns what follows
	oneMeta  bool      // the other meta page is damaged
	marked   bool      // the file says that it is open
	failed   error     // why commits are refused for good
	room     int       // in the group that is being made
	admitted []*occ.Member
	arena    []byte // values on their way to the engine
	key      []byte
}

// Open opens the store in a file, and creates the file if need be; its directory
// must be there. It returns [store.ErrInUse] where the file is held, [ErrForeign]
// where it holds something else, and [store.ErrCorrupt] where it is damaged. A
// store whose process was killed needs no repair.
func Open(path string, opts *Options) (*Store, error) {
	if err := checkPlatform(bits.UintSize); err != nil {
		return nil, err
	}
	o, err := opts.validate()
	if err != nil {
		return nil, err
	}
	s := &Store{path: path, opts: o}
	s.Store = occ.NewStore(&s.core)
	s.open, s.shut = context.WithCancel(context.Background())
	version, err := s.openEngine()
	if err != nil {
		return nil, err
	}
	if err := s.start(version); err != nil {
		s.closeEngine()
		return nil, err
	}
	return s, nil
}

// start makes the open engine a store.
func (s *Store) start(version uint64) (err error) {
	s.queue.Lead, s.queue.Fits, s.queue.Aborted = s.commitGroup, s.fits, errAborted
	if err := s.mend(version); err != nil {
		return err
	}
	if s.current, err = s.newSnapshot(version); err != nil {
		return err
	}
	s.core.Init(engine{s}, version, occ.Options{
		ReadOnly: s.opts.ReadOnly,
		MaxKey:   maxKey,
		Limit:    limitOf(s.opts.MaxTx),
	})
	if err = s.core.OpenLog(); err != nil {
		s.current.release()
	}
	return err
}

// Begin implements [store.Store].
func (s *Store) Begin(ctx context.Context, write bool) (store.Tx, error) {
	tx, err := s.core.Begin(ctx, write)
	if err != nil {
		return nil, err
	}
	return tx, nil
}

// engine is the store as the core sees it.
type engine struct{ s *Store }

// Snapshot implements occ.Engine.
func (e engine) Snapshot(uint64) (occ.Reader, error) { return e.s.current.reader(), nil }

// Commit implements occ.Engine.
func (e engine) Commit(tx *occ.Tx) (uint64, error) { return e.s.queue.Commit(tx) }

// OnCommit implements [store.CommitHooker].
func (s *Store) OnCommit(hook func(version uint64, changes []store.Change)) (remove func()) {
	return s.core.Hooks.Add(hook)
}

// usable returns why the store cannot be used, if it cannot.
func (s *Store) usable() error {
	tx, err := s.core.Begin(context.Background(), false)
	if err != nil {
		return err
	}
	tx.Discard()
	return nil
}

// Size implements [store.Sizer]: the bytes of the file's pages, free ones
// included.
func (s *Store) Size() (int64, error) {
	if err := s.usable(); err != nil {
		return 0, err
	}
	snap, err := s.newSnapshot(0)
	if err != nil {
		return 0, err
	}
	defer snap.release()
	return snap.tx.Size(), nil
}
