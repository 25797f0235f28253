package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/kivisdb/kivis/store"
)

var conflictTests = []test{
	{"Reads", testConflictReads, writers},
	{"LostUpdate", testLostUpdate, writers},
	{"WriteSkew", testWriteSkew, writers},
	{"Phantom", testPhantom, writers},
	{"PhantomSkew", testPhantomSkew, writers},
	{"BlindWrites", testBlindWrites, writers},
	{"RolledBackWrites", testRolledBackWrites, writers},
	{"ReadOnly", testConflictReadOnly, writers},
	{"LeavesNothing", testConflictLeavesNothing, writers},
	{"Retry", testConflictRetry, writers},
	{"Commits", testCommits, writers},
	{"OldWriter", testOldWriter, writers},
	{"ManyReads", testManyReads, writers},
}

// read is something that a transaction reads in a store of b, d, f and h, and
// the keys whose change from then on is a conflict or is not.
type read struct {
	name  string
	do    func(t testing.TB, tx store.Tx)
	hits  []string
	spare []string
}

// upTo returns a read that makes some moves in a range and leaves the cursor
// open; the moves are those of testSeek.
func upTo(r store.Range, steps ...string) func(t testing.TB, tx store.Tx) {
	return func(t testing.TB, tx store.Tx) {
		c := open(t, tx, r)
		for _, step := range steps {
			if step == "+" {
				c.Next()
			} else {
				c.Seek([]byte(step))
			}
		}
	}
}

func whole(r store.Range) func(t testing.TB, tx store.Tx) {
	return func(t testing.TB, tx store.Tx) { scan(t, tx, r) }
}

var reads = []read{
	{"Get", func(t testing.TB, tx store.Tx) { get(t, tx, "d") }, []string{"d"}, []string{"c", "d\x00", "e"}},
	{"GetAbsent", func(t testing.TB, tx store.Tx) { get(t, tx, "c") }, []string{"c"}, []string{"b", "c\x00", "d"}},
	{"GetEmpty", func(t testing.TB, tx store.Tx) { get(t, tx, "") }, []string{""}, []string{"\x00", "b"}},
	{"GetMany", func(t testing.TB, tx store.Tx) { getMany(t, tx, "b", "e") }, []string{"b", "e"}, []string{"c", "d"}},
	{"Scan", whole(span("c", "g")), []string{"c", "d", "e", "f", "f\xff"}, []string{"b", "g", "h"}},
	{"ScanReverse", whole(down(span("c", "g"))), []string{"c", "d", "e", "f", "f\xff"}, []string{"b", "g", "h"}},
	{"ScanOpen", whole(from("f")), []string{"f", "h", "z"}, []string{"d", "e"}},
	{"ScanKeys", whole(store.Range{Lo: []byte("c"), Hi: []byte("e"), KeysOnly: true}), []string{"c", "d"}, []string{"b", "e"}},
	{"ScanNothing", whole(span("i", "k")), []string{"i", "j"}, []string{"h", "k"}},
	{"ScanInverted", whole(span("k", "a")), nil, []string{"b", "d"}},
	{"NoMove", upTo(store.Range{}), nil, []string{"", "b", "z"}},
	{"BrokenOff", upTo(store.Range{}, "+", "+"), []string{"", "a", "b", "c", "d"}, []string{"d\x00", "e", "f", "z"}},
	{"BrokenOffReverse", upTo(down(store.Range{}), "+", "+"), []string{"f", "g", "h", "z"}, []string{"", "b", "e\xff"}},
	{"Seek", upTo(store.Range{}, "e"), []string{"e", "f"}, []string{"d", "d\xff", "f\x00", "g"}},
	{"SeekReverse", upTo(down(store.Range{}), "e"), []string{"e", "d"}, []string{"c", "e\x00", "f"}},
	{"SeekOver", upTo(store.Range{}, "+", "f"), []string{"a", "b", "f"}, []string{"c", "d", "e", "g"}},
	{"SeekBack", upTo(store.Range{}, "d", "a"), []string{"d", "e", "f"}, []string{"a", "b", "c", "g"}},
	{"SeekBeyond", upTo(span("a", "e"), "+", "x"), []string{"a", "b"}, []string{"c", "d", "e", "x"}},
	{"SeekToEnd", upTo(span("a", "k"), "i"), []string{"i", "j"}, []string{"b", "h", "k"}},
	{"Count", func(t testing.TB, tx store.Tx) { store.Count(tx, span("c", "e")) }, []string{"c", "d"}, []string{"b", "e"}},
}

