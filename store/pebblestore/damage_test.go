package pebblestore_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/pebblestore"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func update(s store.Store, f func(store.Tx) error) error {
	tx, err := s.Begin(ctx, true)
	if err != nil {
		return err
	}
	defer tx.Discard()
	if err := f(tx); err != nil {
		return err
	}
	_, err = tx.Commit()
	return err
}

func view(s store.Store, f func(store.Tx) error) error {
	tx, err := s.Begin(ctx, false)
	if err != nil {
		return err
	}
	defer tx.Discard()
	return f(tx)
}

// history is what a store held at each of its versions.
type history struct {
	states map[uint64]map[string]string
	last   uint64
	more   int // bytes in a value
}

func newHistory() *history {
	return &history{states: map[uint64]map[string]string{1: {}}, last: 1}
}

// write commits some writes, and notes what the store has then.
func (h *history) write(s store.Store, r *rand.Rand, writes int) error {
	next := maps.Clone(h.states[h.last])
	tx, err := s.Begin(ctx, true)
	if err != nil {
		return err
	}
	defer tx.Discard()
	for range writes {
		key := fmt.Sprintf("key/%05d", r.IntN(300))
		if r.IntN(4) == 0 {
			delete(next, key)
			err = errors.Join(err, tx.Delete([]byte(key)))
			continue
		}
		next[key] = fmt.Sprint(key, strings.Repeat("v", r.IntN(40+h.more)), r.Uint64())
		err = errors.Join(err, tx.Set([]byte(key), []byte(next[key])))
	}
	if err != nil {
		return err
	}
	// Whatever comes of the commit, this is what the version would be.
	h.states[h.last+1] = next
	version, err := tx.Commit()
	if err == nil && version != h.last+1 {
		return fmt.Errorf("commit is version %d after %d", version, h.last)
	}
	if err == nil {
		h.last = version
	}
	return err
}

// read reads a store and returns its version, having failed t if what it holds is
// not what it held at that version.
func (h *history) read(t testing.TB, s store.Store) (version uint64, err error) {
	t.Helper()
	err = view(s, func(tx store.Tx) error {
		version = tx.Version()
		want, ok := h.states[version]
		if !ok {
			t.Errorf("the store is at version %d, which there never was", version)
		}
		for key, value := range want {
			if got, err := tx.Get([]byte(key)); errors.Is(err, store.ErrNotFound) || err == nil && string(got) != value {
				t.Errorf("version %d: Get(%q) = %q, %v", version, key, got, err)
			} else if err != nil {
				return err
			}
		}
		c, err := tx.Scan(store.Range{})
		if err != nil {
			return err
		}
		defer c.Close()
		for _, key := range slices.Sorted(maps.Keys(want)) {
			if !c.Next() {
				if c.Err() == nil {
					t.Errorf("version %d: a scan ends before %q, without an error", version, key)
				}
				return c.Err()
			}
			if string(c.Key()) != key || string(c.Value()) != want[key] {
				t.Errorf("version %d: a scan shows %q for %q", version, c.Key(), key)
			}
		}
		if c.Next() {
			t.Errorf("version %d: a scan shows %q after the end", version, c.Key())
		}
		return c.Err()
	})
	return version, err
}

const dir = "/db"

// files is the content of a directory.
type files map[string][]byte

// filesIn reads the directory in a file system.
func filesIn(t testing.TB, fs vfs.FS) files {
	t.Helper()
	all := files{}
	names, err := fs.List(dir)
	check(t, err)
	for _, name := range names {
		f, err := fs.Open(fs.PathJoin(dir, name))
		check(t, err)
		all[name], err = io.ReadAll(f)
		check(t, errors.Join(err, f.Close()))
	}
	return all
}

// fs returns a file system with the files in it.
func (all files) fs(t testing.TB) vfs.FS {
	t.Helper()
	fs := vfs.NewMem()
	check(t, fs.MkdirAll(dir, 0o700))
	for name, data := range all {
		f, err := fs.Create(fs.PathJoin(dir, name), "")
		check(t, err)
		_, err = f.Write(bytes.Clone(data))
		check(t, errors.Join(err, f.Sync(), f.Close()))
	}
	return fs
}

// small makes a small store with tables and, if it is left as a kill would, a log.
func small(t testing.TB, kill bool) (files, *history) {
	t.Helper()
	fs, h, r := vfs.NewMem(), newHistory(), rand.New(rand.NewPCG(1, 2))
	check(t, fs.MkdirAll(dir, 0o700))
	for range 2 {
		s, err := pebblestore.OpenIn(fs, dir, nil)
		check(t, err)
		for range 4 {
			check(t, h.write(s, r, 20))
		}
		check(t, s.Close())
	}
	if !kill {
		return filesIn(t, fs), h
	}
	s, err := pebblestore.OpenIn(fs, dir, nil)
	check(t, err)
	defer s.Close()
	for range 4 {
		check(t, h.write(s, r, 20))
	}
	return filesIn(t, fs), h
}

