package badgerstore

import (
	"bytes"
	"math"
	"slices"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/fb"
	"github.com/dgraph-io/badger/v4/options"
)

// EngineOptions returns the options with which the store opens Badger.
func EngineOptions(dir string, opts *Options) badger.Options {
	o, err := opts.validate()
	if err != nil {
		panic(err)
	}
	return o.badger(dir)
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
	x, err := readLog(path, 0)
	return x.end, err
}

// LogTransactions returns where the transactions in a log end.
func LogTransactions(data []byte) (ends []int) {
	r := newLogReader(bytes.NewReader(data[walHeader:]))
	for r.next() {
		if r.meta&walFinTxn != 0 {
			ends = append(ends, int(r.at))
		}
	}
	return ends
}

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

// Peeks returns how often a part of a table was checked, the most of any.
func Peeks(s *Store) (n int) {
	set := s.tables.Load()
	if set == nil {
		return 0
	}
	for _, t := range set.all() {
		t.mu.Lock()
		n = max(n, t.peeks)
		t.mu.Unlock()
	}
	return n
}

// Claim is what a check of a table says about it, with the blocks it has read.
type Claim struct {
	Blocks []int
	sound  []stretch
}

// Has says whether the check is taken to be one of [lo, hi] too.
func (c Claim) Has(lo, hi []byte) bool {
	return slices.ContainsFunc(c.sound, func(x stretch) bool { return x.has(lo, hi) })
}

// CheckPart checks what a table of the engine has of [lo, hi], of its own keys,
// CheckEdges its first and last block.
func CheckPart(path string, lo, hi []byte) (c Claim, err error) {
	var r sstReader
	t := tableFile{path, options.Snappy}
	if c.sound, err = r.part(t, lo, hi); err != nil {
		return c, err
	}
	err = r.read(t, func(i, _ int, index *fb.TableIndex) bool {
		if mayHold(index, i, lo, hi) {
			c.Blocks = append(c.Blocks, i)
		}
		return false
	})
	return c, err
}

func CheckEdges(path string) (c Claim, err error) {
	var r sstReader
	t := tableFile{path, options.Snappy}
	if c.sound, _, err = r.edges(t); err != nil {
		return c, err
	}
	err = r.read(t, func(i, n int, _ *fb.TableIndex) bool {
		if i == 0 || i == n-1 {
			c.Blocks = append(c.Blocks, i)
		}
		return false
	})
	return c, err
}

// FirstKeys returns the keys with which the blocks of a table begin.
func FirstKeys(path string) (keys [][]byte, err error) {
	var r sstReader
	err = r.read(tableFile{path, options.Snappy}, func(i, _ int, index *fb.TableIndex) bool {
		keys = append(keys, bytes.Clone(firstKey(index, i)))
		return false
	})
	return keys, err
}
