package sqlitestore

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/kivisdb/kivis/store/sqlitestore/internal/walfile"
)

// fileSystem is how SQLite reaches the files of one store: it is the system's, with
// checksums of pages.
type fileSystem struct {
	vfs.VFSFilename
	name string

	// A store that is only read has no log for SQLite to read and to write to: it
	// is shown the file as the log would make it.
	log     *os.File
	content walfile.Log

	frames frames // of the log that is being written

	mu     sync.Mutex
	opened map[vfs.File]bool // by connections; true until it is closed

	wrap func(name string, flags vfs.OpenFlag, f vfs.File) vfs.File // for tests
}

var fileSystems atomic.Int64

// newFileSystem returns a file system that is registered until it is dropped.
func newFileSystem() *fileSystem {
	fs := &fileSystem{VFSFilename: vfs.Find("").(vfs.VFSFilename), wrap: wrapFile, opened: map[vfs.File]bool{}}
	fs.name = fmt.Sprint("kivis", fileSystems.Add(1))
	vfs.Register(fs.name, fs)
	return fs
}

// wrapFile is what tests have each file wrapped by.
var wrapFile func(name string, flags vfs.OpenFlag, f vfs.File) vfs.File

// drop ends a file system. A connection that the engine has panicked in may have left
// files open, and with them its locks.
func (fs *fileSystem) drop() {
	vfs.Unregister(fs.name)
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for f := range fs.opened {
		f.Close()
	}
}

// track notes that a file is open.
func (fs *fileSystem) track(f vfs.File) *tracked {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.opened[f] = true
	return &tracked{f, fs}
}

// tracked is a file that is noted until it is closed.
type tracked struct {
	vfs.File
	fs *fileSystem
}

// Close implements vfs.File.
func (f *tracked) Close() error {
	f.fs.mu.Lock()
	delete(f.fs.opened, f.File)
	f.fs.mu.Unlock()
	return f.File.Close()
}

// OpenFilename implements vfs.VFSFilename.
func (fs *fileSystem) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	if flags&vfs.OPEN_WAL != 0 && flags&vfs.OPEN_CREATE != 0 {
		asPrivate(name.String())
	}
	f, flags, err := fs.VFSFilename.OpenFilename(name, flags)
	if err != nil {
		return f, flags, err
	}
	if fs.wrap != nil {
		f = fs.wrap(name.String(), flags, f)
	}
	switch {
	case flags&vfs.OPEN_MAIN_DB != 0:
		return &dbFile{tracked: fs.track(f)}, flags, nil
	case flags&vfs.OPEN_WAL != 0:
		return &walFile{tracked: fs.track(f), frames: &fs.frames, own: math.MaxInt64}, flags, nil
	}
	return f, flags, nil
}

// asPrivate makes a log that only they may read who may read its file: SQLite would
// let everybody. Where that fails, it is SQLite that says why.
func asPrivate(log string) {
	info, err := os.Stat(strings.TrimSuffix(log, logSuffix))
	if err != nil {
		return
	}
	if f, err := os.OpenFile(log, os.O_RDWR|os.O_CREATE|os.O_EXCL, info.Mode().Perm()); err == nil {
		f.Close()
	}
}

// fileError has SQLite know that a disk is full: it leaves alone what it has
// written so far.
func fileError(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return sqlite3.FULL
	}
	return err
}

// dbFile is a file of pages, each with its checksum.
type dbFile struct {
	*tracked
	sealed [pageSize]byte // scratch
}

// pageNumber returns the number of the page at an offset, if n bytes there are one.
func pageNumber(n int, off int64) (uint32, bool) {
	return uint32(off/pageSize) + 1, n == pageSize && off%pageSize == 0
}

// ReadAt implements vfs.File.
func (f *dbFile) ReadAt(p []byte, off int64) (int, error) {
	number, whole := pageNumber(len(p), off)
	if at, ok := f.fs.content.Frames[number]; ok {
		return f.fs.log.ReadAt(p, at+off%pageSize)
	}
	n, err := f.File.ReadAt(p, off)
	if whole && n == pageSize && !openPage(p, number) {
		return 0, sqlite3.IOERR_DATA
	}
	return n, err
}

// WriteAt implements vfs.File.
func (f *dbFile) WriteAt(p []byte, off int64) (int, error) {
	if number, whole := pageNumber(len(p), off); whole {
		copy(f.sealed[:], p)
		sealPage(f.sealed[:], number)
		p = f.sealed[:]
	}
	n, err := f.File.WriteAt(p, off)
	return n, fileError(err)
}

// Size implements vfs.File.
func (f *dbFile) Size() (int64, error) {
	if pages := f.fs.content.Pages; pages != 0 {
		return int64(pages) * pageSize, nil
	}
	return f.File.Size()
}

// Truncate implements vfs.File.
func (f *dbFile) Truncate(size int64) error { return fileError(f.File.Truncate(size)) }

// DeviceCharacteristics implements vfs.File: a part of a page that was read by itself
// could not be held against its checksum.
func (f *dbFile) DeviceCharacteristics() vfs.DeviceCharacteristic {
	return f.File.DeviceCharacteristics() &^ vfs.IOCAP_SUBPAGE_READ
}

// SizeHint implements vfs.FileSizeHint.
func (f *dbFile) SizeHint(size int64) error {
	if h, ok := f.File.(vfs.FileSizeHint); ok {
		return fileError(h.SizeHint(size))
	}
	return nil
}

// SharedMemory implements vfs.FileSharedMemory.
func (f *dbFile) SharedMemory() vfs.SharedMemory {
	if sh, ok := f.File.(vfs.FileSharedMemory); ok {
		return sh.SharedMemory()
	}
	return nil
}
