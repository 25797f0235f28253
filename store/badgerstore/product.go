package badgerstore

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
	"github.com/dgraph-io/badger/v4/y"

	"github.com/kivisdb/kivis/store/badgerstore/internal/badgerfile"
)

// A new table that the MANIFEST does not list is one of a compaction or of a
// flush. They differ in what they hold: an entry of a compaction's is in a table
// that is listed, and stays so until the compaction has listed its own; an entry
// of a memtable's is in none. The exception is a memtable whose table was listed
// before the process was killed, and that is flushed again when the store is opened.

// errUndecided: whether a table is a compaction's shows when the memtable is flushed
// that was flushed before.
var errUndecided = errors.New("badgerstore: a memtable is being flushed again")

// products returns how many complete tables there are that compactions have made
// and not listed yet.
func (g *compactGate) products() (n int, err error) {
	// First the files: a compaction that ends meanwhile lists its own.
	ids, err := tableIDs(g.dir.path)
	if err != nil {
		return 0, err
	}
	listed, deleted, err := readManifest(g.dir.path)
	if err != nil {
		return 0, err
	}
	ids, n = g.unlisted(ids, listed, deleted)
	for _, id := range ids {
		ours, err := g.product(id, listed)
		if err != nil {
			return 0, err
		}
		if ours {
			g.isProduct(id)
			n++
		}
	}
	return n, nil
}

// fate is what has been found out about a table.
type fate int8

const (
	notKnown  fate = iota
	isProduct      // it is a compaction's
	wasListed      // at some time
)

// unlisted looks at tables that have been made since compactions began to, and have
// never been listed. It returns how many are known to be compactions', and the rest.
func (g *compactGate) unlisted(ids []uint64, listed map[uint64]*levelFile, deleted map[uint64]bool) (rest []uint64, products int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.fates == nil {
		g.fates = make(map[uint64]fate)
	}
	for _, id := range ids {
		switch {
		case id <= g.newest:
		case listed[id] != nil || deleted[id]:
			g.fates[id] = wasListed // a MANIFEST that is written anew forgets what was deleted
		case g.fates[id] == isProduct:
			products++
		case g.fates[id] == notKnown:
			rest = append(rest, id)
		}
	}
	return rest, products
}

// isProduct notes that a table is a compaction's. It may be listed by now.
func (g *compactGate) isProduct(id uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.fates[id] == notKnown {
		g.fates[id] = isProduct
	}
}

// product says whether a table is complete and a compaction's.
func (g *compactGate) product(id uint64, listed map[uint64]*levelFile) (bool, error) {
	var r badgerfile.TableReader
	key, version, err := r.First(badgerfile.Table{Path: badgerfile.TablePath(g.dir.path, id), Compression: options.Snappy})
	if err != nil || key == nil {
		return false, unreadable(err) // it is being written, or has gone
	}
	need := 1
	again, err := g.flushedAgain(key, version)
	if err != nil {
		return false, err
	}
	if again {
		need = 2 // in the table of before, and in the new one once that is listed
	}
	found, err := g.count(listed, key, version, need)
	if err == nil && 0 < found && found < need {
		err = errUndecided
	}
	return found == need, err
}

// count returns how many of some tables have an entry, up to a number.
func (g *compactGate) count(tables map[uint64]*levelFile, key []byte, version uint64, most int) (n int, err error) {
	infos := make(map[uint64]badger.TableInfo)
	if db := g.db.Load(); db != nil {
		for _, t := range db.Tables() {
			infos[t.ID] = t
		}
	}
	var r badgerfile.TableReader
	byLevel := func(a, b uint64) int { return cmp.Compare(tables[b].Level, tables[a].Level) } // most are in the last one
	for _, id := range slices.SortedFunc(maps.Keys(tables), byLevel) {
		if t, ok := infos[id]; ok && (string(key) < string(y.ParseKey(t.Left)) || string(key) > string(y.ParseKey(t.Right))) {
			continue
		}
		has, err := r.Has(tables[id].Table, key, version)
		if err := unreadable(err); err != nil {
			return 0, err
		}
		if has {
			n++
		}
		if n == most {
			break
		}
	}
	return n, nil
}

// flushedAgain says whether an entry is in the oldest log that there was at opening,
// if that is still there.
func (g *compactGate) flushedAgain(key []byte, version uint64) (again bool, err error) {
	if g.replayed == nil {
		return false, nil
	}
	found := errors.New("found")
	err = g.replayed.Entries(g.dir.path, func(e badgerfile.Entry) error {
		if e.Version == version && string(e.Key) == string(key) {
			return found
		}
		return nil
	})
	if err == found {
		return true, nil
	}
	return false, unreadable(err)
}

// unreadable returns an error of a table or a log if it is not about what is in the
// file, nor that it has gone.
func unreadable(err error) error {
	if errors.Is(err, badgerfile.ErrDamaged) || errors.Is(err, badgerfile.ErrUnknown) || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// tableIDs returns the numbers of the table files of a directory.
func tableIDs(dir string) (ids []uint64, err error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("badgerstore: %w", err)
	}
	for _, f := range files {
		name, ok := strings.CutSuffix(f.Name(), ".sst")
		if id, err := strconv.ParseUint(name, 10, 64); ok && err == nil {
			ids = append(ids, id)
		}
	}
	return ids, nil
}
