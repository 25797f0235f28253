package boltstore_test

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
	"strings"
	"testing"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/boltstore"
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

// content is what a store holds.
type content map[string]string

// write writes some keys at random, of n, and notes them.
func (c content) write(t testing.TB, s store.Store, r *rand.Rand, n, writes int) {
	t.Helper()
	check(t, update(s, func(tx store.Tx) error {
		for range writes {
			key := fmt.Sprintf("key/%05d", r.IntN(n))
			if r.IntN(4) == 0 {
				delete(c, key)
				if err := tx.Delete([]byte(key)); err != nil {
					return err
				}
				continue
			}
			c[key] = fmt.Sprint(key, strings.Repeat("v", r.IntN(40)), r.Uint64())
			if r.IntN(50) == 0 {
				c[key] += string(make([]byte, 6000)) // a page that goes on
			}
			if err := tx.Set([]byte(key), []byte(c[key])); err != nil {
				return err
			}
		}
		return nil
	}))
}

// read returns the error at which reading a store ends, having failed t if
// anything was read that is not so.
func (c content) read(t testing.TB, s store.Store) error {
	t.Helper()
	return view(s, func(tx store.Tx) error {
		for key, want := range c {
			if got, err := tx.Get([]byte(key)); err != nil {
				return fmt.Errorf("get: %w", err)
			} else if string(got) != want {
				t.Errorf("Get(%q) is wrong", key)
			}
		}
		cur, err := tx.Scan(store.Range{})
		if err != nil {
			return err
		}
		defer cur.Close()
		for _, key := range slices.Sorted(maps.Keys(c)) {
			if !cur.Next() {
				return errors.Join(cur.Err(), fmt.Errorf("a scan ends before %q", key))
			}
			if string(cur.Key()) != key || string(cur.Value()) != c[key] {
				t.Errorf("a scan shows %q for %q", cur.Key(), key)
			}
		}
		if cur.Next() {
			t.Errorf("a scan shows %q after the end", cur.Key())
		}
		return cur.Err()
	})
}

// small makes a small store with free pages in it, and returns its file and what
// it holds. It is left as a kill would if kill says so.
func small(t testing.TB, kill bool) ([]byte, content) {
	t.Helper()
	path := fileIn(t.TempDir())
	s := open(t, path, &boltstore.Options{NoSync: true})
	c, r := content{}, rand.New(rand.NewPCG(1, 2))
	for range 8 {
		c.write(t, s, r, 200, 50)
	}
	if !kill {
		check(t, s.Close())
	}
	data, err := os.ReadFile(path)
	check(t, err)
	return data, c
}

// TestDamagedByte: whatever byte of a file is damaged, the store is refused, or a
// read fails, or everything is there.
func TestDamagedByte(t *testing.T) {
	for _, killed := range []bool{false, true} {
		t.Run(fmt.Sprintf("killed=%t", killed), func(t *testing.T) {
			data, c := small(t, killed)
			path := fileIn(t.TempDir())
			opened, step := 0, 1
			if testing.Short() || raceEnabled {
				step = 61
			}
			for at := 0; at < len(data); at += step {
				if at >= 200 && at%4096 >= 200 && blank(data, at) {
					continue // in a long run of zeros, of which the first and the last are enough
				}
				if at == 0 || at-step < 8192 {
					check(t, os.WriteFile(path, data, 0o600)) // meta pages may have been mended
				}
				put(t, path, at, data[at]^1<<(at%8))
				if tryDamaged(t, path, c, nil) {
					opened++
				}
				put(t, path, at, data[at])
				if t.Failed() {
					t.Fatalf("byte %d of %d", at, len(data))
				}
			}
			t.Logf("opened %d times", opened)
		})
	}
}

// put writes one byte of a file.
func put(t testing.TB, path string, at int, b byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	check(t, err)
	defer f.Close()
	_, err = f.WriteAt([]byte{b}, int64(at))
	check(t, err)
}

// blank says whether the byte has zeros around it.
func blank(data []byte, at int) bool {
	return len(bytes.Trim(data[at-32:min(at+32, len(data))], "\x00")) == 0
}

// tryDamaged opens a damaged store, reads and verifies it, writes to it, and says
// whether it opens.
func tryDamaged(t *testing.T, path string, c content, opts *boltstore.Options) bool {
	t.Helper()
	s, err := boltstore.Open(path, opts)
	if err != nil {
		isDamage(t, "Open", err)
		return false
	}
	defer s.Close()
	if err := c.read(t, s); err != nil {
		t.Errorf("a store opens, and then: %v", err)
		return true
	}
	check(t, s.Verify(ctx))
	return true
}

// isDamage checks that an error says that the store is damaged, or is none.
func isDamage(t testing.TB, call string, err error) {
	t.Helper()
	if !errors.Is(err, store.ErrCorrupt) && !errors.Is(err, boltstore.ErrForeign) {
		t.Errorf("%s = %v, want ErrCorrupt", call, err)
	}
}

// TestCutFile: a file that has been cut is refused, or has all that it had.
func TestCutFile(t *testing.T) {
	data, c := small(t, false)
	path := fileIn(t.TempDir())
	for n := 0; n <= len(data); n += 509 {
		check(t, os.WriteFile(path, data[:n], 0o600))
		tryDamaged(t, path, c, nil)
		if t.Failed() {
			t.Fatalf("%d of %d bytes", n, len(data))
		}
	}
}

