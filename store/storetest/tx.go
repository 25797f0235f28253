package storetest

import (
	"testing"

	"github.com/kivisdb/kivis/store"
)

var txTests = []test{
	{"OwnWrites", testOwnWrites, 0},
	{"OwnWritesMany", testOwnWritesMany, 0},
	{"Snapshot", testSnapshot, 0},
	{"SnapshotOfWriter", testSnapshotOfWriter, writers},
	{"CursorAsOfOpening", testCursorAsOfOpening, 0},
	{"WriteWhileIterating", testWriteWhileIterating, 0},
	{"DeleteWhileIterating", testDeleteWhileIterating, 0},
	{"Discard", testDiscard, 0},
	{"AllOrNothing", testAllOrNothing, 0},
	{"Done", testDone, 0},
	{"ReadOnly", testReadOnly, 0},
	{"Versions", testVersions, 0},
	{"WithoutWrites", testWithoutWrites, 0},
	{"OpenCursorAtCommit", testOpenCursorAtCommit, 0},
}

func testOwnWrites(t *testing.T, h *harness) {
	stored := []string{"b=1", "d=2", "f=3"}
	tx := begin(t, h.filled(t, stored...), true)
	wantScan(t, tx, store.Range{}, stored...)
	steps := []struct {
		write string
		want  []string
	}{
		{"a=0", []string{"a=0", "b=1", "d=2", "f=3"}},
		{"d=22", []string{"a=0", "b=1", "d=22", "f=3"}},
		{"b", []string{"a=0", "d=22", "f=3"}},
		{"f", []string{"a=0", "d=22"}},
		{"g=9", []string{"a=0", "d=22", "g=9"}},
		{"a", []string{"d=22", "g=9"}},
		{"nothing", []string{"d=22", "g=9"}},
		{"b=again", []string{"b=again", "d=22", "g=9"}},
	}
	for _, step := range steps {
		write(t, tx, step.write)
		wantScan(t, tx, store.Range{}, step.want...)
		eachRange(func(r store.Range) { wantScan(t, tx, r, inRange(step.want, r)...) })
		for _, pair := range step.want {
			key := keyOf(pair)
			wantGet(t, tx, key, pair[len(key)+1:])
		}
	}
	wantGet(t, tx, "a", absent)
	wantGet(t, tx, "f", absent)
}

// testOwnWritesMany interleaves more writes than fit in one piece of anything.
func testOwnWritesMany(t *testing.T, h *harness) {
	pairs := numbered(2000)
	var stored, own []string
	for i, pair := range pairs {
		if i%3 == 0 {
			stored = append(stored, pair)
		} else {
			own = append(own, pair)
		}
	}
	tx := begin(t, h.filled(t, append(stored, "zzz=gone")...), true)
	write(t, tx, own...)
	write(t, tx, "zzz")
	for _, r := range []store.Range{{}, span("000100", "001900"), from("001999")} {
		wantScan(t, tx, r, inRange(pairs, r)...)
		wantScan(t, tx, down(r), inRange(pairs, down(r))...)
	}
}

func testSnapshot(t *testing.T, h *harness) {
	s := h.filled(t, "a=1", "b=2")
	before := begin(t, s, false)
	cursor := open(t, before, store.Range{})
	fill(t, s, "a=11", "b", "c=3")
	late := open(t, before, store.Range{})
	middle := begin(t, s, false)
	fill(t, s, "a", "c", "d=4")

	wantGet(t, before, "a", "1")
	wantGet(t, before, "c", absent)
	wantMany(t, before, []string{"a", "b", "c", "d"}, []string{"1", "2", absent, absent})
	wantScan(t, before, store.Range{}, "a=1", "b=2")
	for _, c := range []store.Cursor{cursor, late} {
		if got := rest(t, c); len(got) != 2 || got[0] != "a=1" || got[1] != "b=2" {
			t.Errorf("a cursor of the oldest snapshot shows %q", got)
		}
	}
	wantScan(t, middle, down(store.Range{}), "c=3", "a=11")
	if n, err := store.Count(before, store.Range{}); n != 2 || err != nil {
		t.Errorf("Count in the oldest snapshot = %d, %v; want 2", n, err)
	}
	wantStore(t, s, "d=4")
}

