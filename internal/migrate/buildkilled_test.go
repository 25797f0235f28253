package migrate_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/kivisdb/kivis"
)

// Two versions of a record, of which the second has other indexes.
type (
	indexed1 struct {
		_    struct{} `kivis:"table=rows"`
		ID   int      `kivis:"key"`
		Mail string
		Size int `kivis:"index"`
		Tags []string
	}
	indexed2 struct {
		_    struct{} `kivis:"table=rows,index=both(Size,-Mail)"`
		ID   int      `kivis:"key"`
		Mail string   `kivis:"unique"`
		Size int
		Tags []string `kivis:"index,each"`
	}
)

// rowsOf1 writes n records of the first version.
func rowsOf1(t *testing.T, st kept, n int) {
	t.Helper()
	db := open(t, st, nil, &indexed1{})
	list := make([]indexed1, n)
	for i := range list {
		list[i] = indexed1{ID: i, Mail: fmt.Sprint("m", i), Size: i % 10, Tags: []string{fmt.Sprint("t", i%4), "all"}}
	}
	check(t, second(kivis.TableBy[indexed1, int](db).InsertMany(t.Context(), list)))
	check(t, db.Close())
}

// checkRows2 holds the second version's indexes against n records.
func checkRows2(t *testing.T, db *kivis.DB, n int) {
	t.Helper()
	ctx, rows := t.Context(), kivis.TableBy[indexed2, int](db)
	for _, q := range []struct {
		index, where string
		want         int
	}{{"Mail", `Mail = "m77"`, 1}, {"both", `Size = 7`, n / 10}, {"Tags", `Tags contains "t1"`, n / 4}} {
		got, err := rows.WhereText(q.where).Using(q.index).Count(ctx)
		if err != nil || got != q.want {
			t.Errorf("%s by %s: %d records, %v; want %d", q.where, q.index, got, err, q.want)
		}
	}
	clean(t, db)
}

// TestBuildKilled kills a Register that builds indexes and drops one before any of its
// commits: the program before goes on with what it knows, and the next Register ends it.
func TestBuildKilled(t *testing.T) {
	const n = 2500
	onEmbedded(t, func(t *testing.T, next func() kept, every int) {
		for stop := 0; ; stop += step(stop, every) {
			mem := next()
			rowsOf1(t, mem, n)
			left := 1 << 30
			db := open(t, stopped{mem, &left}, nil)
			left = stop
			err := db.Register(&indexed2{})
			if err == nil {
				checkRows2(t, db, n)
				check(t, db.Close())
				break
			}
			if !errors.Is(err, errStopped) {
				t.Fatal(err)
			}
			check(t, db.Close())
			db = open(t, mem, nil)
			named := kivis.TableNamed(db, "rows") // which keeps what is being built
			key := must(named.Key("3"))(t)
			check(t, second(named.Modify(t.Context(), key, func(r *kivis.Record) error { return r.Set("Mail", "changed") })))
			if err := second(named.Modify(t.Context(), key, func(r *kivis.Record) error { return r.Set("Mail", "m3") })); err != nil {
				t.Errorf("after %d commits: %v", stop, err)
			}
			clean(t, db)
			check(t, db.Close())
			db = open(t, mem, nil, &indexed2{})
			checkRows2(t, db, n)
			check(t, db.Close())
		}
	})
}

// TestBuildKilledAgain has each run of a build be killed after a few commits: they come
// to an end all the same, since each goes on where the one before was.
func TestBuildKilledAgain(t *testing.T) {
	const n = 4000
	onEmbedded(t, func(t *testing.T, next func() kept, every int) {
		for commits := 4; commits > 1; commits -= every {
			mem := next()
			rowsOf1(t, mem, n)
			runs := 0
			for done := false; !done; runs++ {
				left := 1 << 30
				db := open(t, stopped{mem, &left}, nil)
				left = commits
				err := db.Register(&indexed2{})
				if done = err == nil; err != nil && !errors.Is(err, errStopped) || runs > 200 {
					t.Fatalf("%d commits each, run %d: %v", commits, runs, err)
				}
				check(t, db.Close())
			}
			db := open(t, mem, nil, &indexed2{})
			if checkRows2(t, db, n); runs < 2 {
				t.Errorf("%d commits each came to an end in %d runs", commits, runs)
			}
			check(t, db.Close())
		}
	})
}
