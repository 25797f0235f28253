package badgerstore

import (
	"bytes"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/dgraph-io/badger/v4/y"
)

// A block that Badger cannot read, or whose checksum is wrong, it takes for the
// end of its table: a scan skips what follows, a get finds nothing, a
// compaction drops it for good, all without an error. Checking every table when
// the store opens would make opening as slow as reading everything. So each
// table that was there at opening is checked as a whole before its first use,
// or by the maintenance in the background, whichever comes first. Tables that
// are written later were in memory a moment ago.

// tableSet is the tables that were there at opening.
type tableSet struct {
	levels [][]*guarded // each by its left end; level 0 overlaps
	base   int          // the level that level 0 is compacted into
}

// guarded is a table that is checked before its first use.
type guarded struct {
	tableFile
	left, right []byte // its first and last key, without versions

	mu   sync.Mutex
	done atomic.Bool
	err  error // after done
}

var sstReaders = sync.Pool{New: func() any { return new(sstReader) }}

// guard puts the tables under guard. They are the ones that Badger has opened
// and that were inspected before.
func (s *Store) guard(files map[uint64]levelFile) {
	if s.opts.NoVerify || len(files) == 0 {
		return
	}
	set := &tableSet{}
	for _, l := range s.db.Levels() {
		set.levels = append(set.levels, nil)
		if l.IsBaseLevel {
			set.base = l.Level
		}
	}
	for _, t := range s.db.Tables() {
		if f, ok := files[t.ID]; ok {
			g := &guarded{tableFile: f.tableFile, left: y.ParseKey(t.Left), right: y.ParseKey(t.Right)}
			set.levels[f.level] = append(set.levels[f.level], g)
		}
	}
	for _, level := range set.levels {
		slices.SortFunc(level, func(a, b *guarded) int { return bytes.Compare(a.left, b.left) })
	}
	s.tables.Store(set)
}

// guardCompaction checks the tables that a compaction would take at once.
func (s *Store) guardCompaction() error {
	set := s.tables.Load()
	if set == nil || len(set.levels[0]) < levelZeroTables {
		return nil
	}
	var err error
	set.all(func(level int, t *guarded) bool {
		if level != 0 && level != set.base {
			return false
		}
		err = s.soundTable(t)
		return err == nil
	})
	return err
}

// sound checks every table that holds keys in [lo, hi], both ends included, and
// was not checked before.
func (s *Store) sound(lo, hi []byte) error {
	set := s.tables.Load()
	if set == nil {
		return nil
	}
	for i, level := range set.levels {
		for _, t := range overlapping(level, i == 0, lo, hi) {
			if bytes.Compare(t.left, hi) > 0 || bytes.Compare(t.right, lo) < 0 {
				continue
			}
			if err := s.soundTable(t); err != nil {
				return err
			}
		}
	}
	return nil
}

// overlapping returns the tables of a level that may hold keys in [lo, hi].
func overlapping(level []*guarded, all bool, lo, hi []byte) []*guarded {
	if all {
		return level
	}
	i, _ := slices.BinarySearchFunc(level, lo, func(t *guarded, lo []byte) int { return bytes.Compare(t.right, lo) })
	j := i
	for j < len(level) && bytes.Compare(level[j].left, hi) <= 0 {
		j++
	}
	return level[i:j]
}

// soundTable checks a table, once.
func (s *Store) soundTable(t *guarded) error {
	if t.done.Load() {
		return t.err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.done.Load() {
		r := sstReaders.Get().(*sstReader)
		t.err = r.whole(t.tableFile)
		sstReaders.Put(r)
		t.done.Store(true)
		s.noteDamage(t.err)
	}
	return t.err
}

// noteDamage remembers that the store is damaged: it then takes no commits any
// more, since a compaction could lose what is left.
func (s *Store) noteDamage(err error) {
	if err != nil {
		s.damage.CompareAndSwap(nil, &err)
	}
}

// all calls f for every table, those first that a compaction may take first,
// until f returns false.
func (set *tableSet) all(f func(level int, t *guarded) bool) {
	order := make([]int, 0, len(set.levels))
	order = append(order, 0)
	if set.base > 0 {
		order = append(order, set.base)
	}
	for i := range set.levels {
		if i > 0 && i != set.base {
			order = append(order, i)
		}
	}
	for _, i := range order {
		for _, t := range set.levels[i] {
			if !f(i, t) {
				return
			}
		}
	}
}
