// Package badgerstore keeps a store in a directory, by means of Badger.
//
// A store is durable unless [Options].NoSync is set: what Commit has returned
// for survives the end of the process and of the machine. Transactions that
// commit at the same time share one sync. A transaction of any size up to
// [Options].MaxTx is atomic, also when the process is killed in its middle.
//
// One process, through one handle, may hold a directory for writing.
//
// The store looks after its space itself: a goroutine, which Close ends, lets
// the engine drop what nobody can see any more, checks the table files that
// were there at opening, and tidies up when the store is idle: where a quarter
// may be gone, it gives the space back. [Store.Compact] does so at once.
//
// # Errors
//
// Damage in the files is an error that matches [store.ErrCorrupt], at Open or
// at the first read that meets it; after that the store takes no commits, since
// the engine could lose what is left. Files in a format that a newer release of
// the engine may have written are [ErrUnknownFormat] instead. A commit that finds too little space on
// the disk is refused with an error that matches [syscall.ENOSPC], before
// anything is written: less than what the engine may need to turn what it has
// taken into tables and to compact them, some tens of megabytes; so is an Open
// that finds too little for what is in its logs. Both go on once there is room.
// Where another program takes that room in the meantime, the engine, which writes
// through maps of sparse files, ends the process with a SIGBUS; the next Open
// finds all that Commit has returned for.
// A commit that finds the process short of file handles is refused as well, with
// one that matches [syscall.EMFILE]. Where a compaction lacks them, it changes
// nothing; commits then fail with [store.ErrCommitUnknown] until the store is
// opened again, with all that it had.
//
// After a commit that failed in the engine every call
// returns [store.ErrCommitUnknown] until the store is opened again, which
// shows the transaction whole or not at all.
//
// Files have lost something, too, where versions are missing before later ones,
// or where a table has something and the MANIFEST does not list it. Such a table
// is kept as NNNNNN.sst.lost, and the store is refused until the MANIFEST is put
// back or the table is moved elsewhere. The last commit in a log is an exception:
// a power failure leaves it torn before Commit has returned, and damage to it
// later looks the same, so that the store opens without it. So does a store whose
// newest log somebody has cut short or removed: what was in it is not there.
//
// A store whose directory is removed, renamed or replaced while it is open takes
// no commits any more; they and Close return an error that matches
// [io/fs.ErrNotExist]. Close always ends: where the engine cannot finish, it
// returns why, and leaves the files as a kill would, which loses nothing.
package badgerstore

import (
	"context"
	"math/bits"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/dgraph-io/badger/v4"

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

// Store is an open directory. Its methods are safe for concurrent use.
type Store struct {
	occ.Store

	dir    string
	opts   Options
	tested bool // with this release of Badger
	db     *badger.DB
	core   occ.Core
	unlock func() // what must be undone after the engine is closed

	dirCheck *dirCheck
	flusher  flusher
	gate     compactGate
	handles  handles
	closing  atomic.Bool

	current *reader                  // of the newest version; under the core's lock
	stamp   atomic.Uint64            // the newest version with stampKey
	tables  atomic.Pointer[tableSet] // not all checked yet; nil when they are
	damage  atomic.Pointer[error]    // the first damage that was found

	queue     occ.Queue // its leader owns what follows
	sealed    uint64    // the newest version in the engine, not always published
	unstamped int64     // entries since stampKey was written
	failed    error     // why commits are refused for good
	room      groupLimit
	admitted  []*occ.Member
	writer    writer
	log       currentLog
	space     spaceCheck
	blobs     map[string]head // the big values there are

	activity    activity
	compactions chan compaction // that Compact asks for
	stop        chan struct{}
	stopped     sync.WaitGroup
}

// Open opens the store in a directory, and creates both if need be. The parent
// directories of dir must be durable already. It returns [store.ErrInUse] where
// the directory is held, [ErrForeign] where it holds something else, and
// [store.ErrCorrupt] where its files are damaged. A store whose process was
// killed needs no repair. On 32-bit platforms, where Badger does not work, Open
// returns [errors.ErrUnsupported].
func Open(dir string, opts *Options) (*Store, error) {
	return openBuilt(dir, opts, debug.ReadBuildInfo)
}

// openBuilt is Open of a program that says what it was built of.
func openBuilt(dir string, opts *Options, build func() (*debug.BuildInfo, bool)) (*Store, error) {
	if err := checkPlatform(bits.UintSize); err != nil {
		return nil, err
	}
	o, err := opts.validate()
	if err != nil {
		return nil, err
	}
	s := &Store{dir: dir, opts: o, stop: make(chan struct{}), compactions: make(chan compaction)}
	s.Store = occ.NewStore(&s.core)
	s.checkEngine(build)
	if err := s.openEngine(); err != nil {
		return nil, err
	}
	if err := s.start(); err != nil {
		s.closeEngine()
		return nil, err
	}
	return s, nil
}

// start makes the open engine a store.
func (s *Store) start() (err error) {
	defer caught(&err)
	s.queue.Lead, s.queue.Fits, s.queue.Aborted = s.commitGroup, s.fits, errAborted
	s.writer.s, s.writer.commitAt = s, commitAt
	s.unstamped = stampEvery
	s.space = newSpaceCheck(s.dir, s.opts.memtable(), s.gate.compactions)
	s.log = currentLog{dir: s.dir, sync: ownSync && s.tested && !s.opts.NoSync && !s.opts.ReadOnly}
	if err := s.log.find(); err != nil {
		return err
	}
	if !s.opts.ReadOnly {
		if err := s.handles.fill(); err != nil {
			return err
		}
	}
	if err := s.undoUnfinished(); err != nil {
		return err
	}
	s.current = s.newReader(s.sealed)
	if err := s.loadBlobs(); err != nil {
		return err
	}
	s.core.Init(engine{s}, s.sealed, occ.Options{
		ReadOnly: s.opts.ReadOnly,
		MaxKey:   maxKey,
		Limit:    limitOf(s.opts.MaxTx),
	})
	if err := s.core.OpenLog(); err != nil {
		return err
	}
	if !s.opts.ReadOnly {
		s.maintain()
	}
	return nil
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
func (e engine) Snapshot(uint64) (occ.Reader, error) { return e.s.current, nil }

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
