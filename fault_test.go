package kivis_test

import (
	"context"
	"errors"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/faultstore"
)

var errFault = errors.New("injected fault")

// faulty is a store that fails at the n-th operation once it is armed.
type faulty struct {
	left  int
	armed bool
	only  faultstore.Kind // 0 counts all
}

func (f *faulty) inject(op faultstore.Op) error {
	switch {
	case !f.armed, op.Kind == faultstore.Close, op.Kind == faultstore.Verify:
		return nil
	case f.only != 0 && op.Kind != f.only:
		return nil
	case f.only == 0 && op.Kind == faultstore.Committed:
		return nil
	}
	if f.left--; f.left == -1 {
		return errFault
	}
	return nil
}

// faultCalls are public calls, each on a database with a user 1, who is the
// boss of user 2 and the author of post 1, and a user 3.
var faultCalls = []struct {
	name string
	call func(ctx context.Context, conn kivis.Conn) error
}{
	{"Insert", func(ctx context.Context, c kivis.Conn) error {
		_, err := kivis.TableOf[User](c).Insert(ctx, &User{Email: "new", Boss: 1, Tags: []string{"a", "b"}})
		return err
	}},
	{"Put", func(ctx context.Context, c kivis.Conn) error {
		u := User{Email: "changed", Boss: 3}
		u.ID = 2
		_, err := kivis.TableOf[User](c).Put(ctx, &u)
		return err
	}},
	{"Modify", func(ctx context.Context, c kivis.Conn) error {
		_, err := kivis.TableOf[User](c).Modify(ctx, 1, func(u *User) error { u.Email, u.Tags = "m", nil; return nil })
		return err
	}},
	{"Delete", func(ctx context.Context, c kivis.Conn) error { return kivis.TableOf[User](c).Delete(ctx, 1) }},
	{"InsertMany", func(ctx context.Context, c kivis.Conn) error {
		_, err := kivis.TableOf[User](c).InsertMany(ctx, []User{{Email: "i1"}, {Email: "i2"}, {Email: "i3"}})
		return err
	}},
	{"Get", func(ctx context.Context, c kivis.Conn) error {
		_, err := kivis.TableOf[User](c).Get(ctx, 1)
		return err
	}},
	{"GetMany", func(ctx context.Context, c kivis.Conn) error {
		_, err := kivis.TableOf[User](c).GetMany(ctx, 1, 2, 9)
		return err
	}},
	{"Collect", func(ctx context.Context, c kivis.Conn) error {
		_, err := kivis.TableOf[User](c).Where(email.Ge("a")).Collect(ctx)
		return err
	}},
	{"Count", func(ctx context.Context, c kivis.Conn) error {
		_, err := kivis.TableOf[User](c).Where(email.Ge("a")).Count(ctx)
		return err
	}},
	{"Query.Delete", func(ctx context.Context, c kivis.Conn) error {
		_, err := kivis.TableOf[User](c).Where(email.Ge("a")).Delete(ctx)
		return err
	}},
	{"nested", func(ctx context.Context, c kivis.Conn) error {
		return c.Update(ctx, func(ctx context.Context, tx *kivis.Tx) error {
			if err := kivis.TableOf[User](tx).Delete(ctx, 1); err != nil {
				return err
			}
			_, err := kivis.TableOf[User](tx).Insert(ctx, &User{Email: "nested"})
			return err
		})
	}},
}

// faultDB opens a database for faultCalls.
func faultDB(t *testing.T, st store.Store) *kivis.DB {
	t.Helper()
	db, err := kivis.Open(st, nil)
	check(t, err)
	check(t, db.Register(&User{}, &Post{}))
	users := kivis.TableOf[User](db)
	must(users.InsertMany(bg, []User{{Email: "a", Tags: []string{"x"}}, {Email: "b", Boss: 1}, {Email: "c"}}))(t)
	must(kivis.TableOf[Post](db).Insert(bg, &Post{Author: 1}))(t)
	return db
}

// dump returns everything a store holds but the marks of the sequences.
func dump(t *testing.T, st store.Store) map[string]string {
	t.Helper()
	tx := must(st.Begin(bg, false))(t)
	defer tx.Discard()
	c := must(tx.Scan(store.Range{}))(t)
	defer c.Close()
	all := map[string]string{}
	for c.Next() {
		if k := c.Key(); len(k) < 2 || k[0] != 0x80 || k[1] != 0x82 {
			all[string(k)] = string(c.Value())
		}
	}
	check(t, c.Err())
	return all
}

func sameDump(a, b map[string]string) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if w, ok := b[k]; !ok || v != w {
			return false
		}
	}
	return true
}

// TestFaults fails each call at each of its store operations in turn: it must
// return the error and leave the database as it was.
func TestFaults(t *testing.T) {
	for _, tt := range faultCalls {
		t.Run(tt.name, func(t *testing.T) {
			for n := 0; ; n++ {
				inner := stores[0].open(t)
				f := &faulty{left: n}
				db := faultDB(t, faultstore.Wrap(inner, f.inject))
				before := dump(t, inner)
				f.armed = true
				err := tt.call(bg, db)
				f.armed = false
				if err == nil {
					if f.left < 0 {
						t.Errorf("a fault at operation %d was swallowed", n)
					}
					check(t, db.Close())
					if n == 0 {
						t.Error("no operation was failed")
					}
					return
				}
				wantErr(t, err, errFault)
				if !sameDump(before, dump(t, inner)) {
					t.Errorf("a fault at operation %d left a trace", n)
				}
				mustBeClean(t, db)
				check(t, tt.call(bg, db)) // and the call works afterwards
				check(t, db.Close())
			}
		})
	}
}

// TestFaultsInTx is TestFaults for calls inside a transaction, which must stay
// usable and without a trace of the failed call.
func TestFaultsInTx(t *testing.T) {
	for _, tt := range faultCalls {
		t.Run(tt.name, func(t *testing.T) {
			for n, swallowed := 0, false; !swallowed; n++ {
				inner := stores[0].open(t)
				f := &faulty{left: n}
				db := faultDB(t, faultstore.Wrap(inner, f.inject))
				before := dump(t, inner)
				err := db.Update(bg, func(ctx context.Context, tx *kivis.Tx) error {
					f.armed = true
					err := tt.call(ctx, tx)
					f.armed = false
					if err == nil {
						swallowed = true
						return errUndo
					}
					wantErr(t, err, errFault)
					return nil
				})
				if !swallowed {
					check(t, err)
				}
				if !sameDump(before, dump(t, inner)) {
					t.Errorf("a fault at operation %d left a trace", n)
				}
				mustBeClean(t, db)
				check(t, db.Close())
			}
		})
	}
}

// TestCommitUnknown fails a commit after the engine has made it: the database
// refuses everything afterwards, and the transaction is there whole.
func TestCommitUnknown(t *testing.T) {
	for _, tt := range faultCalls {
		inner := stores[0].open(t)
		f := &faulty{only: faultstore.Committed}
		db := faultDB(t, faultstore.Wrap(kept{inner}, f.inject))
		f.armed = true
		err := tt.call(bg, db)
		f.armed = false
		if err == nil { // a call that reads
			check(t, db.Close())
			continue
		}
		wantErr(t, err, kivis.ErrCommitUnknown)
		_, err = kivis.TableOf[User](db).Get(bg, 2)
		wantErr(t, err, kivis.ErrCommitUnknown)
		_ = db.Close()
		db = openDB(t, inner, &User{}, &Post{}) // checked at the end
		must(kivis.TableOf[User](db).Insert(bg, &User{Email: "again"}))(t)
	}
}
