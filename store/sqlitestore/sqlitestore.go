package sqlitestore

import (
	"context"
	"math/bits"
	"os"
	"sync"
	"sync/atomic"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/occ"
)

var (
	_ store.Store        = (*Store)(nil)
	_ store.CommitHooker = (*Store)(nil)
	_ store.Sizer        = (*Store)(nil)
	_ store.Verifier     = (*Store)(nil)
	_ store.Limiter      = (*Store)(nil)
	_ store.Embedded     = (*Store)(nil)
	_ occ.LogEngine      = engine{}
	_ occ.LogReader      = (*reader)(nil)
	_ store.Counter      = (*reader)(nil)
)

// Store is an open file. Its methods are safe for concurrent use.
type Store struct {
	occ.Store

	path string // of the file, behind links
	opts Options
	fs   *fileSystem
	file *os.File // holds the lock
	was  os.FileInfo
	core occ.Core

	index os.FileInfo // of the file that SQLite's connections share

	current *snapshot             // of the newest version; under the core's lock
	olds    atomic.Int64          // snapshots of other versions that have users
	damage  atomic.Pointer[error] // the first that was found
	open    context.Context       // ends at Close
	shut    context.CancelFunc

	pool    sync.Mutex
	pooled  []*conn // that read nothing
	drained bool    // none is kept any more

	queue    occ.Queue // its leader owns what follows
	writer   *conn
	unclosed bool  // the store, its log included, says that it is open
	marked   bool  // so does the file without the log
	failed   error // why commits are refused for good
	log      logFile
	room     int // in the group that is being made
	admitted []*occ.Member
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
	s := &Store{path: path, opts: o, fs: newFileSystem()}
	s.Store = occ.NewStore(&s.core)
	s.open, s.shut = context.WithCancel(context.Background())
	version, err := s.openEngine()
	if err == nil {
		err = s.start(version)
	}
	if err != nil {
		s.closeEngine()
		return nil, err
	}
	return s, nil
}

// maxKey is the longest user key.
const maxKey = 1 << 16

// start makes the open engine a store.
func (s *Store) start(version uint64) error {
	s.queue.Lead, s.queue.Fits, s.queue.Aborted = s.commitGroup, s.fits, errAborted
	s.current = s.newSnapshot(version)
	s.core.Init(engine{s}, version, occ.Options{
		ReadOnly: s.opts.ReadOnly,
		MaxKey:   maxKey,
		Limit:    limitOf(s.opts.MaxTx),
	})
	err := s.core.OpenLog()
	if err != nil {
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

// Size implements [store.Sizer]: the bytes of the file, free pages included, and
// of its log.
func (s *Store) Size() (int64, error) {
	if err := s.usable(); err != nil {
		return 0, err
	}
	info, err := s.file.Stat()
	if err != nil {
		return 0, fileFault(err)
	}
	size := info.Size()
	if info, err := os.Stat(s.path + logSuffix); err == nil {
		size += info.Size()
	}
	return size, nil
}
