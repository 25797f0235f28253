package badgerstore

import (
	"errors"
	"math"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/dgraph-io/badger/v4"

	"github.com/kivisdb/kivis/store/badgerstore/internal/badgerfile"
)

// EngineOptions returns the options with which the store opens Badger.
func EngineOptions(dir string, opts *Options) badger.Options {
	o, err := opts.validate()
	if err != nil {
		panic(err)
	}
	return o.badger(dir, true)
}

// UntestedOptions returns those for a release of Badger that is not known.
func UntestedOptions(dir string, opts *Options) badger.Options {
	o, err := opts.validate()
	if err != nil {
		panic(err)
	}
	return o.badger(dir, false)
}

// Tested returns the range of Badger's versions, TestedEngine the version and
// whether it is in it.
func Tested() (from, to string) { return testedFrom.String(), testedTo.String() }

func TestedEngine(build func() (*debug.BuildInfo, bool)) (string, bool) { return testedEngine(build) }

// OpenBuilt is Open of a program that says what it was built of.
func OpenBuilt(dir string, opts *Options, build func() (*debug.BuildInfo, bool)) (*Store, error) {
	return openBuilt(dir, opts, build)
}

// CheckPlatform is what Open says where an int has so many bits.
func CheckPlatform(bits int) error { return checkPlatform(bits) }

// Levels returns how many tables each level has.
func Levels(s *Store) (n []int) {
	for _, l := range s.db.Levels() {
		n = append(n, l.NumTables)
	}
	return n
}

// OnWrite has f called instead of each commit to Badger, which is do.
func OnWrite(s *Store, f func(do func() error) error) {
	s.queue.Committing.Lock()
	defer s.queue.Committing.Unlock()
	s.writer.commitAt = func(txn *badger.Txn, version uint64) error {
		return f(func() error { return commitAt(txn, version) })
	}
}

// Waiting returns how many transactions wait for a leader.
func Waiting(s *Store) int {
	return s.queue.Waiting()
}

// Free sets how much space the store believes to have.
func Free(s *Store, free func() uint64) {
	s.queue.Committing.Lock()
	defer s.queue.Committing.Unlock()
	s.space.credit = 0
	s.space.free = func(string) (uint64, bool) { return free(), true }
}

// Versions counts all versions of all keys, Pieces the pieces of big values
// and the entries in their index, as of now.
func Versions(s *Store) int {
	return countEntries(s, badger.IteratorOptions{Prefix: []byte{spaceUser}, AllVersions: true})
}

func Pieces(s *Store) (pieces, indexed, known int) {
	s.queue.Committing.Lock()
	defer s.queue.Committing.Unlock()
	return countEntries(s, badger.IteratorOptions{Prefix: []byte{spaceChunk}}),
		countEntries(s, badger.IteratorOptions{Prefix: []byte{spaceIndex}}), len(s.blobs)
}

// TakePiece takes piece i of the only big value away, as damage would.
func TakePiece(s *Store, i int) error {
	s.queue.Committing.Lock()
	defer s.queue.Committing.Unlock()
	for _, h := range s.blobs {
		txn := s.db.NewTransactionAt(s.sealed, true)
		if err := txn.Delete(appendChunkKey(nil, h.id, i)); err != nil {
			return err
		}
		return txn.CommitAt(s.sealed, nil)
	}
	return errors.New("there is no big value")
}

func countEntries(s *Store, opts badger.IteratorOptions) (n int) {
	it := s.db.NewTransactionAt(math.MaxUint64, false).NewIterator(opts)
	defer it.Close()
	for it.Rewind(); it.Valid(); it.Next() {
		n++
	}
	return n
}

// Checked says whether every table has been checked.
func Checked(s *Store) bool { return s.tables.Load() == nil }

// LogEnd returns where the last whole transaction in a log ends.
func LogEnd(path string) (int64, error) {
	fid, err := strconv.Atoi(strings.TrimSuffix(filepath.Base(path), ".mem"))
	if err != nil {
		return 0, err
	}
	x, err := badgerfile.ReadLog(filepath.Dir(path), fid, 0, stampKey)
	return x.End, err
}

