package sqlitestore_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/sqlitestore"
)

// files are those of a store, by what follows the name of the first.
type files map[string][]byte

const (
	logSuffix = "-wal"
	pageSize  = 4096
)

// filesAt reads the files of a store.
func filesAt(t testing.TB, path string) files {
	t.Helper()
	all := files{}
	for _, suffix := range []string{"", logSuffix} {
		data, err := os.ReadFile(path + suffix)
		if err == nil {
			all[suffix] = data
		} else if !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	return all
}

// put writes the files of a store, and removes any other.
func (f files) put(t testing.TB, path string) {
	t.Helper()
	for _, suffix := range []string{logSuffix, "-shm", ""} {
		if data, ok := f[suffix]; ok {
			check(t, os.WriteFile(path+suffix, data, 0o600))
		} else if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
}

// history is what a store held in each version.
type history struct {
	at   map[uint64]content
	last uint64
}

// small makes a small store, and returns its files and what it held. It is left as
// a kill would if kill says so, with part of its commits in the log.
func small(t testing.TB, kill bool) (files, history) {
	t.Helper()
	path := fileIn(t.TempDir())
	h := history{at: map[uint64]content{}}
	c, r := content{}, rand.New(rand.NewPCG(1, 2))
	for range 3 {
		s := open(t, path, &sqlitestore.Options{NoSync: true})
		for range 4 {
			c.write(t, s, r, 60, 12)
			h.last = versionOf(t, s)
			h.at[h.last] = maps.Clone(c)
		}
		if kill && len(h.at) == 12 {
			return filesAt(t, path), h
		}
		check(t, s.Close())
	}
	return filesAt(t, path), h
}

// try opens damaged files, and returns the version that is in them, all of which
// is there, or 0 if they are refused, by Open or at a read.
func try(t testing.TB, f files, h history, path string, opts *sqlitestore.Options) uint64 {
	t.Helper()
	f.put(t, path)
	s, err := sqlitestore.Open(path, opts)
	if err != nil {
		isDamage(t, "Open", err)
		return 0
	}
	defer s.Close()
	version := versionOf(t, s)
	want, ok := h.at[version]
	if !ok {
		t.Errorf("the store opens at version %d, which was none", version)
		return version
	}
	if err := want.read(t, s); err != nil {
		isDamage(t, "a read", err)
		isDamage(t, "Verify", s.Verify(ctx))
		if opts == nil {
			isDamage(t, "Commit", update(s, func(tx store.Tx) error { return tx.Set(nil, nil) }))
		}
		return 0
	}
	return version
}

// isDamage checks that an error says that the store is damaged, or is none.
func isDamage(t testing.TB, call string, err error) {
	t.Helper()
	if !errors.Is(err, store.ErrCorrupt) && !errors.Is(err, sqlitestore.ErrForeign) {
		t.Errorf("%s = %v, want ErrCorrupt", call, err)
	}
}

// written returns where a file is anything but zeros, or next to that.
func written(data []byte) (places []int) {
	for at := range data {
		around := data[max(0, at-16):min(len(data), at+16)]
		if !bytes.Equal(around, make([]byte, len(around))) {
			places = append(places, at)
		}
	}
	return places
}

// lost checks that no more was lost without an error than may be: the last commit of
// a log that was not closed, which a power failure would leave so.
func (h history) lost(t testing.TB, suffix string, version uint64) {
	t.Helper()
	if lost := h.last - version; version > 0 && lost > 0 && (lost > 1 || suffix != logSuffix) {
		t.Errorf("version %d of %d, without an error", version, h.last)
	}
}

// TestDamagedByte: whatever byte of a file is damaged, the store is refused, or a
// read fails, or everything is there but for the last commit of a killed process.
func TestDamagedByte(t *testing.T) {
	for _, killed := range []bool{false, true} {
		all, h := small(t, killed)
		if _, logged := all[logSuffix]; logged != killed {
			t.Fatalf("killed %t: there is a log: %t", killed, logged)
		}
		path := fileIn(t.TempDir())
		for suffix, data := range all {
			t.Run(fmt.Sprintf("killed=%t/db%s", killed, suffix), func(t *testing.T) {
				opened, tried, step := 0, 0, 1
				places := written(data)
				if testing.Short() || raceEnabled {
					step = 1 + len(places)/300
				}
				for i := 0; i < len(places); i += step {
					at := places[i]
					damaged := maps.Clone(all)
					damaged[suffix] = bytes.Clone(data)
					damaged[suffix][at] ^= 1 << (at % 8)
					var opts *sqlitestore.Options
					if at%3 == 0 {
						opts = &sqlitestore.Options{ReadOnly: true}
					}
					version := try(t, damaged, h, path, opts)
					tried++
					if version > 0 {
						opened++
					}
					h.lost(t, suffix, version)
					if t.Failed() {
						t.Fatalf("byte %d of %d", at, len(data))
					}
				}
				t.Logf("%d bytes, %d damaged, opened %d times", len(data), tried, opened)
			})
		}
	}
}

// TestRemovedFile: a store without one of its files is refused.
func TestRemovedFile(t *testing.T) {
	for _, killed := range []bool{false, true} {
		all, h := small(t, killed)
		for suffix := range all {
			for _, readOnly := range []bool{false, true} {
				if suffix == "" && (readOnly || !killed) {
					continue // there is nothing left of it
				}
				damaged := maps.Clone(all)
				delete(damaged, suffix)
				if version := try(t, damaged, h, fileIn(t.TempDir()), &sqlitestore.Options{ReadOnly: readOnly}); version != 0 {
					t.Errorf("killed=%t, without db%s, read-only %t: version %d of %d", killed, suffix, readOnly, version, h.last)
				}
			}
		}
	}
}

// TestLostLog: a store whose log is gone goes back to what the file has, once it may.
func TestLostLog(t *testing.T) {
	all, h := small(t, true)
	delete(all, logSuffix)
	path := fileIn(t.TempDir())
	if version := try(t, all, h, path, &sqlitestore.Options{NoSync: true}); version == 0 {
		t.Error("it is refused with NoSync, too")
	}
	s := open(t, path, nil)
	check(t, s.Verify(ctx))
}

// TestCutFile: a file that has been cut is refused, or has all that it had; a log
// may lose what it has had cut off.
func TestCutFile(t *testing.T) {
	for _, killed := range []bool{false, true} {
		all, h := small(t, killed)
		path := fileIn(t.TempDir())
		for suffix, data := range all {
			step := 101
			if testing.Short() || raceEnabled {
				step = 1 + len(data)/60
			}
			for n := 0; n < len(data); n += step {
				damaged := maps.Clone(all)
				damaged[suffix] = data[:n]
				version := try(t, damaged, h, path, nil)
				if version > 0 && suffix != logSuffix && version != h.last {
					t.Errorf("version %d of %d, without an error", version, h.last)
				}
				if t.Failed() {
					t.Fatalf("killed=%t: %d of %d bytes of db%s", killed, n, len(data), suffix)
				}
			}
		}
	}
}

// TestSwappedPages: a page in another's place is found, though each is sound.
func TestSwappedPages(t *testing.T) {
	all, h := small(t, false)
	data := all[""]
	for i := 1; i < len(data)/pageSize; i++ {
		damaged := bytes.Clone(data)
		j := 1 + i%(len(data)/pageSize-1)
		copy(damaged[i*pageSize:(i+1)*pageSize], data[j*pageSize:(j+1)*pageSize])
		path := fileIn(t.TempDir())
		if version := try(t, files{"": damaged}, h, path, nil); version != 0 && version != h.last {
			t.Errorf("page %d in the place of %d: version %d", j+1, i+1, version)
		}
	}
}

// TestVerify: Verify finds what no read has met yet, in the order of entries as well
// where pages have no checksum.
func TestVerify(t *testing.T) {
	path := fileIn(t.TempDir())
	s := open(t, path, &sqlitestore.Options{NoSync: true})
	c := content{}
	c.write(t, s, rand.New(rand.NewPCG(1, 2)), 2000, 2000)
	check(t, s.Verify(ctx))
	check(t, s.Close())
	if err := s.Verify(ctx); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Verify of a closed store = %v, want ErrClosed", err)
	}
	data, err := os.ReadFile(path)
	check(t, err)
	leaves := leavesOf(data)
	a, b := leaves[len(leaves)/3], leaves[2*len(leaves)/3]
	for _, test := range []struct {
		name   string
		damage func(data []byte)
	}{
		{"a flipped bit", func(data []byte) { data[a*pageSize+3000] ^= 1 }},
		{"swapped leaves", func(data []byte) {
			pageA, pageB := bytes.Clone(data[a*pageSize:(a+1)*pageSize]), bytes.Clone(data[b*pageSize:(b+1)*pageSize])
			clear(pageA[pageSize-4:]) // as another program writes them
			clear(pageB[pageSize-4:])
			copy(data[a*pageSize:], pageB)
			copy(data[b*pageSize:], pageA)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			damaged := bytes.Clone(data)
			test.damage(damaged)
			path := fileIn(t.TempDir())
			check(t, os.WriteFile(path, damaged, 0o600))
			s := open(t, path, nil)
			if err := s.Verify(ctx); !errors.Is(err, store.ErrCorrupt) {
				t.Errorf("Verify = %v, want ErrCorrupt", err)
			}
			if err := update(s, func(tx store.Tx) error { return tx.Set(nil, nil) }); !errors.Is(err, store.ErrCorrupt) {
				t.Errorf("Commit = %v, want ErrCorrupt", err)
			}
		})
	}
}

// leavesOf returns the numbers, from 0, of the pages that are leaves of a table
// without row ids and are full.
func leavesOf(data []byte) (leaves []int) {
	for i := 1; i < len(data)/pageSize; i++ {
		if page := data[i*pageSize:]; page[0] == 10 && page[4] > 10 {
			leaves = append(leaves, i)
		}
	}
	return leaves
}

// TestDamagedWhileOpen damages the file under an open store.
func TestDamagedWhileOpen(t *testing.T) {
	path := fileIn(t.TempDir())
	s := open(t, path, &sqlitestore.Options{NoSync: true})
	c := content{}
	c.write(t, s, rand.New(rand.NewPCG(1, 2)), 3000, 3000)
	check(t, s.Close())
	s = open(t, path, &sqlitestore.Options{NoSync: true})
	check(t, s.Verify(ctx))
	check(t, os.Truncate(path, 2*pageSize))
	if err := c.read(t, s); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("a read = %v, want ErrCorrupt", err)
	}
	if err := s.Verify(ctx); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("Verify = %v, want ErrCorrupt", err)
	}
	if err := update(s, func(tx store.Tx) error { return tx.Set([]byte("a"), nil) }); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("Commit = %v, want ErrCorrupt", err)
	}
	s.Close() // says so, or not
}

