package sqlitestore_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/kivisdb/kivis/store/sqlitestore"
)

// disk is what lies under a store in a test: it knows what was synced, and fails on
// demand.
type disk struct {
	mu    sync.Mutex
	files map[string]*diskFile
	fail  func(call string) error // may be nil; called under the lock
	then  func()                  // after each write; may be nil; called under the lock
}

// diskFile is what a power failure would leave of a file.
type diskFile struct {
	synced  []byte
	pending []diskWrite
}

// diskWrite is a write, or where data is nil a change of size.
type diskWrite struct {
	data []byte
	at   int64
}

// sector is what a disk writes whole or not at all.
const sector = 512

// newDisk has stores from here on use a disk, to the end of the test.
func newDisk(t testing.TB, frames int) *disk {
	d := &disk{files: map[string]*diskFile{}}
	t.Cleanup(sqlitestore.WrapFiles(func(name string, flags vfs.OpenFlag, f vfs.File) vfs.File {
		return &handle{File: f, d: d, file: d.open(name)}
	}, frames))
	return d
}

// open returns a file, which is all synced if it is new here.
func (d *disk) open(name string) *diskFile {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.files[name]
	if f == nil {
		data, _ := os.ReadFile(name)
		f = &diskFile{synced: data}
		d.files[name] = f
	}
	return f
}

// set has calls fail.
func (d *disk) set(fail func(call string) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fail = fail
}

// crash returns what a power failure would leave now of the files: what was
// synced, and of each sector that was written since what one write or the other
// made of it.
func (d *disk) crash(r *rand.Rand) map[string][]byte {
	left := map[string][]byte{}
	for name, f := range d.files {
		data := bytes.Clone(f.synced)
		keep := r.IntN(3) // none, some or all
		for _, w := range f.pending {
			if w.data == nil {
				if keep > 0 {
					data = resize(data, w.at)
				}
				continue
			}
			data = w.tear(data, func() bool { return keep == 2 || keep == 1 && r.IntN(2) == 0 })
		}
		left[filepath.Base(name)] = data
	}
	return left
}

// tear makes a write, of the sectors that arrive.
func (w diskWrite) tear(data []byte, arrives func() bool) []byte {
	for from := int64(0); from < int64(len(w.data)); {
		to := min((w.at+from)/sector*sector+sector-w.at, int64(len(w.data)))
		if arrives() {
			data = resize(data, max(int64(len(data)), w.at+to))
			copy(data[w.at+from:], w.data[from:to])
		}
		from = to
	}
	return data
}

func resize(data []byte, n int64) []byte {
	if n <= int64(len(data)) {
		return data[:n]
	}
	return append(data, make([]byte, n-int64(len(data)))...)
}

// handle is an open file of a disk's.
type handle struct {
	vfs.File
	d    *disk
	file *diskFile
}

// do makes a call, unless it is to fail.
func (h *handle) do(call string, f func() error) error {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	if h.d.fail != nil {
		if err := h.d.fail(call); err != nil {
			return err
		}
	}
	err := f()
	if h.d.then != nil {
		h.d.then()
	}
	return err
}

func (h *handle) ReadAt(p []byte, off int64) (n int, err error) {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	if h.d.fail != nil {
		if err := h.d.fail("read"); err != nil {
			return 0, err
		}
	}
	return h.File.ReadAt(p, off)
}

func (h *handle) WriteAt(p []byte, off int64) (n int, err error) {
	err = h.do("write", func() error {
		h.file.pending = append(h.file.pending, diskWrite{bytes.Clone(p), off})
		n, err = h.File.WriteAt(p, off)
		return err
	})
	return n, err
}

func (h *handle) Truncate(size int64) error {
	return h.do("truncate", func() error {
		h.file.pending = append(h.file.pending, diskWrite{nil, size})
		return h.File.Truncate(size)
	})
}

func (h *handle) Sync(flags vfs.SyncFlag) error {
	return h.do("sync", func() error {
		for _, w := range h.file.pending {
			if w.data == nil {
				h.file.synced = resize(h.file.synced, w.at)
				continue
			}
			h.file.synced = w.tear(h.file.synced, func() bool { return true })
		}
		h.file.pending = nil
		return nil // the test's disk is memory enough
	})
}

func (h *handle) SharedMemory() vfs.SharedMemory {
	if f, ok := h.File.(vfs.FileSharedMemory); ok {
		return f.SharedMemory()
	}
	return nil
}
