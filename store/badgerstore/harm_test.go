package badgerstore_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kivisdb/kivis/internal/benchtest"
	"github.com/kivisdb/kivis/internal/testform"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
)

var (
	rounds = flag.Int("rounds", 1, "how many times the usual rounds of damage")
	seed   = flag.Uint64("seed", 0, "which rounds, 0 for others each time")
)

func init() { children["harm"] = childHarm }

// childHarm opens damaged directories three times each, and says each time what
// it finds.
func childHarm(_ string, args []string) error {
	orders := [][3]bool{{true, false, false}, {false, false, true}} // read-only
	for i, dir := range args {
		for _, readOnly := range orders[i%2] {
			fmt.Println(lookAt(dir, readOnly))
		}
	}
	return nil
}

// lookAt opens a store and reads it twice, and returns how many records it has or
// what is wrong.
func lookAt(dir string, readOnly bool) string {
	s, err := badgerstore.Open(dir, &badgerstore.Options{ReadOnly: readOnly, NoTidy: true, Memory: 16 << 20})
	if err != nil {
		return sortOf(err)
	}
	n, err := readHarmed(s)
	if err = errors.Join(err, s.Verify(ctx), s.Close()); err != nil {
		return sortOf(err)
	}
	return fmt.Sprint("has ", n)
}

// sortOf says whether an error is of a type that damage may have.
func sortOf(err error) string {
	for _, typed := range []error{store.ErrCorrupt, badgerstore.ErrForeign, badgerstore.ErrUnknownFormat} {
		if errors.Is(err, typed) {
			return "refused"
		}
	}
	return fmt.Sprintf("other %q", err)
}

// readHarmed reads records 0 to n-1, of which the last one must be the last
// version.
func readHarmed(s store.Store) (n int, err error) {
	err = view(s, func(tx store.Tx) error {
		c, err := tx.Scan(store.Range{})
		if err != nil {
			return err
		}
		defer c.Close()
		for ; c.Next(); n++ {
			if bytes.Equal(c.Key(), []byte("last")) {
				n--
				continue
			}
			if !bytes.Equal(c.Key(), benchtest.Key(n)) || !bytes.Equal(c.Value(), benchtest.Value(n)) {
				return fmt.Errorf("record %d is %x", n, c.Key())
			}
		}
		if c.Err() != nil {
			return c.Err()
		}
		last, err := tx.Get([]byte("last"))
		if err == nil && !bytes.Equal(last, number(uint64(n-1))) {
			err = fmt.Errorf("%d records, but the last is %x", n, last)
		}
		return err
	})
	return n, err
}

// harmRecords is what the stores have that are damaged: some tables and a log.
const harmRecords = 16_000

// harmable returns a store that was closed and one that was killed.
func harmable(t *testing.T) (closed, left string) {
	t.Helper()
	closed = t.TempDir()
	s := open(t, closed, &badgerstore.Options{NoTidy: true, NoSync: true, Memory: 16 << 20})
	for i := range harmRecords {
		check(t, update(s, func(tx store.Tx) error {
			return errors.Join(tx.Set(benchtest.Key(i), benchtest.Value(i)), tx.Set([]byte("last"), number(uint64(i))))
		}))
	}
	within(t, limit, "tables, and nothing more to come", func() bool {
		logs, err := filepath.Glob(filepath.Join(closed, "*.mem"))
		check(t, err)
		return len(tables(t, closed)) > 0 && len(logs) == 1 && badgerstore.Levels(s)[0] < 2
	})
	time.Sleep(300 * time.Millisecond) // the last compaction removes its tables
	left = copyLive(t, closed)
	check(t, s.Close())
	return closed, left
}