// TestDamagedLogWhileOpen: a log that is damaged under an open store is not believed:
// what this process has written it knows, and what another has left is found to be
// damaged when it is read.
func TestDamagedLogWhileOpen(t *testing.T) {
	for _, recovered := range []bool{false, true} {
		path := fileIn(t.TempDir())
		s := open(t, path, &sqlitestore.Options{NoSync: true})
		c := content{}
		for seed := range uint64(3) {
			c.write(t, s, rand.New(rand.NewPCG(1, seed)), 1000, 1000)
		}
		if recovered {
			all := filesAt(t, path)
			path = fileIn(t.TempDir())
			all.put(t, path)
			s = open(t, path, nil)
		}
		data, err := os.ReadFile(path + logSuffix)
		check(t, err)
		for at := 32 + 24 + 2000; at < len(data); at += pageSize + 24 {
			data[at] ^= 1
		}
		check(t, os.WriteFile(path+logSuffix, data, 0o600))
		if !recovered {
			check(t, s.Verify(ctx))
			check(t, s.Close())
			s = open(t, path, nil)
			check(t, c.read(t, s))
			check(t, s.Verify(ctx))
			continue
		}
		if err := s.Verify(ctx); !errors.Is(err, store.ErrCorrupt) {
			t.Errorf("Verify = %v, want ErrCorrupt", err)
		}
		s.Close()
		if _, err := sqlitestore.Open(path, nil); !errors.Is(err, store.ErrCorrupt) {
			t.Errorf("Open = %v, want ErrCorrupt", err)
		}
	}
}

