package migrate_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/internal/testform"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
	"github.com/kivisdb/kivis/store/memstore"
)

// Versions of a program: a name is split, a number becomes a word, a label is
// unique.
type (
	person1 struct {
		_     struct{} `kivis:"table=person"`
		ID    int      `kivis:"key"`
		Name  string   `kivis:"index"`
		Level int
		Note  string `kivis:"index"`
		Boss  int    `kivis:"ref=person,optional"`
	}
	person2 struct {
		_     struct{} `kivis:"table=person"`
		ID    int      `kivis:"key"`
		First string   `kivis:"index"`
		Last  string
		Level string `kivis:"index"`
		Note  string `kivis:"unique"`
		Boss  int    `kivis:"ref=person,optional"`
	}
	person3 struct {
		_     struct{} `kivis:"table=person"`
		ID    int      `kivis:"key"`
		First string   `kivis:"index"`
		Last  string
		Level []string `kivis:"index,each"`
		Note  string   `kivis:"unique"`
		Boss  int      `kivis:"ref=person,optional"`
	}
)

func to2(o person1) (person2, error) {
	first, last, ok := strings.Cut(o.Name, " ")
	if !ok {
		return person2{}, fmt.Errorf("the name %q has no space", o.Name)
	}
	return person2{ID: o.ID, First: first, Last: last, Level: "L" + strconv.Itoa(o.Level), Note: strings.ToLower(o.Note), Boss: o.Boss}, nil
}

func to3(o person2) (person3, error) {
	return person3{ID: o.ID, First: o.First, Last: o.Last, Level: []string{o.Level}, Note: o.Note, Boss: o.Boss}, nil
}

// people returns n records of the first version.
func people(n int) []person1 {
	list := make([]person1, n)
	for i := range list {
		list[i] = person1{ID: i + 1, Name: fmt.Sprintf("first%d last%d", i%100, i), Level: i % 5, Note: fmt.Sprintf("N%d", n-i), Boss: i / 2}
	}
	return list
}

// seed writes records of the first version.
func seed(t *testing.T, st kept, list []person1) {
	t.Helper()
	db := open(t, st, nil, &person1{})
	check(t, second(kivis.TableBy[person1, int](db).InsertMany(t.Context(), list)))
	check(t, db.Close())
}

// want2 holds what is stored against what a function makes of a list.
func want2(t *testing.T, db *kivis.DB, list []person1) {
	t.Helper()
	n := 0
	for got, err := range kivis.TableBy[person2, int](db).Query().All(t.Context()) {
		check(t, err)
		if want := must(to2(list[n]))(t); got != want {
			t.Fatalf("record %d is %+v, want %+v", n, got, want)
		}
		n++
	}
	if n != len(list) {
		t.Fatalf("%d records, want %d", n, len(list))
	}
	clean(t, db)
	level := kivis.FieldOf(func(p *person2) *string { return &p.Level })
	if got := must(kivis.TableBy[person2, int](db).Where(level.Eq("L3")).Count(t.Context()))(t); got != len(list)/5 {
		t.Errorf("%d records by the new index, want %d", got, len(list)/5)
	}
}