// harm damages a file of a directory, and says how, and whether that may look like
// a kill: the newest log ends somewhere.
func harm(t *testing.T, r *rand.Rand, dir string) (what string, tail bool) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	check(t, err)
	byKind := make(map[string][]string) // so that each kind of file is met as often
	for _, e := range entries {
		byKind[filepath.Ext(e.Name())] = append(byKind[filepath.Ext(e.Name())], e.Name())
		if filepath.Ext(e.Name()) == "" {
			byKind[e.Name()] = []string{e.Name()}
		}
	}
	delete(byKind, "")
	kinds := make([]string, 0, len(byKind))
	for kind := range byKind {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	names := byKind[kinds[r.IntN(len(kinds))]]
	name := names[r.IntN(len(names))]
	path := filepath.Join(dir, name)
	data, err := os.ReadFile(path)
	check(t, err)
	used, lastTx := len(data), 0
	log := strings.HasSuffix(name, ".mem")
	if log {
		ends := badgerstore.LogTransactions(data)
		if len(ends) > 1 {
			used, lastTx = ends[len(ends)-1], ends[len(ends)-2]
		}
	}
	at := place(r, used)
	newest := log && name == names[len(names)-1]
	switch how := r.IntN(4); {
	case how == 0 || used == 0:
		check(t, os.Remove(path))
		return name + " removed", newest
	case how == 1:
		check(t, os.Truncate(path, int64(at)))
		return fmt.Sprintf("%s cut at %d of %d", name, at, used), newest
	case how == 2:
		end := min(used, at+1+r.IntN(5000))
		clear(data[at:end])
		check(t, os.WriteFile(path, data, 0o600))
		return fmt.Sprintf("%s zeroed from %d to %d of %d", name, at, end, used), newest && end >= lastTx
	}
	data[at] ^= byte(1 + r.IntN(255))
	check(t, os.WriteFile(path, data, 0o600))
	return fmt.Sprintf("%s with another byte %d of %d", name, at, used), newest && at >= lastTx
}

// place returns a place in a file: at an end, or anywhere.
func place(r *rand.Rand, size int) int {
	switch n := min(size, 64); {
	case size == 0:
		return 0
	case r.IntN(4) == 0:
		return r.IntN(n)
	case r.IntN(3) == 0:
		return size - 1 - r.IntN(n)
	}
	return r.IntN(size)
}

// However a file of a store that was closed or killed is damaged, opening and
// reading it gives all that is right or an error of a type, and the next opening
// finds the same. Only the newest log may have lost its end.
func TestHarm(t *testing.T) {
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	t.Logf("seed %d", *seed)
	r := rand.New(rand.NewPCG(*seed, 0))
	closed, left := harmable(t)
	n := testform.Of(12, 20, 60) * *rounds
	found := 0
	for from := 0; from < n; from += 40 {
		found += harmSome(t, r, closed, left, min(40, n-from))
	}
	t.Logf("%d of %d found out", found, n)
}

// harmSome is some rounds of it, in as many directories.
func harmSome(t *testing.T, r *rand.Rand, closed, left string, n int) (found int) {
	base, err := os.MkdirTemp(t.TempDir(), "")
	check(t, err)
	defer os.RemoveAll(base)
	var dirs []any
	var whats []string
	var tails []bool
	for i := range n {
		dir := filepath.Join(base, fmt.Sprint(i))
		from, state := closed, "closed"
		if i/2%2 == 1 {
			from, state = left, "killed"
		}
		check(t, os.CopyFS(dir, os.DirFS(from)))
		what, tail := harm(t, r, dir)
		dirs, whats, tails = append(dirs, dir), append(whats, state+", "+what), append(tails, tail)
	}
	c := start(t, "harm", "-", dirs...)
	for i, what := range whats {
		finds := []string{c.wait(t), c.wait(t), c.wait(t)}
		if !slices.Equal(finds, slices.Repeat([]string{fmt.Sprint("has ", harmRecords)}, 3)) {
			found++
		}
		if why := judge(finds, tails[i]); why != "" {
			t.Errorf("%s: %s: %q", what, why, finds)
		}
	}
	return found
}

// judge says what is wrong with what three openings found, or "".
func judge(finds []string, tail bool) string {
	has := ""
	for _, find := range finds {
		var n int
		if _, err := fmt.Sscanf(find, "has %d", &n); err != nil {
			if find != "refused" {
				return "an error of no type"
			}
			continue
		}
		if n != harmRecords && !(tail && n < harmRecords) {
			return "records are missing"
		}
		if has != "" && has != find {
			return "the next opening finds something else"
		}
		has = find
	}
	return ""
}
