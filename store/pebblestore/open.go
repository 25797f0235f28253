package pebblestore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/pebblestore/internal/walfile"
)

// openEngine locks the directory, looks at it, has Pebble open it, and returns the
// version in it.
func (s *Store) openEngine() (version uint64, err error) {
	if err := s.claimDir(); err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			s.lock.release()
		}
	}()
	s.guard = &guard{fs: s.fs, dir: s.dir}
	if err := s.inspect(); err != nil {
		return 0, err
	}
	was := s.guard.state
	if !s.opts.ReadOnly {
		err := s.guard.change(func(st *guardState) { st.closed, st.noSync = false, st.noSync || s.opts.NoSync })
		if err != nil {
			return 0, err
		}
	}
	if err := s.openPebble(); err != nil {
		return 0, err
	}
	version, err = s.settle(was)
	if err == nil && was.noSync && !s.opts.NoSync && !s.opts.ReadOnly {
		// What was in the logs is in tables now, which are always synced.
		err = s.guard.change(func(st *guardState) { st.noSync = false })
	}
	if err != nil {
		s.within(s.closePebble)
		return 0, err
	}
	return version, nil
}

// openPebble opens Pebble.
func (s *Store) openPebble() (err error) {
	s.pebbleFS = &guardFS{FS: s.fs, guard: s.guard, collapse: s.collapse, noSync: s.opts.NoSync, locked: s.lock.file != nil}
	s.db, err = await(s.collapse, func() (db *pebble.DB, err error) {
		defer s.caught(&err)
		opts := s.opts.pebble()
		defer opts.Cache.Unref()
		opts.FS, opts.Logger, opts.EventListener = s.pebbleFS, s.logger, s.logger.listener()
		if db, err = pebble.Open(s.dir, opts); err != nil {
			return nil, s.openError(err)
		}
		return db, nil
	})
	if err == nil {
		s.pebbleFS.opened.Store(true)
		s.applier = newApplier(s)
	}
	return err
}

// inspect looks at a directory before Pebble does. Nobody else has it.
func (s *Store) inspect() error {
	files, err := s.fs.List(s.dir)
	if err != nil {
		return fmt.Errorf("pebblestore: %w", err)
	}
	files = slices.DeleteFunc(files, func(name string) bool { return name == guardTemp || name == "LOCK" })
	st, ok, err := readGuard(s.fs, s.dir)
	if err != nil {
		return err
	}
	s.guard.state = st
	s.guard.version.Store(st.version)
	switch {
	case !ok && len(files) > 0 && slices.ContainsFunc(files, isEngineFile):
		return fmt.Errorf("pebblestore: %s has files of Pebble's, but no %s: it is another program's, or damaged: %w: %w",
			s.dir, guardName, ErrForeign, store.ErrCorrupt)
	case !ok && len(files) > 0:
		return fmt.Errorf("pebblestore: %s holds other files, such as %s: %w", s.dir, files[0], ErrForeign)
	case s.opts.ReadOnly && st.version == 0:
		return fmt.Errorf("pebblestore: there is no store in %s to be read: %w", s.dir, errMissing)
	case st.version == 0:
		return s.startAgain(files)
	}
	if err := s.checkManifest(files); err != nil {
		return fmt.Errorf("pebblestore: %s: %w: %w", s.dir, err, store.ErrCorrupt)
	}
	return s.checkLogs(files)
}

// isEngineFile says whether a name is one of Pebble's.
func isEngineFile(name string) bool {
	return isLog(name) || isManifest(name) || strings.HasSuffix(name, ".sst") ||
		strings.HasPrefix(name, "marker.") || strings.HasPrefix(name, "OPTIONS-")
}

// startAgain removes what there is of a store that was never made whole.
func (s *Store) startAgain(files []string) error {
	for _, name := range files {
		if !isEngineFile(name) {
			continue
		}
		if err := s.fs.Remove(s.fs.PathJoin(s.dir, name)); err != nil {
			return fmt.Errorf("pebblestore: %w", err)
		}
	}
	s.guard.state = guardState{logs: map[string]bool{}, manifests: map[string]prefix{}}
	return nil
}

// manifestMark begins the name of the file whose name says which list is the
// newest: marker.manifest.<serial>.<list>. The highest serial counts.
const manifestMark = "marker.manifest."

// checkManifest checks that the list of tables begins as it did.
func (s *Store) checkManifest(files []string) error {
	newest := ""
	for _, name := range files {
		if strings.HasPrefix(name, manifestMark) && name > newest {
			newest = name
		}
	}
	_, name, _ := strings.Cut(strings.TrimPrefix(newest, manifestMark), ".")
	want, ok := s.guard.state.manifests[name]
	if newest == "" || !ok {
		return fmt.Errorf("the file %s* that names the list of tables is gone", manifestMark)
	}
	data, err := readFile(s.fs, s.fs.PathJoin(s.dir, name))
	if err != nil {
		return err
	}
	if int64(len(data)) < want.size || crc32.Checksum(data[:want.size], castagnoli) != want.sum {
		return fmt.Errorf("the list of tables, %s, is not what it was", name)
	}
	return nil
}

