package pebblestore

import (
	"hash/crc32"
	"io"
	"strings"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// guardFS is the file system as Pebble sees it: it tells the guard what Pebble
// does, does without the syncs of logs where they are not wanted, has the engine
// end where a log cannot be written, and lets nothing through after that.
type guardFS struct {
	vfs.FS
	guard    *guard
	collapse *collapse
	noSync   bool
	locked   bool        // by the store itself
	opened   atomic.Bool // until then errors go to Pebble, and from there to Open
}

func isLog(name string) bool      { return strings.HasSuffix(name, ".log") }
func isManifest(name string) bool { return strings.HasPrefix(name, "MANIFEST-") }

// fatal ends the engine on an error with a log, which Pebble would not survive.
func (f *guardFS) fatal(err error) error {
	if err != nil && f.opened.Load() {
		f.collapse.note("a log cannot be written: %w", err)
		stop()
	}
	return err
}

// Create implements vfs.FS.
func (f *guardFS) Create(path string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f.collapse.pass()
	name := f.PathBase(path)
	file, err := f.FS.Create(path, category)
	switch {
	case isLog(name):
		return f.newLog(file, name, err)
	case err != nil:
		return nil, err
	case isManifest(name):
		return &manifestFile{plainFile: plainFile{file, f}, name: name}, nil
	}
	return plainFile{file, f}, nil
}

// newLog notes a log, once its name is durable.
func (f *guardFS) newLog(file vfs.File, name string, err error) (vfs.File, error) {
	if err == nil {
		err = f.guard.syncDir()
	}
	if err == nil {
		err = f.guard.change(func(st *guardState) { st.logs[name] = true })
	}
	if f.fatal(err) != nil {
		if file != nil {
			file.Close()
		}
		return nil, err
	}
	return logFile{plainFile{file, f}}, nil
}

// ReuseForWrite implements vfs.FS. Nothing is used again: what an old log holds
// beyond the end of the new one would have to be told from damage.
func (f *guardFS) ReuseForWrite(from, to string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if err := f.fatal(f.Remove(from)); err != nil {
		return nil, err
	}
	return f.Create(to, category)
}

// Remove implements vfs.FS.
func (f *guardFS) Remove(path string) error {
	f.collapse.pass()
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

// Rename implements vfs.FS.
func (f *guardFS) Rename(from, to string) error {
	f.collapse.pass()
	return f.FS.Rename(from, to)
}

// OpenDir implements vfs.FS.
func (f *guardFS) OpenDir(path string) (vfs.File, error) {
	file, err := f.FS.OpenDir(path)
	if err != nil {
		return nil, f.fatal(err)
	}
	return dirFile{plainFile{file, f}}, nil
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

// plainFile is a file that is not written after the engine's end.
type plainFile struct {
	vfs.File
	fs *guardFS
}

// Write implements vfs.File.
func (f plainFile) Write(b []byte) (int, error) {
	f.fs.collapse.pass()
	return f.File.Write(b)
}

// logFile is a log. Without syncs the system decides when it gets to the disk.
type logFile struct{ plainFile }

// Write implements vfs.File.
func (f logFile) Write(b []byte) (int, error) {
	n, err := f.plainFile.Write(b)
	return n, f.fs.fatal(err)
}

// Close implements vfs.File.
func (f logFile) Close() error { return f.fs.fatal(f.File.Close()) }

// Sync implements vfs.File.
func (f logFile) Sync() error { return f.sync(f.File.Sync) }

// SyncData implements vfs.File.
func (f logFile) SyncData() error { return f.sync(f.File.SyncData) }

func (f logFile) sync(sync func() error) error {
	f.fs.collapse.pass()
	if f.fs.noSync {
		return nil
	}
	return f.fs.fatal(sync())
}

// SyncTo implements vfs.File.
func (f logFile) SyncTo(n int64) (bool, error) {
	if f.fs.noSync {
		return false, nil
	}
	f.fs.collapse.pass()
	full, err := f.File.SyncTo(n)
	return full, f.fs.fatal(err)
}

// Preallocate implements vfs.File.
func (f logFile) Preallocate(at, n int64) error { return f.fs.fatal(f.File.Preallocate(at, n)) }

// dirFile is a directory, which Pebble syncs after it has made a log.
type dirFile struct{ plainFile }

// Sync implements vfs.File.
func (f dirFile) Sync() error {
	f.fs.collapse.pass()
	return f.fs.fatal(f.File.Sync())
}

// manifestFile is a list of tables that is being written.
type manifestFile struct {
	plainFile
	name   string
	prefix prefix
}

// Write implements vfs.File.
func (f *manifestFile) Write(b []byte) (int, error) {
	// The sum comes first: Write may change b.
	sum := crc32.Update(f.prefix.sum, castagnoli, b)
	n, err := f.plainFile.Write(b)
	if err == nil {
		f.prefix = prefix{f.prefix.size + int64(n), sum}
	}
	return n, err
}

// Sync implements vfs.File.
func (f *manifestFile) Sync() error {
	f.fs.collapse.pass()
	if err := f.File.Sync(); err != nil {
		return err
	}
	return f.fs.guard.change(func(st *guardState) { st.manifests[f.name] = f.prefix })
}

// SyncData implements vfs.File.
func (f *manifestFile) SyncData() error { return f.Sync() }
