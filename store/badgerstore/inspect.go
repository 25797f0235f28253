package badgerstore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/dgraph-io/badger/v4"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore/internal/badgerfile"
)

// inspection is what a directory holds.
type inspection struct {
	dir     string
	files   []os.DirEntry
	tables  map[uint64]*levelFile // that are part of the store
	deleted map[uint64]bool       // that were, and went by a compaction
	orphans []orphan              // that are not
	lost    []orphan              // those of them that have what nothing else has
	logs    []badgerfile.Log      // what is whole in them
	gap     uint64                // the first version that is missing in the logs, or 0
}

// inspect looks at a directory before Badger opens it, because there Badger
// deletes what it should not, or ends the process. It changes nothing. Nobody
// else has the directory.
func inspect(dir string, readOnly bool) (*inspection, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("badgerstore: %w", err)
	}
	in := &inspection{dir: dir, files: files}
	if !in.has(badger.ManifestFilename) {
		return in, in.checkEmpty(readOnly)
	}
	if in.tables, in.deleted, err = readManifest(dir); err != nil {
		if slices.ContainsFunc(files, isEngineFile) && strings.Contains(err.Error(), "bad magic") {
			return nil, fmt.Errorf("badgerstore: the MANIFEST of %s is not one, but other files are Badger's: %w", dir, store.ErrCorrupt)
		}
		return nil, err
	}
	if !readOnly {
		if err := in.bringBack(); err != nil {
			return nil, err
		}
	}
	if err := checkEdges(in.tables); err != nil {
		return nil, err
	}
	if in.logs, in.gap, err = badgerfile.ReadLogs(dir, in.known(), stampKey); err != nil {
		return nil, fileError(err)
	}
	in.orphans = in.findOrphans()
	if in.lost, err = in.findLost(); err != nil || len(in.lost) == 0 {
		return in, err
	}
	// What is missing before the logs was not dropped by a compaction.
	in.logs, in.gap, err = badgerfile.ReadLogs(dir, in.known(), nil)
	return in, fileError(err)
}

// clean says whether the store was closed, so that Badger can open it to read.
func (in *inspection) clean() bool {
	return len(in.logs) == 0 && in.gap == 0 && len(in.orphans) == 0 &&
		!slices.ContainsFunc(in.files, func(f os.DirEntry) bool {
			info, err := f.Info()
			return filepath.Ext(f.Name()) == ".vlog" && err == nil && info.Size() < badgerfile.LogHeader
		})
}

func (in *inspection) has(name string) bool {
	return slices.ContainsFunc(in.files, func(f os.DirEntry) bool { return f.Name() == name })
}

// size returns how much there is in all tables.
func (in *inspection) size() (size uint64) {
	for _, t := range in.tables {
		size += uint64(t.size)
	}
	return size
}

// oldestLog returns the first log that something is in, or nil.
func (in *inspection) oldestLog() *badgerfile.Log {
	if i := slices.IndexFunc(in.logs, func(x badgerfile.Log) bool { return x.First > 0 }); i >= 0 {
		return &in.logs[i]
	}
	return nil
}

// bringBack gives tables their names again that were set aside, and are listed
// after all: by a manifest that somebody has put back.
func (in *inspection) bringBack() error {
	back := false
	for _, t := range in.tables {
		if _, err := os.Lstat(t.Path + lostSuffix); err == nil && badgerfile.Missing(t.Path) {
			if err := os.Rename(t.Path+lostSuffix, t.Path); err != nil {
				return fmt.Errorf("badgerstore: %w", err)
			}
			back = true
		}
	}
	if !back {
		return nil
	}
	var err error
	if in.files, err = os.ReadDir(in.dir); err == nil {
		err = syncDir(in.dir)
	}
	if err != nil {
		return fmt.Errorf("badgerstore: %w", err)
	}
	return nil
}

// known returns the newest version in the tables.
func (in *inspection) known() (version uint64) {
	for _, t := range in.tables {
		version = max(version, t.version)
	}
	return version
}

