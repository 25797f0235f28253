package kivis_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/cache"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/memstore"
	"github.com/kivisdb/kivis/store/remote"
	"github.com/kivisdb/kivis/store/remote/remotetest"
)

// origins are places whose data several programs share: each call of the function
// that open returns is a program's store.
var origins = []struct {
	name string
	open func(t *testing.T) func() store.Store
}{
	{"remote", func(t *testing.T) func() store.Store {
		b := remotetest.New()
		return func() store.Store { return must(remote.Open(bg, b, nil))(t) }
	}},
	{"layers", func(t *testing.T) func() store.Store {
		origin := memstore.New()
		t.Cleanup(func() { origin.Close() })
		return func() store.Store { return must(cache.Stack(sharedOrigin{origin}, cache.Memory(1<<20)))(t) }
	}},
	{"layers over remote", func(t *testing.T) func() store.Store {
		b := remotetest.New()
		return func() store.Store {
			return must(cache.Stack(must(remote.Open(bg, b, nil))(t), cache.Memory(1<<20)))(t)
		}
	}},
}

// sharedOrigin is a store that outlives those in front of it.
type sharedOrigin struct{ *memstore.Store }

func (sharedOrigin) Close() error { return nil }

// TestOthersRegister: a program goes on while another changes the schema.
func TestOthersRegister(t *testing.T) {
	for _, o := range origins {
		t.Run(o.name, func(t *testing.T) {
			open := o.open(t)
			a := openDB(t, open(), &itemPlain{})
			plain := kivis.TableOf[itemPlain](a)
			must(plain.Insert(bg, &itemPlain{N: 1}))(t)
			before := must(a.Begin(bg, true))(t)
			must(plain.With(before).Insert(bg, &itemPlain{N: 100}))(t)

			b := openDB(t, open(), &itemIndexed{})
			indexed := kivis.TableOf[itemIndexed](b)
			id := must(indexed.Insert(bg, &itemIndexed{N: 2, More: "more"}))(t)
			wantErr(t, before.Commit(), kivis.ErrConflict)

			if r := must(plain.Get(bg, kivis.ID[itemPlain](id)))(t); r.N != 2 {
				t.Errorf("the program of the older type reads %+v", r)
			}
			must(plain.Insert(bg, &itemPlain{N: 3}))(t) // which loses nothing
			_, err := plain.Put(bg, &itemPlain{N: 3})
			wantErr(t, err, kivis.ErrOlderType)
			_, err = plain.Modify(bg, kivis.ID[itemPlain](id), func(r *itemPlain) error { r.N++; return nil })
			wantErr(t, err, kivis.ErrOlderType)
			named := kivis.TableNamed(a, "things")
			rec := must(named.Where("N = 2").One(bg))(t) // by the new index
			if more := must(rec.Get("More"))(t); more != "more" {
				t.Errorf("by name the new field is %v", more)
			}
			check(t, rec.Set("N", 7))
			check(t, named.Replace(bg, rec)) // knows all fields
			if r := must(indexed.WhereText("N = 7").One(bg))(t); r.More != "more" {
				t.Errorf("after a write by name: %+v", r)
			}
			check(t, plain.Delete(bg, 1))
			mustBeClean(t, b)
			mustBeClean(t, a)
		})
	}
}

// TestRegisterAgain: a type is there also where its Register changes nothing.
func TestRegisterAgain(t *testing.T) {
	for _, o := range origins {
		t.Run(o.name, func(t *testing.T) {
			open := o.open(t)
			check(t, openDB(t, open(), &itemPlain{}).Close())
			db := openDB(t, open())
			must(kivis.TableNamed(db, "things").Count(bg))(t)
			check(t, db.Register(&itemPlain{}))
			must(kivis.TableOf[itemPlain](db).Count(bg))(t)
		})
	}
}

// TestOthersBuild: an index is built by one program while another writes.
func TestOthersBuild(t *testing.T) {
	for _, o := range origins {
		t.Run(o.name, func(t *testing.T) {
			open := o.open(t)
			a := openWith(t, open(), &kivis.Options{AllowOlder: true}, &itemPlain{})
			plain := kivis.TableOf[itemPlain](a)
			var wg sync.WaitGroup
			ctx, cancel := context.WithCancel(deadline(t))
			for w := range 3 {
				wg.Go(func() {
					for n := w; ctx.Err() == nil; n += 3 {
						id, err := plain.Insert(ctx, &itemPlain{N: n})
						if err == nil && n%2 == 0 {
							_, err = plain.Modify(ctx, id, func(r *itemPlain) error { r.N = -n; return nil })
						}
						if err == nil && n%5 == 0 {
							err = plain.Delete(ctx, id)
						}
						if err != nil && !errors.Is(err, context.Canceled) {
							t.Error(err)
							return
						}
					}
				})
			}
			for must(plain.Count(bg))(t) < 50 {
			}
			b := openDB(t, open(), &itemIndexed{})
			indexed := kivis.TableOf[itemIndexed](b)
			n := must(indexed.Count(bg))(t)
			for must(indexed.Count(bg))(t) < n+30 {
			}
			cancel()
			wg.Wait()
			mustBeClean(t, b)
			mustBeClean(t, a)
		})
	}
}

// TestOthersRegisterAtOnce: two programs register different tables at once.
func TestOthersRegisterAtOnce(t *testing.T) {
	for _, o := range origins {
		t.Run(o.name, func(t *testing.T) {
			open := o.open(t)
			dbs := make([]*kivis.DB, 4)
			records := []any{&Item{}, &User{}, &itemIndexed{}, &Airport{}}
			var wg sync.WaitGroup
			for i := range dbs {
				wg.Go(func() {
					for {
						db, err := kivis.Open(open(), nil)
						if errors.Is(err, kivis.ErrConflict) {
							continue // several created the database at once
						}
						if err != nil {
							t.Error(err)
							return
						}
						dbs[i] = db
						t.Cleanup(func() { db.Close() })
						if err := db.Register(records[i]); err != nil {
							t.Error(err)
						}
						return
					}
				})
			}
			wg.Wait()
			for i, db := range dbs {
				if db == nil {
					continue
				}
				must(db.Diff(bg, records[i]))(t)
				if err := db.View(bg, func(context.Context, *kivis.Tx) error { return nil }); err != nil {
					t.Error(err)
				}
				if n := len(db.Tables()); n != len(records) {
					t.Errorf("program %d knows %d tables, want %d", i, n, len(records))
				}
				mustBeClean(t, db)
			}
		})
	}
}
