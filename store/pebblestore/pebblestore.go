package pebblestore

import (
	"context"
	"math/bits"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/occ"
)

var (
	_ store.Store        = (*Store)(nil)
	_ store.CommitHooker = (*Store)(nil)
	_ store.Sizer        = (*Store)(nil)
	_ store.Verifier     = (*Store)(nil)
	_ store.Verified     = (*Store)(nil)
	_ occ.LogEngine      = engine{}
	_ occ.LogReader      = (*reader)(nil)
	_ store.Counter      = (*reader)(nil)
)

// Store is an open directory. Its methods are safe for concurrent use.
type Store struct {
	occ.Store

	dir  string
	opts Options
	fs   vfs.FS
	lock dirLock
	core occ.Core

	db       *pebble.DB
	pebbleFS *guardFS
	guard    *guard
	logger   *logger
	collapse *collapse

	current *snapshot             // of the newest version; under the core's lock
	damage  atomic.Pointer[error] // the first that was found
	closing atomic.Bool
	open    context.Context // ends at Close
	shut    context.CancelFunc
	working sync.RWMutex // held for reading by what Close has to wait for

	queue    occ.Queue // its leader owns what follows
	wrote    bool      // since it was opened
	failed   error     // why commits are refused for good
	room     int       // in the group that is being made
	admitted []*occ.Member
	key      []byte
	space    spaceCheck
	applier  *applier
}

// Open opens the store in a directory, and creates both if need be. The parent
// directories of dir must be durable already. It returns [store.ErrInUse] where
// the directory is held, [ErrForeign] where it holds something else, and
// [store.ErrCorrupt] where its files are damaged. A store whose process was killed
// needs no repair.
func Open(dir string, opts *Options) (*Store, error) {
	return openIn(vfs.Default, dir, opts)
}

// openIn is Open in a file system.
func openIn(fs vfs.FS, dir string, opts *Options) (*Store, error) {
	if err := checkPlatform(bits.UintSize); err != nil {
		return nil, err
	}
	o, err := opts.validate()
	if err != nil {
		return nil, err
	}
	s := &Store{dir: dir, opts: o, fs: fs}
	s.Store = occ.NewStore(&s.core)
	s.logger, s.collapse = &logger{s: s, to: o.Logger}, newCollapse(s)
	s.open, s.shut = context.WithCancel(context.Background())
	version, err := s.openEngine()
	if err != nil {
		return nil, err
	}
	if err := s.start(version); err != nil {
		s.within(s.closeEngine)
		s.lock.release()
		return nil, err
	}
	return s, nil
}

// start makes the open engine a store.
func (s *Store) start(version uint64) (err error) {
	s.queue.Lead, s.queue.Fits, s.queue.Aborted = s.commitGroup, s.fits, errAborted
	s.space = spaceCheck{fs: s.fs, dir: s.dir, reserve: uint64(4 * s.opts.memtable())}
	if s.current, err = s.newSnapshot(); err != nil {
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

// using begins a call that is none of a transaction's, so that Close waits for
// done, or returns why the store cannot be used.
func (s *Store) using() (done func(), err error) {
	tx, err := s.core.Begin(context.Background(), false)
	if err != nil {
		return nil, err
	}
	return tx.Discard, nil
}

// Size implements [store.Sizer]: the bytes of all files.
func (s *Store) Size() (size int64, err error) {
	done, err := s.using()
	if err != nil {
		return 0, err
	}
	defer done()
	defer s.caught(&err)
	return int64(s.db.Metrics().DiskSpaceUsage()), nil
}
