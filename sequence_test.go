package kivis_test

import (
	"context"
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
)

// reopenBadger opens the Badger store in dir.
func reopenBadger(t testing.TB, dir string) store.Store {
	t.Helper()
	st, err := badgerstore.Open(dir, &badgerstore.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func TestIdsAreNeverReused(t *testing.T) {
	dir := t.TempDir()
	last := kivis.ID[User](0)
	for round := range 4 {
		db := openDB(t, reopenBadger(t, dir), &User{})
		users := kivis.TableOf[User](db)
		draw := func() {
			t.Helper()
			id := must(users.Insert(bg, &User{Email: "x"}))(t)
			if id <= last {
				t.Fatalf("round %d: id %d after %d", round, id, last)
			}
			last = id
			check(t, users.Delete(bg, id))
		}
		draw()
		draw()
		_ = db.Update(bg, func(ctx context.Context, tx *kivis.Tx) error {
			id := must(users.With(tx).Insert(ctx, &User{Email: "rolled back"}))(t)
			if id <= last {
				t.Fatalf("round %d: id %d after %d", round, id, last)
			}
			last = id
			return errInvalid
		})
		draw()
		// a given id moves the sequence past it
		given := User{Email: "given"}
		given.ID = last + 100
		must(users.Insert(bg, &given))(t)
		last = given.ID
		check(t, users.Delete(bg, given.ID))
		draw()
		check(t, db.Close())
	}
	if last > 600 {
		t.Errorf("a clean close should give leased ids back, last = %d", last)
	}
}

type Tiny struct {
	ID   int8 `kivis:"key,auto"`
	Name string
}

type Line struct {
	Order string `kivis:"key"`
	ID    uint16 `kivis:"key,auto"`
}

type LineKey struct {
	Order string
	ID    uint16
}

// TestIdsAcrossCloseAmidInserts closes databases that others insert into: what
// Close gives back of the leased ids, no insert on its way may still take.
func TestIdsAcrossCloseAmidInserts(t *testing.T) {
	dir := t.TempDir()
	var mu sync.Mutex
	seen := map[kivis.ID[User]]bool{}
	for round := range 10 {
		db := openDB(t, reopenBadger(t, dir), &User{})
		users := kivis.TableOf[User](db)
		var wg sync.WaitGroup
		for worker := range 8 {
			wg.Go(func() {
				for i := 0; ; i++ {
					id, err := users.Insert(bg, &User{Email: fmt.Sprint(round, worker, i)})
					if err != nil {
						return
					}
					mu.Lock()
					if seen[id] {
						t.Errorf("round %d: id %d was given before", round, id)
					}
					seen[id] = true
					mu.Unlock()
					_ = users.Delete(bg, id) // or the next id would show as taken
				}
			})
		}
		time.Sleep(10 * time.Millisecond)
		check(t, db.Close())
		wg.Wait()
	}
}

func TestExhaustedIds(t *testing.T) {
	onStores(t, []any{&Tiny{}, &Line{}, &User{}}, func(t *testing.T, db *kivis.DB) {
		tiny := kivis.TableBy[Tiny, int8](db)
		for i := range 127 {
			if id := must(tiny.Insert(bg, &Tiny{}))(t); int(id) != i+1 {
				t.Fatalf("id %d, want %d", id, i+1)
			}
		}
		_, err := tiny.Insert(bg, &Tiny{})
		wantErr(t, err, kivis.ErrExhausted)
		must(tiny.Put(bg, &Tiny{ID: -5}))(t) // beside the sequence
		must(tiny.Put(bg, &Tiny{ID: -128}))(t)
		must(tiny.Put(bg, &Tiny{ID: 100}))(t)
		_, err = tiny.Insert(bg, &Tiny{ID: 100})
		wantErr(t, err, kivis.ErrExists)

		users := kivis.TableOf[User](db)
		posted := User{Email: "posted"}
		posted.ID = math.MaxUint64
		must(users.Insert(bg, &posted))(t) // beside the sequence, too
		if id := must(users.Insert(bg, &User{Email: "next"}))(t); id != 1 {
			t.Errorf("id = %d, want 1", id)
		}
		// a rolled-back given id raises nothing
		_ = db.Update(bg, func(ctx context.Context, tx *kivis.Tx) error {
			u := User{Email: "rolled back"}
			u.ID = math.MaxUint64 / 2
			must(users.With(tx).Insert(ctx, &u))(t)
			return errInvalid
		})
		if id := must(users.Insert(bg, &User{Email: "after"}))(t); id > 100 {
			t.Errorf("id = %d: a rolled-back insert used the sequence up", id)
		}
		lines := kivis.TableBy[Line, LineKey](db)
		for i := range 3 {
			key := must(lines.Insert(bg, &Line{Order: string(rune('c' - i))}))(t)
			if int(key.ID) != i+1 {
				t.Errorf("line key %v, want the table's sequence", key)
			}
		}
	})
}

// TestInsertsDoNotConflict has goroutines insert at once: generated ids must
// not make them conflict.
func TestInsertsDoNotConflict(t *testing.T) {
	onStores(t, []any{&Post{}, &User{}}, func(t *testing.T, db *kivis.DB) {
		posts := kivis.TableOf[Post](db)
		author := must(kivis.TableOf[User](db).Insert(bg, &User{Email: "a"}))(t)
		const workers, each = 8, 100
		ids := make(chan kivis.ID[Post], workers*each)
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for range each {
					id, err := posts.Insert(bg, &Post{Author: author})
					if err != nil {
						t.Error(err)
						return
					}
					ids <- id
				}
			})
		}
		wg.Wait()
		close(ids)
		seen := map[kivis.ID[Post]]bool{}
		for id := range ids {
			if seen[id] {
				t.Errorf("id %d was drawn twice", id)
			}
			seen[id] = true
		}
		if s := db.Stats(); s.Conflicts > 0 {
			t.Errorf("%d conflicts between inserts", s.Conflicts)
		}
	})
}
