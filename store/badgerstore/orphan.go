package badgerstore

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/dgraph-io/badger/v4/options"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore/internal/badgerfile"
)

// A kill leaves table files that the manifest does not list: those of a flush or
// a compaction that was not finished, and those that a finished compaction had
// not yet removed. Badger deletes them all. But a manifest that was damaged or
// restored leaves them too, and then they may be all there is of what is in
// them. So each is read, and what it has is looked for elsewhere.

// orphan is a table file that the manifest does not list.
type orphan struct {
	id   uint64
	path string
	why  string // why it is lost
}

// lostSuffix is what the name of a lost table ends in, so that Badger lets it be.
const lostSuffix = ".lost"

// droppedSuffix is what it ends in after a store without syncs has gone on
// without it.
const droppedSuffix = ".dropped"

// findOrphans returns the orphans, those set aside among them.
func (in *inspection) findOrphans() (orphans []orphan) {
	for _, f := range in.files {
		name, ok := strings.CutSuffix(strings.TrimSuffix(f.Name(), lostSuffix), ".sst")
		id, err := strconv.ParseUint(name, 10, 64)
		if _, listed := in.tables[id]; ok && err == nil && (!listed || strings.HasSuffix(f.Name(), lostSuffix)) {
			orphans = append(orphans, orphan{id: id, path: filepath.Join(in.dir, f.Name())})
		}
	}
	return orphans
}

// findLost returns the orphans whose contents are not proved to be elsewhere.
func (in *inspection) findLost() (lost []orphan, err error) {
	if len(in.orphans) == 0 {
		return nil, nil
	}
	sealed, err := in.sealed()
	if err != nil {
		return nil, err
	}
	for _, o := range in.orphans {
		if o.why, err = in.missingOf(o, sealed); err != nil {
			return nil, err
		}
		if o.why != "" {
			lost = append(lost, o)
		}
	}
	return lost, nil
}

// sealed returns the newest complete version in the tables and logs.
func (in *inspection) sealed() (uint64, error) {
	newest := in.known()
	for _, x := range in.logs {
		newest = max(newest, x.Last)
	}
	var opened, sealed, before uint64
	err := in.eachEntry([][]byte{openKey, sealKey}, func(e badgerfile.Entry) bool {
		switch {
		case bytes.Equal(e.Key, openKey) && e.Version > opened && len(e.Value) == 8:
			opened, before = e.Version, binary.BigEndian.Uint64(e.Value)
		case bytes.Equal(e.Key, sealKey):
			sealed = max(sealed, e.Version)
		}
		return true
	})
	if opened > sealed {
		newest = before
	}
	return newest, err
}

// eachEntry calls f with the entries of the logs, and with those of the tables
// that may be of some keys, which ascend, until it returns false: levels from
// the top, so that what a compaction was about to write is soon found.
func (in *inspection) eachEntry(keys [][]byte, f func(badgerfile.Entry) bool) error {
	enough := errors.New("enough")
	g := func(e badgerfile.Entry) error {
		if !f(e) {
			return enough
		}
		return nil
	}
	for _, x := range in.logs {
		if err := x.Entries(in.dir, g); err == enough {
			return nil
		} else if err != nil {
			return fileError(err)
		}
	}
	var r badgerfile.TableReader
	byLevel := func(a, b *levelFile) int { return cmp.Compare(a.Level, b.Level) }
	for _, t := range slices.SortedFunc(maps.Values(in.tables), byLevel) {
		if err := r.EntriesNear(t.Table, keys, g); errors.Is(err, enough) {
			return nil
		} else if err != nil {
			return fileError(err)
		}
	}
	return nil
}

// claim is the newest entry of a key in an orphan.
type claim struct {
	version uint64
	deleted bool
	older   bool // elsewhere there is an older entry of the key
	found   bool // elsewhere there is this entry, or one in its place
}

// missingOf returns what an orphan has that nothing else has, or "".
func (in *inspection) missingOf(o orphan, sealed uint64) (string, error) {
	claims, newest, err := readOrphan(o)
	if err != nil {
		if incomplete, err2 := badgerfile.Incomplete(o.path); err2 != nil || incomplete {
			return "", fileError(err2) // it was never listed
		}
		if errors.Is(err, badgerfile.ErrDamaged) {
			return "it cannot be read: " + err.Error(), nil
		}
		return "", fileError(err)
	}
	if in.deleted[o.id] && newest <= in.known() {
		return "", nil // by a compaction, which may have dropped what is in it
	}
	keys := make([][]byte, 0, len(claims))
	for _, key := range slices.Sorted(maps.Keys(claims)) {
		keys = append(keys, []byte(key))
	}
	left := len(claims)
	err = in.eachEntry(keys, func(e badgerfile.Entry) bool {
		c := claims[string(e.Key)]
		switch {
		case c == nil || c.found:
		case e.Version == c.version, e.Version > c.version && e.Version <= sealed:
			c.found = true
			left--
		case e.Version < c.version:
			c.older = true
		}
		return left > 0
	})
	if err != nil {
		return "", err
	}
	missing := 0
	for _, c := range claims {
		if !c.found && !(c.deleted && !c.older && c.version <= sealed) {
			missing++
		}
	}
	if missing == 0 {
		return "", nil
	}
	return fmt.Sprintf("of its %d keys, %d are not elsewhere as it has them", len(claims), missing), nil
}

// readOrphan returns the newest entry of each key of an orphan, and the newest
// version in it.
func readOrphan(o orphan) (claims map[string]*claim, newest uint64, err error) {
	claims = make(map[string]*claim)
	var r badgerfile.TableReader
	err = r.Entries(badgerfile.Table{Path: o.path, Compression: options.Snappy}, func(e badgerfile.Entry) error {
		newest = max(newest, e.Version)
		if claims[string(e.Key)] == nil {
			claims[string(e.Key)] = &claim{version: e.Version, deleted: e.Deleted}
		}
		return nil
	})
	return claims, newest, err
}

// setAside renames lost tables, of which Badger would delete those that are
// named like tables.
func (in *inspection) setAside(suffix string) error {
	for _, o := range in.lost {
		to := strings.TrimSuffix(o.path, lostSuffix) + suffix
		if to == o.path {
			continue
		}
		if _, err := os.Lstat(to); err == nil {
			return fmt.Errorf("badgerstore: %s and %s are both lost tables: %w", o.path, to, store.ErrCorrupt)
		}
		if err := os.Rename(o.path, to); err != nil {
			return fmt.Errorf("badgerstore: %w", err)
		}
	}
	if len(in.lost) == 0 {
		return nil
	}
	if err := syncDir(in.dir); err != nil {
		return fmt.Errorf("badgerstore: %w", err)
	}
	return nil
}

// lostError says what is lost.
func (in *inspection) lostError() error {
	o := in.lost[0]
	return fmt.Errorf("badgerstore: the MANIFEST does not list table file %s, and %s; %d such files are kept, named *.sst%s; "+
		"put back the MANIFEST that lists them, or move them elsewhere to go on without them: %w",
		o.path, o.why, len(in.lost), lostSuffix, store.ErrCorrupt)
}