func testConflictReads(t *testing.T, h *harness) {
	for _, read := range reads {
		t.Run(read.name, func(t *testing.T) { testRead(t, h, read) })
	}
}

func testRead(t *testing.T, h *harness, read read) {
	s := h.new(t)
	for _, key := range read.hits {
		checkRead(t, s, read, key, true)
	}
	for _, key := range read.spare {
		checkRead(t, s, read, key, false)
	}
}

// checkRead reads, with and without writes of its own, has key changed or
// deleted by another transaction, and commits.
func checkRead(t *testing.T, s store.Store, read read, key string, hit bool) {
	t.Helper()
	for _, change := range []string{key + "=changed", key} {
		for _, own := range []bool{false, true} {
			reset(t, s, "b=1", "d=2", "f=3", "h=4")
			tx := begin(t, s, true)
			if own {
				write(t, tx, "h=own", "hh")
			}
			read.do(t, tx)
			fill(t, s, change)
			write(t, tx, "y=1")
			_, err := tx.Commit()
			if hit && !errors.Is(err, store.ErrConflict) || !hit && err != nil {
				t.Errorf("%q was written, own writes %v: Commit: %v; want a conflict: %v", change, own, err, hit)
			}
		}
	}
}

// reset makes pairs all that s holds.
func reset(t testing.TB, s store.Store, pairs ...string) {
	t.Helper()
	tx := begin(t, s, true)
	for _, pair := range scan(t, tx, store.Range{KeysOnly: true}) {
		write(t, tx, pair)
	}
	write(t, tx, pairs...)
	commit(t, tx)
}

func testLostUpdate(t *testing.T, h *harness) {
	s := h.filled(t, "n=1")
	a, b := begin(t, s, true), begin(t, s, true)
	for _, tx := range []store.Tx{a, b} {
		write(t, tx, "n="+get(t, tx, "n")+"1")
	}
	commit(t, b)
	conflict(t, a)
	wantStore(t, s, "n=11")
}

func testWriteSkew(t *testing.T, h *harness) {
	s := h.filled(t, "x=1", "y=1")
	a, b := begin(t, s, true), begin(t, s, true)
	for _, tx := range []store.Tx{a, b} {
		get(t, tx, "x")
		get(t, tx, "y")
	}
	write(t, a, "x=0")
	write(t, b, "y=0")
	commit(t, a)
	conflict(t, b)
	wantStore(t, s, "x=0", "y=1")
}

// testPhantom scans children and deletes the parent while another transaction
// inserts a child having checked the parent.
func testPhantom(t *testing.T, h *harness) {
	for _, first := range []int{0, 1} {
		s := h.filled(t, "parent/1=p")
		remove, insert := begin(t, s, true), begin(t, s, true)
		wantScan(t, remove, span("child/1/", "child/10"))
		write(t, remove, "parent/1")
		wantGet(t, insert, "parent/1", "p")
		write(t, insert, "child/1/a=c")
		txs := []store.Tx{remove, insert}
		commit(t, txs[first])
		conflict(t, txs[1-first])
	}
}

// testPhantomSkew has two transactions each insert what the other's scan did
// not find.
func testPhantomSkew(t *testing.T, h *harness) {
	s := h.filled(t, "a=1")
	a, b := begin(t, s, true), begin(t, s, true)
	wantScan(t, a, span("m", "n"))
	wantScan(t, b, down(span("x", "y")))
	write(t, a, "x1=a")
	write(t, b, "m1=b")
	commit(t, a)
	conflict(t, b)
	wantStore(t, s, "a=1", "x1=a")
}

func testBlindWrites(t *testing.T, h *harness) {
	s := h.filled(t, "k=0")
	a, b := begin(t, s, true), begin(t, s, true)
	write(t, a, "k=a")
	write(t, b, "k=b")
	commit(t, a)
	commit(t, b)
	wantStore(t, s, "k=b")
}

