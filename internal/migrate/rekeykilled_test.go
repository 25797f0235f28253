package migrate_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/internal/tables"
	"github.com/kivisdb/kivis/internal/testform"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
	"github.com/kivisdb/kivis/store/memstore"
	"github.com/kivisdb/kivis/store/remote"
	"github.com/kivisdb/kivis/store/remote/remotetest"
)

// embedded are the stores of this module that keep what they hold; each comes with
// what it holds.
var embedded = []struct {
	name string
	open func(t *testing.T) store.Store
}{
	{"memstore", func(*testing.T) store.Store { return memstore.New() }},
	{"badgerstore", func(t *testing.T) store.Store {
		st := must(badgerstore.Open(t.TempDir(), &badgerstore.Options{NoSync: true}))(t)
		t.Cleanup(func() { st.Close() })
		return st
	}},
}

// onEmbedded runs fn on each of the embedded stores, with every one of the commits or,
// on a disk and where the tests are to be short, a few of them.
func onEmbedded(t *testing.T, fn func(t *testing.T, next func() kept, every int)) {
	for i, e := range embedded {
		every := testform.Of(3+2*i, 1+4*i, 1)
		t.Run(e.name, func(t *testing.T) { fn(t, func() kept { return kept{e.open(t)} }, every) })
	}
}

// counted returns the function of the stations, which counts its calls.
func counted(calls *int) kivis.Migration {
	return kivis.Migrate(func(o station1) (station2, error) {
		*calls++
		return toCodes(o)
	})
}

// TestKeyChangeKilled kills a change of keys before any of its commits. In between an
// older program reads all as it was and writes nothing that would be lost; the next
// Register goes on where it was, and ends it.
func TestKeyChangeKilled(t *testing.T) {
	const n = 1100 // more than a chunk
	onEmbedded(t, func(t *testing.T, next func() kept, every int) {
		moving, resumed := 0, 0
		for stop := 0; ; stop += every {
			mem := next()
			network(t, mem, n)
			left := 1 << 30
			db := open(t, stopped{mem, &left}, nil)
			left = stop
			err := db.Register(&station2{}, &line2{}, &ticket2{}, kivis.Migrate(toCodes))
			if err == nil {
				break
			}
			if !errors.Is(err, errStopped) {
				t.Fatal(err)
			}
			db.Close() // it cannot give ids back
			db = open(t, mem, nil)
			began := false
			if err := db.Register(&station1{}, &line1{}, &ticket1{}); err == nil {
				began = olderReads(t, db, n, stop)
				clean(t, db)
			}
			check(t, db.Close())
			calls, done := 0, carriedKeys(t, mem)
			db = open(t, mem, nil, &station2{}, &line2{}, &ticket2{}, counted(&calls))
			checkNetwork(t, db, n)
			check(t, db.Close())
			if keys := carriedKeys(t, mem); keys > 0 {
				t.Errorf("after %d commits %d notes of keys are left", stop, keys)
			}
			if began {
				moving++
				if want := n - min(done, n); calls != want {
					t.Errorf("after %d commits, which had copied %d records, the function was called %d times, want %d", stop, done, calls, want)
				} else if want < n {
					resumed++
				}
			}
		}
		if moving == 0 || resumed == 0 {
			t.Errorf("%d kills came in the middle, and %d runs went on from there", moving, resumed)
		}
	})
}

// olderReads has the older program read and write after a kill, and reports whether
// the change of keys has begun.
func olderReads(t *testing.T, db *kivis.DB, n, stop int) bool {
	t.Helper()
	ctx := t.Context()
	stations, lines := kivis.TableOf[station1](db), kivis.TableByID[line1](db)
	if got := must(stations.Count(ctx))(t); got != n {
		t.Fatalf("after %d commits the older program finds %d stations", stop, got)
	}
	_, write := stations.Modify(ctx, 7, func(s *station1) error { s.Name = "changed"; return nil })
	_, insert := lines.Insert(ctx, &line1{From: 1})
	_, change := lines.Modify(ctx, 1, func(l *line1) error { l.Seat++; return nil })
	if errors.Is(write, kivis.ErrMigrating) {
		if !errors.Is(insert, kivis.ErrMigrating) || !errors.Is(change, kivis.ErrMigrating) {
			t.Errorf("after %d commits lines can be written: %v, %v", stop, insert, change)
		}
		return true
	}
	check(t, errors.Join(write, insert, change)) // it has not begun, and begins with what is there then
	check(t, second(lines.Modify(ctx, 1, func(l *line1) error { l.Seat--; return nil })))
	check(t, second(stations.Modify(ctx, 7, func(s *station1) error { s.Name = "name6"; return nil })))
	return false
}