// TestMigration: all that would fail is named and nothing has changed; mended, it
// completes, and a program without the function need not know.
func TestMigration(t *testing.T) {
	st := kept{memstore.New()}
	list := people(3000)
	bad := append([]person1(nil), list...)
	bad[10].Name, bad[1500].Name, bad[2999].Name = "x", "y", "z"
	bad[20].Note, bad[21].Note = "same", "Same"
	bad[30].Note, bad[2000].Note = "other", "OTHER"
	seed(t, st, bad)
	db := open(t, st, nil)
	migrate := kivis.Migrate(to2)
	diff := must(db.Diff(t.Context(), &person2{}, migrate))(t)
	for _, text := range []string{"migration: migrate_test.person1 to migrate_test.person2 (rewrite, 3000 records)", "changed type Level: int64 to string (rewrite, 3000 records)"} {
		if diff.Class() != schema.Rewrite || !strings.Contains(diff.String(), text) {
			t.Errorf("Diff is\n%s\nwant %s", diff, text)
		}
	}
	if err := db.Register(&person2{}); err == nil {
		t.Error("Register without the function is let in")
	}
	err := db.Register(&person2{}, migrate)
	var change *kivis.SchemaChangeError
	var unique *kivis.UniqueError
	if !errors.As(err, &change) || len(change.Changes) != 5 || !errors.As(err, &unique) {
		t.Fatalf("Register = %v, want a SchemaChangeError of five records", err)
	}
	for _, key := range []string{"record 11:", "record 1501:", "record 3000:", "record 22:", "record 2001:"} {
		if !strings.Contains(err.Error(), key) {
			t.Errorf("the error does not name %s: %v", key, err)
		}
	}
	if list := db.Builds(); len(list) > 0 {
		t.Errorf("Builds = %+v, want none", list)
	}
	check(t, db.Close())
	db = open(t, st, nil, &person1{}) // nothing has changed
	tb := kivis.TableBy[person1, int](db)
	for i, p := range bad {
		if got := must(tb.Get(t.Context(), i+1))(t); got != p {
			t.Fatalf("record %d is %+v, want %+v", i+1, got, p)
		}
		if p != list[i] {
			check(t, tb.Replace(t.Context(), &list[i]))
		}
	}
	clean(t, db)
	check(t, db.Close())
	db = open(t, st, nil, &person2{}, migrate)
	want2(t, db, list)
	check(t, db.Close())
	db = open(t, st, nil, &person2{})
	want2(t, db, list)
	if d := must(db.Diff(t.Context(), &person2{}, migrate))(t); !d.Empty() {
		t.Errorf("Diff after it is done: %v", d)
	}
	check(t, db.Close())
}

// TestMigrationVoided has records written while the check of a migration runs: what it
// found out about them does not count, whether the store says what is written or not.
func TestMigrationVoided(t *testing.T) {
	list := people(1200)
	for _, test := range []struct {
		name, want string
		change     func(r *kivis.Record) error
	}{
		{"fine", "", func(r *kivis.Record) error { return r.Set("Name", "other name") }},
		{"the function fails", `the name "nospace" has no space`, func(r *kivis.Record) error { return r.Set("Name", "nospace") }},
		{"a unique value is taken", "Note", func(r *kivis.Record) error { return r.Set("Note", "n7") }},
	} {
		voided := func(t *testing.T, feed bool) {
			mem := memstore.New()
			seed(t, kept{mem}, list)
			var st store.Store = kept{mem} // hides that it can say
			if feed {
				st = mem
			}
			db := open(t, st, nil)
			defer db.Close()
			calls := 0
			err := db.Register(&person2{}, kivis.Migrate(func(o person1) (person2, error) {
				if calls++; calls == 1000 {
					named := kivis.TableNamed(db, "person")
					if _, err := named.Modify(t.Context(), must(named.Key("3"))(t), test.change); err != nil {
						t.Error(err)
					}
				}
				return to2(o)
			}))
			if test.want == "" {
				check(t, err)
				if p := must(kivis.TableBy[person2, int](db).Get(t.Context(), 3))(t); p.First != "other" {
					t.Errorf("record 3 is %+v", p)
				}
				clean(t, db)
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.want) || len(db.Builds()) > 0 {
				t.Errorf("Register: %v, want %q; builds are %v", err, test.want, db.Builds())
			}
			if n := must(kivis.TableNamed(db, "person").Count(t.Context()))(t); n != len(list) {
				t.Errorf("%d records", n)
			}
			if _, err := kivis.TableNamed(db, "person").Get(t.Context(), must(kivis.TableNamed(db, "person").Key("3"))(t)); err != nil {
				t.Errorf("record 3 after a Register that failed: %v", err)
			}
		}
		t.Run(test.name, func(t *testing.T) { voided(t, true) })
		t.Run(test.name+", without a feed", func(t *testing.T) { voided(t, false) })
	}
}