// TestSwappedPages: a page in another's place is found, though each is sound.
func TestSwappedPages(t *testing.T) {
	data, c := small(t, false)
	path := fileIn(t.TempDir())
	const page = 4096
	refused := 0
	for i := 2; i < len(data)/page; i++ {
		damaged := bytes.Clone(data)
		j := 2 + (i-1)%(len(data)/page-2)
		copy(damaged[i*page:(i+1)*page], data[j*page:(j+1)*page])
		check(t, os.WriteFile(path, damaged, 0o600))
		if !tryDamaged(t, path, c, nil) {
			refused++
		}
	}
	if refused == 0 {
		t.Error("no swap was found")
	}
}

// TestUnchecked: without the check at Open damage is an error at a read at the
// latest, as long as it does not lead bbolt elsewhere.
func TestUnchecked(t *testing.T) {
	data, c := small(t, false)
	path := fileIn(t.TempDir())
	at := bytes.LastIndex(data, []byte("vvv"))
	found := 0
	for ; at > 0; at = bytes.LastIndex(data[:at-100], []byte("vvv")) {
		damaged := bytes.Clone(data)
		damaged[at] ^= 1
		check(t, os.WriteFile(path, damaged, 0o600))
		s := open(t, path, &boltstore.Options{NoVerify: true})
		if err := c.read(t, s); err != nil {
			found++
			isDamage(t, "a read", err)
			isDamage(t, "Verify", s.Verify(ctx))
			isDamage(t, "Commit", update(s, func(tx store.Tx) error { return tx.Set(nil, nil) }))
		}
		check(t, s.Close())
		if at < 100 {
			break
		}
	}
	if found == 0 {
		t.Error("no damage was met")
	}
}

// TestDamagedWhileOpen cuts the file under an open store: what lies beyond its end
// is a fault in the mapped memory, which must not end the process.
func TestDamagedWhileOpen(t *testing.T) {
	path := fileIn(t.TempDir())
	s := open(t, path, &boltstore.Options{NoSync: true})
	c := content{}
	c.write(t, s, rand.New(rand.NewPCG(1, 2)), 2000, 2000)
	check(t, s.Verify(ctx))
	check(t, os.Truncate(path, 8192))
	if err := c.read(t, s); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("a read = %v, want ErrCorrupt", err)
	}
	if err := s.Verify(ctx); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("Verify = %v, want ErrCorrupt", err)
	}
	if err := update(s, func(tx store.Tx) error { return tx.Set([]byte("a"), nil) }); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("Commit = %v, want ErrCorrupt", err)
	}
	check(t, s.Close())
}

// TestFaultInCommit has bbolt fault in a commit, before anybody has read.
func TestFaultInCommit(t *testing.T) {
	path := fileIn(t.TempDir())
	s := open(t, path, &boltstore.Options{NoSync: true})
	content{}.write(t, s, rand.New(rand.NewPCG(1, 2)), 2000, 2000)
	check(t, os.Truncate(path, 8192))
	err := update(s, func(tx store.Tx) error { return tx.Set([]byte("key/00500"), nil) })
	if !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("Commit = %v, want ErrCorrupt", err)
	}
	if _, err := s.Begin(ctx, false); !errors.Is(err, store.ErrCommitUnknown) {
		t.Errorf("Begin = %v, want ErrCommitUnknown", err)
	}
	check(t, s.Close())
}

// TestOneMeta damages one of the two meta pages.
func TestOneMeta(t *testing.T) {
	for _, killed := range []bool{false, true} {
		data, c := small(t, killed)
		for _, meta := range []int{0, 4096} {
			path := fileIn(t.TempDir())
			damaged := bytes.Clone(data)
			damaged[meta+16+50] ^= 1
			check(t, os.WriteFile(path, damaged, 0o600))
			if opened := tryDamaged(t, path, c, nil); opened == killed {
				t.Errorf("killed %t, meta page at %d: opened = %t", killed, meta, opened)
			}
			if !killed {
				continue
			}
			s, err := boltstore.Open(path, &boltstore.Options{NoSync: true})
			if err != nil {
				t.Errorf("Open with NoSync: %v", err)
				continue
			}
			check(t, s.Verify(ctx))
			check(t, update(s, func(tx store.Tx) error { return tx.Set([]byte("a"), nil) }))
			check(t, s.Close())
			open(t, path, nil)
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
		{"text", bytes.Repeat([]byte("not a store\n"), 1000), boltstore.ErrForeign},
		{"short", []byte("x"), boltstore.ErrForeign},
		{"empty", nil, store.ErrCorrupt},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := fileIn(t.TempDir())
			check(t, os.WriteFile(path, test.data, 0o600))
			if _, err := boltstore.Open(path, nil); !errors.Is(err, test.want) {
				t.Errorf("Open = %v, want %v", err, test.want)
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, test.data) {
				t.Errorf("the file has changed: %v", err)
			}
		})
	}
	if _, err := boltstore.Open(t.TempDir(), &boltstore.Options{ReadOnly: true}); !errors.Is(err, boltstore.ErrForeign) {
		t.Errorf("Open of a directory = %v, want ErrForeign", err)
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