func testSnapshotOfWriter(t *testing.T, h *harness) {
	s := h.filled(t, "a=1", "b=2")
	tx := begin(t, s, true)
	fill(t, s, "a=11", "b", "c=3")
	write(t, tx, "d=4")
	wantScan(t, tx, store.Range{}, "a=1", "b=2", "d=4")
	wantGet(t, tx, "c", absent)
	wantGet(t, tx, "a", "1")
}

func testCursorAsOfOpening(t *testing.T, h *harness) {
	tx := begin(t, h.filled(t, "a=1", "c=3"), true)
	write(t, tx, "b=2")
	forward, back := open(t, tx, store.Range{}), open(t, tx, down(store.Range{}))
	plain := begin(t, h.filled(t, "a=1", "c=3"), true)
	unwritten := open(t, plain, store.Range{})
	for _, w := range []store.Tx{tx, plain} {
		write(t, w, "a=9", "b=9", "c", "d=4")
	}
	if got := rest(t, forward); len(got) != 3 || got[0] != "a=1" || got[1] != "b=2" || got[2] != "c=3" {
		t.Errorf("a cursor shows later writes: %q", got)
	}
	if got := rest(t, back); len(got) != 3 || got[0] != "c=3" || got[1] != "b=2" || got[2] != "a=1" {
		t.Errorf("a reverse cursor shows later writes: %q", got)
	}
	if got := rest(t, unwritten); len(got) != 2 || got[0] != "a=1" || got[1] != "c=3" {
		t.Errorf("a cursor opened before the first write shows it: %q", got)
	}
	wantScan(t, tx, store.Range{}, "a=9", "b=9", "d=4")
}

func testWriteWhileIterating(t *testing.T, h *harness) {
	const n = 500
	s := h.filled(t, numbered(n)...)
	tx := begin(t, s, true)
	c := open(t, tx, store.Range{})
	seen := 0
	for c.Next() {
		seen++
		write(t, tx, "x"+string(c.Key())+"=new", string(c.Key())+"=changed")
	}
	if err := c.Err(); err != nil || seen != n {
		t.Fatalf("saw %d entries, error %v; want %d", seen, err, n)
	}
	c.Close()
	commit(t, tx)
	if got, err := store.Count(begin(t, s, false), from("x")); got != n || err != nil {
		t.Errorf("%d entries were added, error %v; want %d", got, err, n)
	}
	wantGet(t, begin(t, s, false), "000007", "changed")
}

func testDeleteWhileIterating(t *testing.T, h *harness) {
	s := h.filled(t, numbered(500)...)
	for _, r := range []store.Range{span("000100", "000200"), down(store.Range{})} {
		tx := begin(t, s, true)
		c := open(t, tx, r)
		for c.Next() {
			if err := tx.Delete(c.Key()); err != nil {
				t.Fatalf("Delete: %v", err)
			}
		}
		c.Close()
		wantScan(t, tx, r)
		commit(t, tx)
	}
	wantStore(t, s)
}

func testDiscard(t *testing.T, h *harness) {
	s := h.filled(t, "a=1")
	tx := begin(t, s, true)
	write(t, tx, "a=2", "b=3")
	tx.Discard()
	tx.Discard()
	wantStore(t, s, "a=1")
	tx = begin(t, s, true)
	write(t, tx, "a=4")
	commit(t, tx)
	tx.Discard() // does nothing
	wantStore(t, s, "a=4")
}

func testAllOrNothing(t *testing.T, h *harness) {
	s := h.filled(t, "a=1", "b=2", "c=3")
	tx := begin(t, s, true)
	write(t, tx, "a", "b=22", "d=4")
	wantStore(t, s, "a=1", "b=2", "c=3")
	commit(t, tx)
	wantStore(t, s, "b=22", "c=3", "d=4")
}