// testRolledBackWrites checks that writes that were undone are no conflict.
func testRolledBackWrites(t *testing.T, h *harness) {
	s := h.filled(t, "a=1", "b=2")
	tx, other := begin(t, s, true), begin(t, s, true)
	get(t, tx, "a")
	mark := other.Savepoint()
	write(t, other, "a=9")
	if err := other.Rollback(mark); err != nil {
		t.Fatal(err)
	}
	write(t, other, "b=9")
	commit(t, other)
	write(t, tx, "c=3")
	commit(t, tx)
	wantStore(t, s, "a=1", "b=9", "c=3")
}

func testConflictReadOnly(t *testing.T, h *harness) {
	s := h.filled(t, "a=1")
	ro := begin(t, s, false)
	wantScan(t, ro, store.Range{}, "a=1")
	fill(t, s, "a=2")
	commit(t, ro)
}

func testConflictLeavesNothing(t *testing.T, h *harness) {
	s := h.filled(t, "a=1", "b=2")
	tx := begin(t, s, true)
	get(t, tx, "a")
	write(t, tx, "b", "c=3", "d=4")
	fill(t, s, "a=5")
	conflict(t, tx)
	wantStore(t, s, "a=5", "b=2")
	wantRefused(t, tx, store.ErrTxDone)
}

func testConflictRetry(t *testing.T, h *harness) {
	s := h.filled(t, "n=x")
	a := begin(t, s, true)
	get(t, a, "n")
	fill(t, s, "n=xx")
	write(t, a, "n=lost")
	conflict(t, a)
	again := begin(t, s, true)
	write(t, again, "n="+get(t, again, "n")+"x")
	commit(t, again)
	wantStore(t, s, "n=xxx")
}

// testCommits has goroutines increment their own counters and a common one.
func testCommits(t *testing.T, h *harness) {
	const goroutines, each = 8, 40
	s := h.filled(t, "all=")
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for range each {
				increment(t, s, "all", fmt.Sprint("own", g))
			}
		})
	}
	wg.Wait()
	tx := begin(t, s, false)
	if n := len(get(t, tx, "all")); n != goroutines*each {
		t.Errorf("the common counter stands at %d, want %d", n, goroutines*each)
	}
	for g := range goroutines {
		if n := len(get(t, tx, fmt.Sprint("own", g))); n != each {
			t.Errorf("counter %d stands at %d, want %d", g, n, each)
		}
	}
}

// testOldWriter has a transaction outlive more commits than a store is likely
// to remember: it may conflict, but not commit what it must not.
func testOldWriter(t *testing.T, h *harness) {
	s := h.filled(t, "a=1", "n=0")
	hit, idle := begin(t, s, true), begin(t, s, true)
	get(t, hit, "a")
	fill(t, s, "a=2")
	pairs := numbered(5000)
	for i := range 60 {
		fill(t, s, pairs[i*80:i*80+80]...)
	}
	write(t, hit, "x=1")
	conflict(t, hit)
	write(t, idle, "y=1") // has read nothing
	commit(t, idle)
}

// testManyReads reads more keys than a store is likely to remember one by one.
func testManyReads(t *testing.T, h *harness) {
	const n = 40000
	s := h.filled(t, "r/39999=1")
	for _, key := range []string{"r/0", "r/19999", "r/39999"} {
		tx := begin(t, s, true)
		if key == "r/0" {
			for i := range n {
				get(t, tx, fmt.Sprint("r/", i))
			}
		} else {
			getEach(t, tx, "r/", n)
		}
		write(t, tx, "x=1")
		fill(t, s, key+"=2")
		conflict(t, tx)
	}
}

// getEach reads numbered keys by GetMany, some at a time.
func getEach(t *testing.T, tx store.Tx, prefix string, n int) {
	t.Helper()
	const some = 400
	values := make([][]byte, some)
	for i := 0; i < n; i += some {
		var keys [][]byte
		for k := range some {
			keys = append(keys, fmt.Append(nil, prefix, i+k))
		}
		if err := tx.GetMany(keys, values); err != nil {
			t.Fatalf("GetMany: %v", err)
		}
	}
}
