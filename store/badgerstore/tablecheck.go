package badgerstore

import (
	"bytes"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/dgraph-io/badger/v4/y"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore/internal/badgerfile"
)

// A block that Badger cannot read, or whose checksum is wrong, it takes for the
// end of its table: a scan skips what follows, a get finds nothing, a
// compaction drops it for good, all without an error. Checking every table when
// the store opens would make opening as slow as reading everything. So of each
// table that was there at opening the blocks in question are checked before
// they are used, unless they have been, after a few times the whole table, and
// in the background all of them. Tables that are written later were in memory a
// moment ago.

// tableSet is the tables that were there at opening.
type tableSet struct {
	levels [][]*tableCheck // each by its left end; level 0 overlaps
	base   int             // the level that level 0 is compacted into
}

// tableCheck is a table that is checked before its first use.
type tableCheck struct {
	badgerfile.Table
	left, right []byte // its first and last key, without versions

	mu         sync.Mutex
	verified   []badgerfile.KeyRange // the parts that were checked
	partChecks int                   // how often one was
	done       atomic.Bool           // the whole table was, or is damaged
	err        error                 // after done
}

// maxPartChecks is after how many checks of a part the next one is of the whole: a
// part costs the reading of the index, about a twentieth.
const maxPartChecks = 8

var tableReaders = sync.Pool{New: func() any { return new(badgerfile.TableReader) }}

// checkLater has the tables checked before their first use. They are the ones that
// Badger has opened and that were inspected before.
func (s *Store) checkLater(files map[uint64]*levelFile) {
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
			g := &tableCheck{Table: f.Table, left: y.ParseKey(t.Left), right: y.ParseKey(t.Right), verified: f.verified}
			g.done.Store(f.checked)
			set.levels[f.Level] = append(set.levels[f.Level], g)
		}
	}
	for _, level := range set.levels {
		slices.SortFunc(level, func(a, b *tableCheck) int { return bytes.Compare(a.left, b.left) })
	}
	s.tables.Store(set)
}

// checkKeys checks what tables hold of the keys in [lo, hi], both ends included, if
// it was not checked before.
func (s *Store) checkKeys(lo, hi []byte) error {
	set := s.tables.Load()
	if set == nil {
		return nil
	}
	for i, level := range set.levels {
		for _, t := range overlapping(level, i == 0, lo, hi) {
			if bytes.Compare(t.left, hi) > 0 || bytes.Compare(t.right, lo) < 0 {
				continue
			}
			if err := s.checkPart(t, lo, hi); err != nil {
				return err
			}
		}
	}
	return nil
}

// overlapping returns the tables of a level that may hold keys in [lo, hi].
func overlapping(level []*tableCheck, all bool, lo, hi []byte) []*tableCheck {
	if all {
		return level
	}
	i, _ := slices.BinarySearchFunc(level, lo, func(t *tableCheck, lo []byte) int { return bytes.Compare(t.right, lo) })
	j := i
	for j < len(level) && bytes.Compare(level[j].left, hi) <= 0 {
		j++
	}
	return level[i:j]
}

// checkPart checks what a table holds of the keys in [lo, hi].
func (s *Store) checkPart(t *tableCheck, lo, hi []byte) error {
	if t.done.Load() {
		return t.err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.done.Load():
		return t.err
	case slices.ContainsFunc(t.verified, func(x badgerfile.KeyRange) bool { return x.Has(lo, hi) }):
		return nil
	case t.partChecks == maxPartChecks:
		return s.checkTableLocked(t)
	}
	t.partChecks++
	r := tableReaders.Get().(*badgerfile.TableReader)
	defer tableReaders.Put(r)
	verified, err := r.Part(t.Table, lo, hi)
	t.verified = append(t.verified, verified...)
	return s.finish(t, err)
}

// checkTable checks a whole table, once.
func (s *Store) checkTable(t *tableCheck) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return s.checkTableLocked(t)
}

func (s *Store) checkTableLocked(t *tableCheck) error {
	if t.done.Load() {
		return t.err
	}
	r := tableReaders.Get().(*badgerfile.TableReader)
	defer tableReaders.Put(r)
	err := s.finish(t, r.Whole(t.Table))
	if err == nil {
		t.done.Store(true)
	}
	return err
}

// finish has a damaged table be one for good. One that could not be read just
// now, for want of file handles as it were, is checked again.
func (s *Store) finish(t *tableCheck, err error) error {
	err = fileError(err)
	if errors.Is(err, store.ErrCorrupt) || errors.Is(err, ErrUnknownFormat) {
		t.err = err
		t.done.Store(true)
		s.noteDamage(err)
	}
	return err
}

// noteDamage remembers that the store is damaged: it then takes no commits any
// more, since a compaction could lose what is left.
func (s *Store) noteDamage(err error) {
	if s.damage.CompareAndSwap(nil, &err) && s.opts.Logger != nil {
		s.opts.Logger.Error("badgerstore: damage", "err", err)
	}
}

// all returns every table, those first that a compaction may take first.
func (set *tableSet) all() (tables []*tableCheck) {
	tables = append(tables, set.levels[0]...)
	if set.base > 0 {
		tables = append(tables, set.levels[set.base]...)
	}
	for i, level := range set.levels {
		if i > 0 && i != set.base {
			tables = append(tables, level...)
		}
	}
	return tables
}