// calls returns every call of a transaction that can be refused.
func calls(tx store.Tx) map[string]func() error {
	key := []byte("a")
	return map[string]func() error{
		"Get":      func() error { _, err := tx.Get(key); return err },
		"GetMany":  func() error { return tx.GetMany([][]byte{key}, make([][]byte, 1)) },
		"Scan":     func() error { _, err := tx.Scan(store.Range{}); return err },
		"Guard":    func() error { return tx.Guard(key, nil) },
		"Set":      func() error { return tx.Set(key, key) },
		"Delete":   func() error { return tx.Delete(key) },
		"Rollback": func() error { return tx.Rollback(tx.Savepoint()) },
		"Count":    func() error { _, err := store.Count(tx, store.Range{}); return err },
		"Commit":   func() error { _, err := tx.Commit(); return err },
	}
}

// wantRefused checks that every call of tx returns want, Commit as the last.
func wantRefused(t testing.TB, tx store.Tx, want error) {
	t.Helper()
	calls := calls(tx)
	last := calls["Commit"]
	delete(calls, "Commit")
	for name, call := range calls {
		wantErr(t, name, call(), want)
	}
	wantErr(t, "Commit", last(), want)
	tx.Release(tx.Savepoint())
	tx.Discard()
}

func testDone(t *testing.T, h *harness) {
	s := h.filled(t, "a=1")
	ends := map[string]func(tx store.Tx){
		"Commit":         func(tx store.Tx) { commit(t, tx) },
		"Discard":        func(tx store.Tx) { tx.Discard() },
		"CommitOfWrites": func(tx store.Tx) { write(t, tx, "a=2"); commit(t, tx) },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			tx := begin(t, s, true)
			c := open(t, tx, store.Range{})
			c.Next()
			end(tx)
			if c.Next() || c.Seek([]byte("b")) {
				t.Error("a cursor moves after the end of its transaction")
			}
			wantErr(t, "cursor", c.Err(), store.ErrTxDone)
			c.Close()
			wantRefused(t, tx, store.ErrTxDone)
		})
	}
}

func testReadOnly(t *testing.T, h *harness) {
	s := h.filled(t, "a=1")
	tx := begin(t, s, false)
	wantErr(t, "Set", tx.Set([]byte("a"), nil), store.ErrReadOnly)
	wantErr(t, "Delete", tx.Delete([]byte("a")), store.ErrReadOnly)
	wantGet(t, tx, "a", "1")
	if err := tx.Guard(nil, nil); err != nil {
		t.Errorf("Guard in a read-only transaction: %v", err)
	}
	mark := tx.Savepoint()
	if err := tx.Rollback(mark); err != nil {
		t.Errorf("Rollback in a read-only transaction: %v", err)
	}
	tx.Release(mark)
	commit(t, tx)
	wantStore(t, s, "a=1")
}

func testVersions(t *testing.T, h *harness) {
	s := h.new(t)
	last := begin(t, s, false).Version()
	for i := range 20 {
		tx := begin(t, s, true)
		if got := tx.Version(); got < last {
			t.Fatalf("transaction %d begins at version %d after %d", i, got, last)
		}
		write(t, tx, "a=1")
		got := commit(t, tx)
		if got <= last {
			t.Fatalf("commit %d is version %d after %d", i, got, last)
		}
		last = got
		ro := begin(t, s, false)
		if got := ro.Version(); got < last {
			t.Fatalf("a transaction begins at version %d, below the commit %d before it", got, last)
		}
		ro.Discard()
	}
}

func testWithoutWrites(t *testing.T, h *harness) {
	s := h.filled(t, "a=1")
	for _, write := range []bool{false, true} {
		tx := begin(t, s, write)
		get(t, tx, "a")
		if err := tx.Guard(nil, nil); err != nil {
			t.Fatal(err)
		}
		if !h.oneWriter || !write {
			fill(t, s, "a=1", "b=2")
		}
		commit(t, tx)
	}
}

func testOpenCursorAtCommit(t *testing.T, h *harness) {
	s := h.filled(t, "a=1", "b=2")
	tx := begin(t, s, true)
	c := open(t, tx, store.Range{})
	c.Next()
	write(t, tx, "c=3")
	commit(t, tx)
	c.Close()
	wantStore(t, s, "a=1", "b=2", "c=3")
}