// TestMigrationKilled: a migration that is killed before any of its commits goes on
// at the next Register, and ends as one that was not; in between a program
// without the function is kept from what it does not understand.
func TestMigrationKilled(t *testing.T) {
	list := people(2500)
	onEmbedded(t, func(t *testing.T, next func() kept, every int) {
		refused := 0
		for n := 0; ; n += step(n, every) {
			mem := next()
			seed(t, mem, list)
			left := 1 << 30
			db := open(t, stopped{mem, &left}, nil)
			left = n
			err := db.Register(&person2{}, kivis.Migrate(to2))
			if err == nil {
				break
			}
			if !errors.Is(err, errStopped) {
				t.Fatal(err)
			}
			check(t, db.Close())
			if withoutFunction(t, mem, n) {
				refused++
			}
			db = open(t, mem, nil, &person2{}, kivis.Migrate(to2))
			want2(t, db, list)
			check(t, db.Close())
		}
		if refused == 0 {
			t.Error("no kill came in the middle")
		}
	})
}

// step is to the number of commits after which the next run is killed: each in turn,
// or, where tests are to be short, fewer as they get more, since on a slow machine
// chunks are small, and many.
func step(n, every int) int {
	return every + testform.Of(n/3, n/4, 0)
}

// withoutFunction has a program without the function read and write what a run left
// that was killed after n commits. It reports whether that was refused.
func withoutFunction(t *testing.T, st kept, n int) bool {
	t.Helper()
	db := open(t, st, nil)
	defer db.Close()
	named := kivis.TableNamed(db, "person")
	key := must(named.Key("2500"))(t)
	_, read := named.Get(t.Context(), key)
	_, write := named.Modify(t.Context(), key, func(*kivis.Record) error { return nil })
	if !errors.Is(read, kivis.ErrMigrating) {
		return false
	}
	if err := db.Register(&person2{}); err != nil {
		t.Errorf("after %d commits a program without the function: %v", n, err)
	}
	if err := second(kivis.TableBy[person2, int](db).Insert(t.Context(), &person2{ID: 9999, Note: "new"})); !errors.Is(err, kivis.ErrMigrating) {
		t.Errorf("after %d commits Insert without the function: %v", n, err)
	}
	if err := named.Delete(t.Context(), key); !errors.Is(err, kivis.ErrMigrating) || !errors.Is(write, kivis.ErrMigrating) {
		t.Errorf("after %d commits Delete and Modify without the function: %v, %v", n, err, write)
	}
	return true
}

// TestMigrationChain: two functions one after the other give what one gives, also
// where the first of them was interrupted.
func TestMigrationChain(t *testing.T) {
	list := people(2500)
	for _, n := range []int{0, 1, 3, 4, 1000} { // commits of the first
		mem := kept{memstore.New()}
		seed(t, mem, list)
		left := 1 << 30
		db := open(t, stopped{mem, &left}, nil)
		if left = n; n > 0 {
			db.Register(&person2{}, kivis.Migrate(to2)) // is stopped
		}
		check(t, db.Close())
		db = open(t, mem, nil, &person3{}, kivis.Migrate(to3), kivis.Migrate(to2))
		i := 0
		for got, err := range kivis.TableBy[person3, int](db).Query().All(t.Context()) {
			check(t, err)
			if want := must(to3(must(to2(list[i]))(t)))(t); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("after %d commits record %d is %+v, want %+v", n, i, got, want)
			}
			i++
		}
		clean(t, db)
		if i != len(list) {
			t.Errorf("after %d commits there are %d records", n, i)
		}
		check(t, db.Close())
	}
}

// records is how many records TestMigrationInUse has, on a disk, where it is not 0. It
// then holds what memory it takes against a bound, and says how long it took.
var records = flag.Int("records", 0, "run TestMigrationInUse over so many records in badgerstore")

// watchHeap returns a function that ends the watch and returns by how much the heap in
// use has grown at most, in bytes.
func watchHeap() (grown func() uint64) {
	heap := func() uint64 {
		var s runtime.MemStats
		runtime.ReadMemStats(&s)
		return s.HeapAlloc
	}
	runtime.GC()
	before, most, stop, done := heap(), uint64(0), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			most = max(most, heap())
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	return func() uint64 {
		close(stop)
		<-done
		return most - min(most, before)
	}
}

