package pebblestore

import (
	"hash/crc32"
	"io"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// guardFS is the file system as Pebble sees it: it tells the guard what Pebble
// does, and does without the syncs of logs where they are not wanted.
type guardFS struct {
	vfs.FS
	guard  *guard
	noSync bool
	locked bool // by the store itself
}

func isLog(name string) bool      { return strings.HasSuffix(name, ".log") }
func isManifest(name string) bool { return strings.HasPrefix(name, "MANIFEST-") }

// Create implements vfs.FS.
func (f *guardFS) Create(path string, category vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.Create(path, category)
	if err != nil {
		return nil, err
	}
	name := f.PathBase(path)
	switch {
	case isLog(name):
		return f.newLog(file, name)
	case isManifest(name):
		return &manifestFile{File: file, guard: f.guard, name: name}, nil
	}
	return file, nil
}

// newLog notes a log, once its name is durable.
func (f *guardFS) newLog(file vfs.File, name string) (vfs.File, error) {
	err := f.guard.syncDir()
	if err == nil {
		err = f.guard.change(func(st *guardState) { st.logs[name] = true })
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	if f.noSync {
		return lazyFile{file}, nil
	}
	return file, nil
}

// ReuseForWrite implements vfs.FS. Nothing is used again: what an old log holds
// beyond the end of the new one would have to be told from damage.
func (f *guardFS) ReuseForWrite(from, to string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if err := f.Remove(from); err != nil {
		return nil, err
	}
	return f.Create(to, category)
}

// Remove implements vfs.FS.
func (f *guardFS) Remove(path string) error {
	name := f.PathBase(path)
	if isLog(name) || isManifest(name) {
		err := f.guard.change(func(st *guardState) {
			delete(st.logs, name)
			delete(st.manifests, name)
		})
		if err != nil {
			return err
		}
	}
	return f.FS.Remove(path)
}

// Lock implements vfs.FS.
func (f *guardFS) Lock(path string) (io.Closer, error) {
	if f.locked {
		return io.NopCloser(nil), nil
	}
	return f.FS.Lock(path)
}

// Unwrap implements vfs.FS.
func (f *guardFS) Unwrap() vfs.FS { return f.FS }

// lazyFile is a file that leaves it to the system when it gets to the disk.
type lazyFile struct{ vfs.File }

// Sync implements vfs.File.
func (lazyFile) Sync() error { return nil }

// SyncData implements vfs.File.
func (lazyFile) SyncData() error { return nil }

// SyncTo implements vfs.File.
func (lazyFile) SyncTo(int64) (bool, error) { return false, nil }

// manifestFile is a list of tables that is being written.
type manifestFile struct {
	vfs.File
	guard  *guard
	name   string
	prefix prefix
}

// Write implements vfs.File.
func (f *manifestFile) Write(b []byte) (int, error) {
	// The sum comes first: Write may change b.
	sum := crc32.Update(f.prefix.sum, castagnoli, b)
	n, err := f.File.Write(b)
	if err == nil {
		f.prefix = prefix{f.prefix.size + int64(n), sum}
	}
	return n, err
}

// Sync implements vfs.File.
func (f *manifestFile) Sync() error {
	if err := f.File.Sync(); err != nil {
		return err
	}
	return f.guard.change(func(st *guardState) { st.manifests[f.name] = f.prefix })
}

// SyncData implements vfs.File.
func (f *manifestFile) SyncData() error { return f.Sync() }
