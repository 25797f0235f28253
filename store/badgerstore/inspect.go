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
)

// ErrForeign: the directory holds something other than a store of this
// package, or one of a version that it does not know.
var ErrForeign = errors.New("badgerstore: not a store of this kind")

// inspect looks at a directory before Badger opens it, because there Badger
// deletes what it should not, or ends the process. It returns the levels of
// the table files, and nothing for a new store. Nobody else has the directory.
func inspect(dir string, readOnly bool) (map[uint64]levelFile, error) {
	files, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, os.ErrNotExist) && !readOnly:
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("badgerstore: %w", err)
	}
	if !slices.ContainsFunc(files, func(f os.DirEntry) bool { return f.Name() == badger.ManifestFilename }) {
		return nil, vacant(dir, files, readOnly)
	}
	tables, err := readManifest(dir)
	if errors.Is(err, ErrForeign) && strings.Contains(err.Error(), "bad magic") && slices.ContainsFunc(files, isEngineFile) {
		return nil, fmt.Errorf("badgerstore: the MANIFEST of %s is not one, but other files are Badger's: %w", dir, store.ErrCorrupt)
	}
	if err != nil {
		return nil, err
	}
	if !readOnly {
		if err := sweep(dir, files); err != nil {
			return nil, err
		}
	}
	return tables, checkEdges(tables)
}

// vacant returns nil if a directory without a manifest can become a new store.
// Badger would take any directory, and delete the tables in it.
func vacant(dir string, files []os.DirEntry, readOnly bool) error {
	if readOnly {
		return fmt.Errorf("%w: %s has no MANIFEST, and a read-only store is not created", ErrForeign, dir)
	}
	for _, f := range files {
		name := f.Name()
		switch {
		case strings.HasPrefix(name, "."), name == "lost+found", name == lockName, name == "MANIFEST-REWRITE":
			// What a file system, or a store killed at its creation, leaves.
		case isEngineFile(f):
			return fmt.Errorf("badgerstore: %s has lost its MANIFEST, without which %s and other files are unreadable: %w",
				dir, name, store.ErrCorrupt)
		default:
			return fmt.Errorf("%w: %s has no MANIFEST but %s; want a store or an empty directory", ErrForeign, dir, name)
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
	tableFile
	level int
}

// readManifest returns the tables that are part of the store.
func readManifest(dir string) (tables map[uint64]levelFile, err error) {
	path := filepath.Join(dir, badger.ManifestFilename)
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("badgerstore: %w", err)
	}
	defer f.Close()
	m, _, err := badger.ReplayManifestFile(f, magic, badger.Options{})
	switch {
	case err == nil:
	case strings.Contains(err.Error(), "bad magic"), strings.Contains(err.Error(), "external magic"),
		strings.Contains(err.Error(), "unsupported version"):
		return nil, fmt.Errorf("%w: %s: %w", ErrForeign, path, err)
	default:
		return nil, fmt.Errorf("badgerstore: %s: %w: %w", path, err, store.ErrCorrupt)
	}
	tables = make(map[uint64]levelFile, len(m.Tables))
	for id, t := range m.Tables {
		tables[id] = levelFile{tableFile{tablePath(dir, id), t.Compression}, int(t.Level)}
	}
	return tables, nil
}

// sweep removes empty logs. A kill while Badger creates or deletes one leaves
// it so, and Badger then does not open. There is nothing in them.
func sweep(dir string, files []os.DirEntry) error {
	for _, f := range files {
		if ext := filepath.Ext(f.Name()); ext != ".mem" && ext != ".vlog" {
			continue
		}
		info, err := f.Info()
		if err != nil || info.Size() > 0 {
			continue
		}
		if err := os.Remove(filepath.Join(dir, f.Name())); err != nil {
			return fmt.Errorf("badgerstore: removing an empty log: %w", err)
		}
	}
	return nil
}

// checkEdges checks what Badger reads of every table when it opens it.
func checkEdges(tables map[uint64]levelFile) error {
	work := make(chan tableFile)
	errs := make([]error, min(4, len(tables)))
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			var r sstReader
			for t := range work {
				if errs[i] == nil {
					errs[i] = present(&r, t)
				}
			}
		})
	}
	for _, t := range tables {
		work <- t.tableFile
	}
	close(work)
	wg.Wait()
	return errors.Join(errs...)
}

// present checks a table's edges; it must be there.
func present(r *sstReader, t tableFile) error {
	if missing(t.path) {
		return fmt.Errorf("badgerstore: table file %s is missing: %w", t.path, store.ErrCorrupt)
	}
	return r.edges(t)
}

// missing says whether a table file has gone, or is about to.
func missing(path string) bool {
	info, err := os.Stat(path)
	return errors.Is(err, os.ErrNotExist) || err == nil && info.Size() == 0
}