// TestMigrationInUse: while records are rewritten others read and write them, and
// each read is what the function makes of the old, or what has been written.
func TestMigrationInUse(t *testing.T) {
	n := testform.Of(4000, 4000, 20_000)
	st := kept{memstore.New()}
	if *records > 0 {
		n = *records
		disk, err := badgerstore.Open(t.TempDir(), &badgerstore.Options{NoSync: true, Memory: 32 << 20})
		check(t, err)
		defer disk.Close()
		st = kept{disk}
	}
	list := people(n)
	for some := range slices.Chunk(list, 10_000) {
		seed(t, st, some)
	}
	if *records > 0 {
		defer debug.SetGCPercent(debug.SetGCPercent(10)) // what is garbage does not count
		warm := open(t, st, nil)
		check(t, second(kivis.TableNamed(warm, "person").Query().Collect(t.Context()))) // what the store keeps in memory does not count
		check(t, warm.Close())
	}
	grown, began := watchHeap(), time.Now()
	db := open(t, st, &kivis.Options{BackgroundBuilds: true}, &person2{}, kivis.Migrate(to2))
	tb := kivis.TableBy[person2, int](db)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for g := range 4 { // each writes records of its own, and reads those of all
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(1, uint64(g)))
			for ctx.Err() == nil {
				i := 4*rng.IntN(n/4) + g
				if _, err := tb.Modify(context.Background(), i+1, func(p *person2) error { p.Last = "changed"; return nil }); err != nil {
					t.Errorf("Modify: %v", err)
					return
				}
				i = rng.IntN(n)
				got, err := tb.Get(context.Background(), i+1)
				want, _ := to2(list[i])
				if got.Last == "changed" {
					want.Last = "changed"
				}
				if err != nil || got != want {
					t.Errorf("Get = %+v, %v, want %+v", got, err, want)
					return
				}
			}
		})
	}
	for len(db.Builds()) > 0 {
		for _, b := range db.Builds() {
			if b.Err != nil {
				t.Fatalf("a build has failed: %+v", b)
			}
		}
	}
	took := time.Since(began)
	cancel()
	wg.Wait()
	if most := grown(); *records > 0 {
		t.Logf("%d records in %v, and the heap grew by %d MB at most", n, took, most>>20)
		if most > 64<<20 {
			t.Errorf("the heap grew by %d bytes, want 64 MB at most", most)
		}
	}
	clean(t, db)
	if d := must(db.Diff(t.Context(), &person2{}))(t); !d.Empty() {
		t.Errorf("Diff: %v", d)
	}
	check(t, db.Close())
}

// TestRewrite brings all records to the newest layout, which alone stays.
func TestRewrite(t *testing.T) {
	st := kept{memstore.New()}
	db := open(t, st, nil, &plain{})
	rows := make([]plain, 3000)
	for i := range rows {
		rows[i] = plain{ID: i, Mail: strings.Repeat("m", 50), Size: i}
	}
	check(t, second(kivis.TableBy[plain, int](db).InsertMany(t.Context(), rows)))
	check(t, db.Close())
	type small struct {
		_    struct{} `kivis:"table=rows"`
		ID   int      `kivis:"key"`
		Size int      `kivis:"index"`
	}
	db = open(t, st, nil)
	diff := must(db.Diff(t.Context(), &small{}, kivis.Rewrite[small]()))(t)
	if !strings.Contains(diff.String(), "rewrite: to version 2; older versions go (rewrite, 3000 records)") {
		t.Errorf("Diff = %v", diff)
	}
	check(t, db.Register(&small{}, kivis.Rewrite[small]()))
	if got := must(kivis.TableBy[small, int](db).Get(t.Context(), 2999))(t); got.Size != 2999 {
		t.Errorf("a rewritten record is %+v", got)
	}
	if _, there := must(kivis.TableNamed(db, "rows").Schema(t.Context()))(t).LayoutOf(1); there {
		t.Error("the older layout is still there")
	}
	clean(t, db)
	check(t, db.Register(&small{}, kivis.Rewrite[small]())) // may stay
	check(t, db.Close())
}