// checkLogs checks that all logs are there, and whole as far as can be told.
func (s *Store) checkLogs(files []string) error {
	st := &s.guard.state
	if st.closed {
		return nil
	}
	for name := range st.logs {
		if !slices.Contains(files, name) {
			return fmt.Errorf("pebblestore: %s: the log %s is gone: %w", s.dir, name, store.ErrCorrupt)
		}
	}
	logs := slices.DeleteFunc(slices.Clone(files), func(name string) bool { return !isLog(name) })
	slices.Sort(logs)
	for i, name := range logs {
		number, err := strconv.ParseUint(strings.TrimSuffix(name, ".log"), 10, 64)
		if err != nil {
			return fmt.Errorf("pebblestore: %s: the log %s has no number: %w", s.dir, name, ErrForeign)
		}
		data, err := readFile(s.fs, s.fs.PathJoin(s.dir, name))
		if err != nil {
			return fmt.Errorf("pebblestore: %w", err)
		}
		end, state := walfile.End(data, number)
		bad := state == walfile.Damaged || state == walfile.Torn && i < len(logs)-1
		switch {
		case bad && st.noSync && !s.opts.ReadOnly:
			return s.cutLogs(logs[i:], data[:end])
		case bad:
			return fmt.Errorf("pebblestore: %s: the log %s is damaged at offset %d: %w", s.dir, name, end, store.ErrCorrupt)
		}
	}
	return nil
}

// cutLogs leaves of the first log what is whole, and nothing of the others, where
// a power failure has met a store without syncs.
func (s *Store) cutLogs(logs []string, whole []byte) error {
	if s.opts.Logger != nil {
		s.opts.Logger.Warn("pebblestore: commits are lost", "dir", s.dir, "log", logs[0], "offset", len(whole))
	}
	fs := &guardFS{FS: s.fs, guard: s.guard, collapse: s.collapse}
	for _, name := range slices.Backward(logs[1:]) {
		if err := fs.Remove(s.fs.PathJoin(s.dir, name)); err != nil {
			return fmt.Errorf("pebblestore: %w", err)
		}
	}
	path := s.fs.PathJoin(s.dir, logs[0])
	f, err := s.fs.Create(path+".cut", "")
	if err != nil {
		return fmt.Errorf("pebblestore: %w", err)
	}
	_, err = f.Write(whole)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = s.fs.Rename(path+".cut", path)
	}
	if err = errors.Join(err, s.guard.syncDir()); err != nil {
		return fmt.Errorf("pebblestore: %w", err)
	}
	return nil
}

// settle returns the version that Pebble has, after a check against what the guard
// said before it was opened. A new store gets its first one.
func (s *Store) settle(was guardState) (version uint64, err error) {
	defer s.caught(&err)
	stored, closer, err := s.db.Get(versionKey)
	switch {
	case errors.Is(err, pebble.ErrNotFound) && was.version == 0:
		return firstVersion, s.first()
	case errors.Is(err, pebble.ErrNotFound) && !was.noSync:
		return 0, s.damaged(fmt.Errorf("pebblestore: %s has no version, it was at %d: %w", s.dir, was.version, store.ErrCorrupt))
	case errors.Is(err, pebble.ErrNotFound):
		return firstVersion, s.first()
	case err != nil:
		return 0, s.engineError("get", err)
	}
	defer closer.Close()
	if len(stored) != 8 {
		return 0, s.damaged(fmt.Errorf("pebblestore: %s: the version is %x: %w", s.dir, stored, store.ErrCorrupt))
	}
	version = binary.BigEndian.Uint64(stored)
	if lost := version < was.version && !was.noSync; lost || was.closed && version != was.version {
		return 0, s.damaged(fmt.Errorf("pebblestore: %s is at version %d, it was at %d: %w", s.dir, version, was.version, store.ErrCorrupt))
	}
	s.guard.version.Store(version)
	return version, nil
}

const firstVersion = 1

// first makes the first version, after which the store is whole.
func (s *Store) first() error {
	b := s.db.NewBatch()
	if err := setVersion(b, firstVersion); err != nil {
		return s.engineError("making the store", err)
	}
	snap, err := s.applier.apply(b)
	if err != nil {
		return err
	}
	snap.release()
	s.guard.version.Store(firstVersion)
	return s.guard.change(func(*guardState) {})
}