// TestKeyChangeKilledAgain has each run of a change of keys be killed after a few
// commits: they come to an end all the same.
func TestKeyChangeKilledAgain(t *testing.T) {
	const n = 1100
	onEmbedded(t, func(t *testing.T, next func() kept, every int) {
		for commits := 8; commits > 3; commits -= every {
			mem := next()
			network(t, mem, n)
			runs := 0
			for done := false; !done; runs++ {
				left := 1 << 30
				db := open(t, stopped{mem, &left}, nil)
				left = commits
				err := db.Register(&station2{}, &line2{}, &ticket2{}, kivis.Migrate(toCodes))
				if done = err == nil; err != nil && !errors.Is(err, errStopped) || runs > 50 {
					t.Fatalf("run %d: %v", runs, err)
				}
				db.Close()
			}
			db := open(t, mem, nil, &station2{}, &line2{}, &ticket2{})
			checkNetwork(t, db, n)
			check(t, db.Close())
			if keys := carriedKeys(t, mem); keys > 0 || runs < 2 {
				t.Errorf("of %d commits each: %d runs, and %d notes of keys are left", commits, runs, keys)
			}
		}
	})
}

// TestKeyChangeOther goes on from a change of keys that was killed with another one,
// and with none.
func TestKeyChangeOther(t *testing.T) {
	const n = 150
	type station4 struct {
		_    struct{} `kivis:"table=stations"`
		Code string   `kivis:"key"`
		Next string   `kivis:"ref=stations,optional,ondelete=setnull"`
		Name string   `kivis:"index"`
		More int
	}
	for stop := 0; ; stop++ {
		mem := kept{memstore.New()}
		network(t, mem, n)
		left := 1 << 30
		db := open(t, stopped{mem, &left}, nil)
		left = stop
		err := db.Register(&station2{}, &line2{}, &ticket2{}, kivis.Migrate(toCodes))
		db.Close()
		if err == nil {
			break
		}
		db = open(t, mem, nil)
		if diff := must(db.Diff(t.Context(), &station2{}, &line2{}, &ticket2{}))(t); diff.Class() == schema.NothingToDo {
			check(t, db.Close())
			break // the first has been made, up to what is left of the old tables
		}
		fails := kivis.Migrate(func(o station1) (station4, error) { return station4{}, errors.New("not today") })
		if err := db.Register(&station4{}, &line2{}, &ticket2{}, fails); err == nil {
			t.Errorf("after %d commits a function that fails is let in", stop)
		}
		other := kivis.Migrate(func(o station1) (station4, error) { return station4{Code: o.Code[1:], Name: o.Name, More: 5}, nil })
		check(t, db.Register(&station4{}, &line2{}, &ticket2{}, other))
		for s, err := range kivis.TableBy[station4, string](db).All(t.Context()) {
			if check(t, err); s.More != 5 || s.Next == "" {
				t.Fatalf("after %d commits a station is %+v", stop, s)
			}
		}
		clean(t, db)
		check(t, db.Close())
		if keys := carriedKeys(t, mem); keys > 0 {
			t.Errorf("after %d commits %d notes of keys are left", stop, keys)
		}
	}
}

// TestKeyChangeTogether has several programs make one change of keys at once.
func TestKeyChangeTogether(t *testing.T) {
	const n = 1100
	b := remotetest.New()
	network(t, kept{must(remote.Open(t.Context(), b, nil))(t)}, n)
	var wg sync.WaitGroup
	dbs := make([]*kivis.DB, 3)
	for i := range dbs {
		dbs[i] = open(t, must(remote.Open(t.Context(), b, nil))(t), &kivis.Options{MaxAttempts: 1000})
		wg.Go(func() {
			if err := dbs[i].Register(&station2{}, &line2{}, &ticket2{}, kivis.Migrate(toCodes)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, db := range dbs {
		checkNetwork(t, db, n)
		check(t, db.Close())
	}
}

// carriedKeys counts what is left of notes of new keys.
func carriedKeys(t *testing.T, st store.Store) int {
	t.Helper()
	tx := must(st.Begin(t.Context(), false))(t)
	defer tx.Discard()
	lo := tables.CarriedPrefix(0)[:2]
	return must(store.Count(tx, store.Range{Lo: lo, Hi: []byte{lo[0], lo[1] + 1}}))(t)
}
