package badgerstore

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/kivisdb/kivis/store/badgerstore/internal/badgerfile"
)

// Badger writes a table through a memory map of a sparse file: where there is no
// space the process gets a SIGBUS. And a compaction that cannot make one of its
// tables goes on without it, and loses what was in it. So each waits before its
// first table, which it says in its log that it is about to make, until there is
// room for all of them.

// compactGate is where compactions wait.
type compactGate struct {
	dir   *dirCheck
	free  func(string) (uint64, bool)
	first uint64                    // what a compaction may need before
	db    atomic.Pointer[badger.DB] // is open

	label    string          // of the goroutines of this opening
	look     func() bool     // says whether compactions are at work; nil to look at stacks
	replayed *badgerfile.Log // the oldest log that there was at opening, or nil

	off        chan struct{}               // closed when it is broken
	blind      atomic.Pointer[error]       // why new tables cannot be looked for, or nil
	broken     atomic.Pointer[error]       // a compaction could not make its tables
	waiting    atomic.Pointer[error]       // why one waits, or nil
	flattening atomic.Pointer[func() bool] // says whether Flatten is to stop, or nil

	mu      sync.Mutex
	running map[int]uint64  // by compactor: what it may need
	making  map[int]int     // by compactor: the tables it was about to make
	changes int             // how often making has changed
	newest  uint64          // number of a table before those
	fates   map[uint64]fate // of the later ones
}

const gatePoll = 50 * time.Millisecond

// pass returns once a compactor may make a table. It is called in the goroutine
// of a compaction, which nothing else waits for but Close.
func (g *compactGate) pass(compactor int) {
	labelPart(g.label, compactor)
	for {
		err := g.admit(compactor)
		if err == nil {
			return
		}
		time.Sleep(gatePoll)
	}
}

// admit returns why a compactor may make no table now, or promises it the space
// for all of its compaction.
func (g *compactGate) admit(compactor int) (err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	defer func() {
		if g.waiting.Store(nil); err != nil {
			g.waiting.Store(&err)
		}
	}()
	if err := g.broken.Load(); err != nil {
		return *err
	}
	if err := g.dir.gone(); err != nil {
		return err
	}
	if err := probe(g.dir.path); err != nil {
		return fmt.Errorf("badgerstore: a compaction waits: %w", err)
	}
	if err := g.noteNewest(); err != nil {
		return err
	}
	if g.running[compactor] > 0 {
		return nil
	}
	need := g.need() + 1
	owed := need + unflushed(g.dir.path)
	for _, other := range g.running {
		owed += other
	}
	if free, ok := g.free(g.dir.path); ok && free < owed {
		return fmt.Errorf("badgerstore: %s has %d bytes left, and a compaction waits for %d: %w",
			g.dir.path, free, owed, syscall.ENOSPC)
	}
	if g.running == nil {
		g.running = make(map[int]uint64)
	}
	g.running[compactor] = need
	return nil
}

// done ends a compactor's compaction.
func (g *compactGate) done(compactor int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.running, compactor)
	delete(g.making, compactor)
	g.changes++
}

// noteNewest notes which tables there are before the first that a compaction makes.
func (g *compactGate) noteNewest() error {
	if len(g.making) > 0 {
		return nil
	}
	ids, err := tableIDs(g.dir.path)
	if err != nil {
		return err
	}
	g.newest, g.fates = slices.Max(append(ids, 0)), make(map[uint64]fate)
	return nil
}

// need returns how much one compaction may write before it has removed anything.
func (g *compactGate) need() uint64 {
	if g.db.Load() == nil {
		return g.first
	}
	return max(g.compactions())
}

// compactions returns how much compactions may write before they have removed
// anything: one of level 0 with the level below, and one of a table of another
// level with all that it overlaps in the next one. Those are ten or so; but a
// table with few keys may overlap a whole level. A level that is not nearly full
// is compacted by Flatten alone.
func (g *compactGate) compactions() (zero, other uint64) {
	db := g.db.Load()
	if db == nil {
		return 0, 0
	}
	all := g.flattening.Load() != nil
	var full [lastLevel + 1]bool
	added := int64(0) // to a level by one compaction
	for _, l := range db.Levels() {
		if l.Level == 0 || l.IsBaseLevel {
			zero += uint64(l.Size)
		}
		full[l.Level] = all || l.Size+added >= l.TargetSize
		switch {
		case l.Level == 0:
			added = l.Size + 4*l.TargetFileSize
		case l.Size > 0 || l.IsBaseLevel:
			added = 2 * l.TargetFileSize
		}
	}
	levels := make([][]badger.TableInfo, lastLevel+1)
	for _, t := range db.Tables() {
		levels[t.Level] = append(levels[t.Level], t)
	}
	for i := 1; i < lastLevel; i++ {
		if !full[i] {
			continue
		}
		other = max(other, widest(levels[i], levels[i+1]))
	}
	return zero, other
}

// widest returns the most that a table of one level and those that it overlaps
// in the next one come to.
func widest(tables, below []badger.TableInfo) (size uint64) {
	for _, level := range [][]badger.TableInfo{tables, below} {
		slices.SortFunc(level, func(a, b badger.TableInfo) int { return bytes.Compare(a.Left, b.Left) })
	}
	first := 0
	for _, t := range tables {
		for first < len(below) && bytes.Compare(below[first].Right, t.Left) < 0 {
			first++
		}
		sum := uint64(t.OnDiskSize)
		for _, b := range below[first:] {
			if bytes.Compare(b.Left, t.Right) > 0 {
				break
			}
			sum += uint64(b.OnDiskSize)
		}
		size = max(size, sum+sum/8) // indexes and filters come on top
	}
	return size
}

// unflushed returns how much may still be written of what is in the logs.
func unflushed(dir string) uint64 {
	fids, _ := badgerfile.ListLogs(dir)
	need := int64(1 << 20)
	for _, fid := range fids {
		if info, err := os.Stat(badgerfile.LogPath(dir, fid)); err == nil {
			need += allocated(info) + allocated(info)/8
		}
	}
	return uint64(need)
}

// probe makes and removes a file, to see whether that can be done, and looks for
// file handles.
func probe(dir string) error {
	path := filepath.Join(dir, ".probe")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(path), spare(dir))
}

// full returns the error that a compaction waits with for space or for file
// handles, or nil.
func (g *compactGate) full() error {
	if err := g.blind.Load(); err != nil {
		return *err
	}
	if err := g.stopped(); errors.Is(err, syscall.ENOSPC) || noHandles(err) {
		return err
	}
	return nil
}

// stopped returns why a compaction waits, or nil.
func (g *compactGate) stopped() error {
	if err := g.broken.Load(); err != nil {
		return *err
	}
	if err := g.waiting.Load(); err != nil {
		return *err
	}
	return nil
}

// next ends a Flatten that is to stop. It is called in its goroutine, between
// compactions, where it holds nothing.
func (g *compactGate) next() {
	if stop := g.flattening.Load(); stop != nil && (*stop)() {
		runtime.Goexit()
	}
}