// try opens a damaged store, reads and verifies it, and returns the version that it
// opens with, 0 if not.
func try(t *testing.T, all files, h *history, opts *pebblestore.Options) uint64 {
	t.Helper()
	s, err := pebblestore.OpenIn(all.fs(t), dir, opts)
	if err != nil {
		isDamage(t, "Open", err)
		return 0
	}
	version, err := h.read(t, s)
	if err != nil {
		isDamage(t, "a read", err)
		isDamage(t, "Verify", s.Verify(ctx))
		isDamage(t, "Commit", update(s, func(tx store.Tx) error { return tx.Set(nil, nil) }))
		s.Close() // may say so again
		return 0
	}
	check(t, s.Close())
	return version
}

// isDamage checks that an error says that the store is damaged.
func isDamage(t testing.TB, call string, err error) {
	t.Helper()
	if !errors.Is(err, store.ErrCorrupt) && !errors.Is(err, pebblestore.ErrForeign) {
		t.Errorf("%s = %v, want ErrCorrupt", call, err)
	}
}

// TestDamagedByte: whatever byte of whatever file is damaged, the store is refused,
// or a read fails, or everything is there, but for the last commit in a log that
// was not closed.
func TestDamagedByte(t *testing.T) {
	for _, killed := range []bool{false, true} {
		all, h := small(t, killed)
		for name, data := range all {
			t.Run(fmt.Sprintf("killed=%t/%s", killed, name), func(t *testing.T) {
				opened, step := 0, 1
				if testing.Short() || raceEnabled {
					step = 1 + len(data)/20
				}
				for at := 0; at < len(data); at += step {
					damaged := maps.Clone(all)
					damaged[name] = bytes.Clone(data)
					damaged[name][at] ^= 1 << (at % 8)
					version := try(t, damaged, h, nil)
					if version > 0 {
						opened++
					}
					if lost := h.last - version; version > 0 && lost > 0 && (lost > 1 || !strings.HasSuffix(name, ".log") || !killed) {
						t.Errorf("version %d of %d, without an error", version, h.last)
					}
					if t.Failed() {
						t.Fatalf("byte %d of %d", at, len(data))
					}
				}
				t.Logf("%d bytes, opened %d times", len(data), opened)
			})
		}
	}
}

// TestRemovedFile: whatever file is gone, the store is refused or has everything.
func TestRemovedFile(t *testing.T) {
	for _, killed := range []bool{false, true} {
		all, h := small(t, killed)
		for name := range all {
			for _, readOnly := range []bool{false, true} {
				damaged := maps.Clone(all)
				delete(damaged, name)
				version := try(t, damaged, h, &pebblestore.Options{ReadOnly: readOnly})
				t.Logf("killed=%t, without %s, read-only %t: version %d of %d", killed, name, readOnly, version, h.last)
				if version > 0 && version != h.last {
					t.Errorf("killed=%t, without %s: version %d of %d, without an error", killed, name, version, h.last)
				}
			}
		}
	}
}

// TestCutFile: whatever file has been cut, the store is refused or has everything,
// but for the end of a log that was not closed.
func TestCutFile(t *testing.T) {
	for _, killed := range []bool{false, true} {
		all, h := small(t, killed)
		for name, data := range all {
			step := max(1, len(data)/100)
			if testing.Short() || raceEnabled {
				step = 1 + len(data)/8
			}
			for n := 0; n < len(data); n += step {
				damaged := maps.Clone(all)
				damaged[name] = data[:n]
				version := try(t, damaged, h, nil)
				if version > 0 && version != h.last && (!killed || !strings.HasSuffix(name, ".log")) {
					t.Errorf("version %d of %d, without an error", version, h.last)
				}
				if t.Failed() {
					t.Fatalf("killed=%t: %d of %d bytes of %s", killed, n, len(data), name)
				}
			}
		}
	}
}

// TestForeign: what is not a store is left alone.
func TestForeign(t *testing.T) {
	path := t.TempDir()
	check(t, os.WriteFile(filepath.Join(path, "letter.txt"), []byte("dear"), 0o600))
	if _, err := pebblestore.Open(path, nil); !errors.Is(err, pebblestore.ErrForeign) {
		t.Errorf("Open = %v, want ErrForeign", err)
	}
	if _, err := pebblestore.Open(filepath.Join(path, "letter.txt"), nil); !errors.Is(err, pebblestore.ErrForeign) {
		t.Errorf("Open of a file = %v, want ErrForeign", err)
	}
	if all, err := os.ReadDir(path); err != nil || len(all) != 1 {
		t.Errorf("the directory has changed: %v, %v", all, err)
	}
}