// TestForeign: what is not a store is left alone.
func TestForeign(t *testing.T) {
	for _, test := range []struct {
		name string
		data []byte
		want error
	}{
		{"text", bytes.Repeat([]byte("not a store\n"), 1000), sqlitestore.ErrForeign},
		{"short", []byte("x"), sqlitestore.ErrForeign},
		{"empty", nil, store.ErrCorrupt},
		{"another program's", otherDatabase(t), sqlitestore.ErrForeign},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := fileIn(t.TempDir())
			check(t, os.WriteFile(path, test.data, 0o600))
			if _, err := sqlitestore.Open(path, nil); !errors.Is(err, test.want) {
				t.Errorf("Open = %v, want %v", err, test.want)
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, test.data) {
				t.Errorf("the file has changed: %v", err)
			}
			if names, _ := filepath.Glob(path + "?*"); len(names) > 0 {
				t.Errorf("there is %q", names)
			}
		})
	}
	for _, readOnly := range []bool{false, true} {
		if _, err := sqlitestore.Open(t.TempDir(), &sqlitestore.Options{ReadOnly: readOnly}); !errors.Is(err, sqlitestore.ErrForeign) {
			t.Errorf("Open of a directory = %v, want ErrForeign", err)
		}
	}
}

// TestRemoved: commits end where nobody would find them.
func TestRemoved(t *testing.T) {
	for _, replaced := range []bool{false, true} {
		path := fileIn(t.TempDir())
		s := open(t, path, nil)
		set := func() error { return update(s, func(tx store.Tx) error { return tx.Set([]byte("a"), nil) }) }
		check(t, set())
		check(t, os.Rename(path, filepath.Join(t.TempDir(), "elsewhere")))
		if replaced {
			check(t, os.WriteFile(path, []byte("other"), 0o600))
		}
		if err := set(); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Commit = %v, want ErrNotExist", err)
		}
		if err := s.Close(); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Close = %v, want ErrNotExist", err)
		}
	}
}

// TestLogAlone: where the file is gone and its log is not, no store is made that
// would take it for its own.
func TestLogAlone(t *testing.T) {
	all, _ := small(t, true)
	path := fileIn(t.TempDir())
	check(t, os.WriteFile(path+logSuffix, all[logSuffix], 0o600))
	if _, err := sqlitestore.Open(path, nil); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("Open = %v, want ErrCorrupt", err)
	}
	if after := filesAt(t, path); !slices.Equal(after[logSuffix], all[logSuffix]) {
		t.Error("the log has changed")
	}
}