// LogTransactions returns where the transactions in a log end.
func LogTransactions(data []byte) []int { return badgerfile.LogTransactions(data) }

func Dir(s *Store) string { return s.dir }

// CurrentLog returns the path of the log that the store syncs, "" if Badger does.
func CurrentLog(s *Store) string {
	s.queue.Committing.Lock()
	defer s.queue.Committing.Unlock()
	if s.log.file == nil {
		return ""
	}
	return s.log.file.Name()
}

// PartChecks returns how often a part of a table was checked, the most of any.
func PartChecks(s *Store) (n int) {
	set := s.tables.Load()
	if set == nil {
		return 0
	}
	for _, t := range set.all() {
		t.mu.Lock()
		n = max(n, t.partChecks)
		t.mu.Unlock()
	}
	return n
}

// Stamp has every version up to now be one of which only the newest entries are
// kept.
func Stamp(t testing.TB, s *Store) {
	t.Helper()
	s.queue.Committing.Lock()
	defer s.queue.Committing.Unlock()
	if _, err := s.padLocked(nil); err != nil {
		t.Fatal(err)
	}
}

// CompactFree sets how much space compactions believe to have.
func CompactFree(s *Store, free uint64) {
	s.gate.mu.Lock()
	defer s.gate.mu.Unlock()
	s.gate.free = func(string) (uint64, bool) { return free, true }
}

// FlattenNeeds returns how much space a compaction of a Flatten may need, but for
// those of level 0.
func FlattenNeeds(s *Store) uint64 {
	stop := func() bool { return true }
	s.gate.flattening.Store(&stop)
	defer s.gate.flattening.Store(nil)
	_, other := s.gate.compactions()
	return other
}

// LevelSizes returns the sizes of the levels.
func LevelSizes(s *Store) (sizes []int64) {
	for _, l := range s.db.Levels() {
		sizes = append(sizes, l.Size)
	}
	return sizes
}

// CurrentFid returns the number of the log that Badger writes to.
func CurrentFid(s *Store) int {
	s.queue.Committing.Lock()
	defer s.queue.Committing.Unlock()
	return s.log.fid
}

// Products returns how many tables in dir with numbers beyond one a compaction is
// taken to have made.
func Products(dir string, beyond uint64) (int, error) {
	in, err := inspect(dir, true)
	if err != nil {
		return 0, err
	}
	g := compactGate{dir: &dirCheck{path: dir}, newest: beyond, replayed: in.oldestLog()}
	return g.products()
}

var ErrUndecided = errUndecided

// Gate is where a compaction waits for its tables.
type Gate struct{ g *compactGate }

// NewGate returns the gate of a compaction that makes tables in dir with numbers
// beyond one. atWork says whether somebody still does.
func NewGate(dir string, beyond uint64, tables int, atWork func() bool) (Gate, error) {
	d, err := newDirCheck(dir, false)
	return Gate{&compactGate{dir: d, newest: beyond, making: map[int]int{0: tables}, look: atWork, off: make(chan struct{})}}, err
}

// WaitMade returns true when all tables are there, and false if they never are.
func (g Gate) WaitMade() bool {
	made := make(chan struct{})
	go func() {
		g.g.waitMade()
		close(made)
	}()
	select {
	case <-made:
		return true
	case <-g.g.off:
		return false
	}
}

// Compacting says whether the goroutines of a store's compactions are at work.
func Compacting(s *Store) bool { return s.gate.atWork() }

// CompactionFailed has a store hear from its engine that a compaction has failed.
func CompactionFailed(s *Store, err error) {
	logger{nil, &s.flusher, &s.gate, &s.handles}.Warningf(compactionFail, 0, err, nil)
}

// AtWork says whether goroutines that start starts are taken to be at work.
func AtWork(start func()) bool {
	g := compactGate{label: newLabel()}
	var done sync.WaitGroup
	atWork := false
	done.Go(func() {
		labelGoroutine(g.label)
		start()
		atWork = g.atWork()
	})
	done.Wait()
	return atWork
}