// checkEmpty returns nil if a directory without a manifest can become a new store.
// Badger would take any directory, and delete the tables in it.
func (in *inspection) checkEmpty(readOnly bool) error {
	if readOnly {
		return fmt.Errorf("%w: %s has no MANIFEST, and a read-only store is not created", ErrForeign, in.dir)
	}
	for _, f := range in.files {
		name := f.Name()
		switch {
		case strings.HasPrefix(name, "."), name == "lost+found", name == lockName, name == "MANIFEST-REWRITE":
			// What a file system, or a store killed at its creation, leaves.
		case isEngineFile(f):
			return fmt.Errorf("badgerstore: %s has lost its MANIFEST, without which %s and other files are unreadable: %w",
				in.dir, name, store.ErrCorrupt)
		default:
			return fmt.Errorf("%w: %s has no MANIFEST but %s; want a store or an empty directory", ErrForeign, in.dir, name)
		}
	}
	return nil
}

// isEngineFile says whether a file is one in which Badger keeps data.
func isEngineFile(f os.DirEntry) bool {
	switch filepath.Ext(f.Name()) {
	case ".sst", ".mem", ".vlog":
		return true
	}
	return false
}

// levelFile is a table as the manifest has it.
type levelFile struct {
	badgerfile.Table
	size     int64
	version  uint64                // the newest in it, once it has been read
	verified []badgerfile.KeyRange // its edges, once they have been checked
	checked  bool                  // as a whole
}

// readManifest returns the tables that are part of the store,
// and those that were.
func readManifest(dir string) (tables map[uint64]*levelFile, deleted map[uint64]bool, err error) {
	m, err := badgerfile.ReadManifest(dir, magic)
	if err != nil {
		return nil, nil, fileError(err)
	}
	tables = make(map[uint64]*levelFile, len(m.Tables))
	for id, t := range m.Tables {
		tables[id] = &levelFile{Table: t}
	}
	return tables, m.Deleted, nil
}

// sweep removes value logs, in which there is never anything, and empty
// memtable logs. A kill while Badger creates or deletes one leaves it so, and
// Badger then does not open.
func (in *inspection) sweep() error {
	for _, f := range in.files {
		switch filepath.Ext(f.Name()) {
		case ".mem":
			if info, err := f.Info(); err != nil || info.Size() > 0 {
				continue
			}
		case ".vlog":
		default:
			continue
		}
		if err := os.Remove(filepath.Join(in.dir, f.Name())); err != nil {
			return fmt.Errorf("badgerstore: %w", err)
		}
	}
	return nil
}

// checkEdges checks what Badger reads of every table when it opens it.
func checkEdges(tables map[uint64]*levelFile) error {
	work := make(chan *levelFile)
	errs := make([]error, min(4, len(tables)))
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			var r badgerfile.TableReader
			for t := range work {
				if errs[i] == nil {
					errs[i] = t.present(&r)
				}
			}
		})
	}
	for _, t := range tables {
		work <- t
	}
	close(work)
	wg.Wait()
	return errors.Join(errs...)
}

// present checks the edges of a table, which must be there.
func (t *levelFile) present(r *badgerfile.TableReader) error {
	info, err := os.Stat(t.Path)
	if err != nil || info.Size() == 0 {
		return fmt.Errorf("badgerstore: table file %s is missing: %w", t.Path, store.ErrCorrupt)
	}
	t.size = info.Size()
	t.verified, t.version, err = r.Edges(t.Table)
	return fileError(err)
}

// checkCompaction checks the tables that a compaction is going to take as soon as
// Badger opens: those of level 0, if there are enough, and those of the first
// other level. If that is the last and it is bigger than a base level, Badger
// makes a new level in between.
func (in *inspection) checkCompaction(baseLevel int64) error {
	var tables, size [lastLevel + 1]int64
	for _, t := range in.tables {
		tables[t.Level]++
		size[t.Level] += t.size
	}
	for _, x := range in.logs {
		if x.First > 0 {
			tables[0]++ // soon
		}
	}
	if tables[0] < levelZeroTables {
		return nil
	}
	next := 1
	for next < lastLevel && tables[next] == 0 {
		next++
	}
	var r badgerfile.TableReader
	for _, t := range in.tables {
		if t.Level > 0 && (t.Level != next || next == lastLevel && size[next] > baseLevel) {
			continue
		}
		if err := r.Whole(t.Table); err != nil {
			return fileError(err)
		}
		t.checked = true
	}
	return nil
}
