package badgerstore_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kivisdb/kivis/internal/benchtest"
	"github.com/kivisdb/kivis/internal/testform"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
)

// threeTables returns a store as a kill leaves it, with three tables, each of
// an opening of its own, and commits in its log: 40 keys.
func threeTables(t *testing.T) string {
	t.Helper()
	for {
		dir := tablesAndLog(t)
		if files, _ := filepath.Glob(filepath.Join(dir, "*.sst")); len(files) == 3 {
			return dir
		} // Badger has begun to compact them, as it does within a second
	}
}

// tablesAndLog is threeTables, unless its tables have been compacted.
func tablesAndLog(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	set := func(s store.Store, from, to int) {
		check(t, update(s, func(tx store.Tx) error {
			for i := from; i < to; i++ {
				if err := tx.Set(benchtest.Key(i), benchtest.Value(i)); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	var s *badgerstore.Store
	for i := range 3 {
		s = open(t, dir, noTidy)
		set(s, 10*i, 10*i+10)
		check(t, s.Close())
	}
	s = open(t, dir, noTidy)
	for i := 30; i < 40; i++ {
		set(s, i, i+1)
	}
	return copyLive(t, dir)
}

// openTwice has Open fail twice, with the same error.
func openTwice(t *testing.T, dir, what string) {
	t.Helper()
	var texts []string
	for _, opts := range []badgerstore.Options{{ReadOnly: true}, {}, {}, {ReadOnly: true}} {
		s, err := badgerstore.Open(dir, &opts)
		if err == nil {
			s.Close()
		}
		if !errors.Is(err, store.ErrCorrupt) {
			t.Fatalf("%s: Open = %v, want ErrCorrupt", what, err)
		}
		texts = append(texts, strings.ReplaceAll(err.Error(), ".sst.lost", ".sst"))
	}
	for _, text := range texts {
		if text != texts[0] {
			t.Errorf("%s: Open says %s\nand then %s", what, texts[0], text)
		}
	}
}

// Wherever the manifest is cut, nothing goes that only an unlisted table has,
// and once the manifest is back, so is everything.
func TestCutManifest(t *testing.T) {
	whole := threeTables(t)
	manifest, err := os.ReadFile(filepath.Join(whole, "MANIFEST"))
	check(t, err)
	for n := 16; n < len(manifest); n += testform.Of(19, 13, 4) {
		dir := t.TempDir()
		check(t, os.CopyFS(dir, os.DirFS(whole)))
		check(t, os.WriteFile(filepath.Join(dir, "MANIFEST"), manifest[:n], 0o600))
		openTwice(t, dir, fmt.Sprintf("cut at %d", n))
		if lost, _ := filepath.Glob(filepath.Join(dir, "*.sst.lost")); len(lost) == 0 {
			t.Errorf("cut at %d: no table was set aside", n)
		}
		if strings.ReplaceAll(listing(t, dir), ".lost", "") != listing(t, whole) {
			t.Errorf("cut at %d: there was %s\nthen %s", n, listing(t, whole), listing(t, dir))
		}
		check(t, os.WriteFile(filepath.Join(dir, "MANIFEST"), manifest, 0o600))
		s := open(t, dir, noTidy)
		if n := countAll(t, s); n != 40 {
			t.Errorf("the manifest is back, and there are %d keys, want 40", n)
		}
		check(t, s.Close())
	}
}

// A store without syncs goes on without the tables, and keeps them.
func TestCutManifestNoSync(t *testing.T) {
	dir := threeTables(t)
	check(t, os.Truncate(filepath.Join(dir, "MANIFEST"), 16))
	s := open(t, dir, &badgerstore.Options{NoSync: true})
	if n := countAll(t, s); n != 0 {
		t.Errorf("%d keys, want none", n)
	}
	check(t, s.Close())
	check(t, open(t, dir, nil).Close())
	for _, pattern := range []string{"*.sst.dropped", "*.mem.lost"} {
		if kept, _ := filepath.Glob(filepath.Join(dir, pattern)); len(kept) == 0 {
			t.Errorf("no %s is kept", pattern)
		}
	}
}

// TestCutManifestStamped: nothing is taken for dropped by compactions where a
// table that the manifest does not list has it.
func TestCutManifestStamped(t *testing.T) {
	dir := threeTables(t)
	s := open(t, dir, noTidy)
	check(t, update(s, func(tx store.Tx) error { return tx.Set(benchtest.Key(50), benchtest.Value(50)) }))
	badgerstore.Stamp(t, s)
	dir = copyLive(t, dir)
	check(t, os.Truncate(filepath.Join(dir, "MANIFEST"), 16))
	s = open(t, dir, &badgerstore.Options{NoSync: true, NoTidy: true})
	if n := countAll(t, s); n != 0 {
		t.Errorf("%d keys, want none", n)
	}
	check(t, s.Close())
}

// A damaged commit is told from one that was cut short by what comes after it.
func TestDamagedCommit(t *testing.T) {
	whole := threeTables(t)
	logs, _ := filepath.Glob(filepath.Join(whole, "*.mem"))
	data, err := os.ReadFile(logs[0])
	check(t, err)
	ends := badgerstore.LogTransactions(data)
	for back := 1; back <= 4; back++ {
		for _, test := range []struct {
			name string
			at   int
		}{
			{"end", ends[len(ends)-back] - 6},
			{"body", ends[len(ends)-back] - 100},
			{"beginning", ends[len(ends)-back-1] + 2},
		} {
			what := fmt.Sprintf("the %s of commit %d from the end", test.name, back)
			dir := t.TempDir()
			check(t, os.CopyFS(dir, os.DirFS(whole)))
			damaged := bytes.Clone(data)
			damaged[test.at] ^= 0x55
			check(t, os.WriteFile(filepath.Join(dir, filepath.Base(logs[0])), damaged, 0o600))
			if back > 1 {
				openTwice(t, dir, what)
				continue
			}
			s := open(t, dir, noTidy)
			if n := countAll(t, s); n != 39 {
				t.Errorf("%s: %d keys, want 39", what, n)
			}
			check(t, s.Close())
		}
	}
}

// Tables that a store does not list, beside what it lists.
func TestOrphans(t *testing.T) {
	// A store with the keys 0 to 19 in one table, of which 0 to 9 are gone in
	// another, and where both were compacted into one.
	dir := t.TempDir()
	set := func(from, to int, del bool) string {
		s := open(t, dir, noTidy)
		check(t, update(s, func(tx store.Tx) error {
			for i := from; i < to; i++ {
				err := tx.Set(benchtest.Key(i), benchtest.Value(i))
				if del {
					err = tx.Delete(benchtest.Key(i))
				}
				if err != nil {
					return err
				}
			}
			return nil
		}))
		check(t, s.Close())
		paths := tables(t, dir)
		data, err := os.ReadFile(paths[len(paths)-1])
		check(t, err)
		return string(data)
	}
	old := set(0, 20, false)
	oldDir := copyLive(t, dir)
	gone := set(0, 10, true)
	s := open(t, dir, noTidy)
	badgerstore.Stamp(t, s)
	within(t, limit, "level 0 to be compacted", func() bool { return badgerstore.Levels(s)[0] < 2 })
	within(t, limit, "the keys to go", func() bool { return badgerstore.Versions(s) == 10 })
	check(t, s.Close())
	for _, test := range []struct {
		name, dir, file, data string
		lost                  bool
	}{
		{"a copy of a table", oldDir, "000077.sst", old, false},
		{"a table that was never filled", oldDir, "000077.sst", string(make([]byte, 10_000)), false},
		{"half a table", oldDir, "000077.sst", old[:len(old)/2] + string(make([]byte, len(old)-len(old)/2)), false},
		{"deletions that are nowhere else", oldDir, "000077.sst", gone, true},
		{"a damaged table", oldDir, "000077.sst", old[:len(old)/2] + "\x55" + old[len(old)/2+1:], true},
		{"compacted, and listed before", dir, "000001.sst", old, false},
		{"compacted, and never listed", dir, "000077.sst", old, true},
		{"deletions of what is not there", dir, "000077.sst", gone, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := withFile(t, test.dir, test.file, []byte(test.data))
			if test.lost {
				openTwice(t, dir, test.name)
				data, err := os.ReadFile(filepath.Join(dir, test.file+".lost"))
				if err != nil || string(data) != test.data {
					t.Errorf("the table that was set aside: %v", err)
				}
				return
			}
			for _, opts := range []badgerstore.Options{{ReadOnly: true}, {}} {
				check(t, open(t, dir, &opts).Close())
			}
		})
	}
}
