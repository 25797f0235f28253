package kivis_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
)

func TestTableCRUD(t *testing.T) {
	onStores(t, []any{&Airport{}}, func(t *testing.T, db *kivis.DB) {
		airports := kivis.TableBy[Airport, IATA](db)
		jfk := Airport{Code: "JFK", Name: "Kennedy", City: "New York", State: "NY", Latitude: 40.6}
		key, err := airports.Insert(bg, &jfk)
		if err != nil || key != "JFK" {
			t.Fatalf("Insert = %q, %v", key, err)
		}
		got, err := airports.Get(bg, "JFK")
		if err != nil || got != jfk {
			t.Fatalf("Get = %+v, %v, want %+v", got, err, jfk)
		}
		_, err = airports.Insert(bg, &jfk)
		wantErr(t, err, kivis.ErrExists)
		if key, ok := kivis.KeyOf[IATA](err); !ok || key != "JFK" {
			t.Errorf("KeyOf(%v) = %q, %t", err, key, ok)
		}
		if !strings.Contains(err.Error(), "insert airports") || !strings.Contains(err.Error(), "JFK") {
			t.Errorf("error %q does not name call, table and key", err)
		}

		jfk.Name = ""
		check(t, airports.Replace(bg, &jfk))
		if got, _ := airports.Get(bg, "JFK"); got.Name != "" {
			t.Errorf("Replace kept the old Name %q: zero values are values", got.Name)
		}
		wantErr(t, airports.Replace(bg, &Airport{Code: "LAX"}), kivis.ErrNotFound)
		_, err = airports.Put(bg, &Airport{Code: "LAX", City: "Los Angeles"})
		check(t, err)
		_, err = airports.Put(bg, &Airport{Code: "LAX", City: "LA"})
		check(t, err)

		many, err := airports.GetMany(bg, "LAX", "JFK", "XXX", "LAX")
		if err != nil || len(many) != 2 || many["LAX"].City != "LA" {
			t.Fatalf("GetMany = %v, %v", many, err)
		}
		has, err := airports.Has(bg, "XXX")
		if err != nil || has {
			t.Errorf("Has(XXX) = %t, %v", has, err)
		}
		rec, err := airports.Modify(bg, "LAX", func(a *Airport) error { a.State = "CA"; return nil })
		if err != nil || rec.State != "CA" {
			t.Fatalf("Modify = %+v, %v", rec, err)
		}
		_, err = airports.Modify(bg, "LAX", func(a *Airport) error { a.Code = "LAY"; return nil })
		wantErr(t, err, kivis.ErrKeyChanged)
		_, err = airports.Modify(bg, "LAX", func(a *Airport) error { a.State = "XX"; return errInvalid })
		wantErr(t, err, errInvalid)
		if got, _ := airports.Get(bg, "LAX"); got.State != "CA" {
			t.Errorf("a failed Modify left State %q", got.State)
		}
		check(t, airports.Delete(bg, "LAX"))
		wantErr(t, airports.Delete(bg, "LAX"), kivis.ErrNotFound)
		_, err = airports.Get(bg, "LAX")
		wantErr(t, err, kivis.ErrNotFound)
	})
}

func TestHandleErrors(t *testing.T) {
	db := newDB(t, &Airport{}, &User{})
	tests := []struct {
		name string
		call func() error
		want error
		text string
	}{
		{"unregistered", func() error { _, err := kivis.TableOf[Flight](db).Get(bg, 1); return err }, kivis.ErrNotRegistered, "db.Register(&Flight{})"},
		{"unbound", func() error { _, err := kivis.TableOf[User](nil).Get(bg, 1); return err }, nil, "With"},
		{"nil DB", func() error { _, err := kivis.TableOf[User]((*kivis.DB)(nil)).Get(bg, 1); return err }, nil, "With"},
		{"nil Tx", func() error { return kivis.TableOf[User]((*kivis.Tx)(nil)).Delete(bg, 1) }, nil, "With"},
		{"nil Bulk", func() error { _, err := kivis.TableOf[User]((*kivis.Bulk)(nil)).Query().First(bg); return err }, nil, "With"},
		{"Update without a function", func() error { return db.Update(bg, nil) }, nil, "function is nil"},
		{"View without one", func() error { return db.View(bg, nil) }, nil, "function is nil"},
		{"Bulk without one", func() error { return db.Bulk(bg, nil, nil) }, nil, "function is nil"},
		{"steps without one", func() error {
			return db.Update(bg, func(ctx context.Context, tx *kivis.Tx) error {
				tx.OnCommit(nil)
				return errors.Join(tx.Update(ctx, nil), tx.View(ctx, nil))
			})
		}, nil, "function is nil"},
		{"Modify without one", func() error { _, err := kivis.TableOf[User](db).Modify(bg, 1, nil); return err }, nil, "function is nil"},
		{"Query.Modify without one", func() error { _, err := kivis.TableOf[User](db).Query().Modify(bg, nil); return err }, nil, "function is nil"},
		{"Load without one", func() error {
			_, err := kivis.Load[User, User](bg, kivis.TableOf[User](db), nil, nil)
			return err
		}, nil, "function is nil"},
		{"wrong key", func() error { _, err := kivis.TableBy[Airport, int](db).Get(bg, 1); return err }, nil, "IATA"},
		{"wrong key in Insert", func() error { _, err := kivis.TableBy[Airport, int](db).Insert(bg, &Airport{Code: "A"}); return err }, nil, "IATA"},
		{"nil record", func() error { _, err := kivis.TableOf[User](db).Insert(bg, nil); return err }, nil, "nil"},
		{"invalid", func() error {
			_, err := kivis.TableOf[User](db).Insert(bg, &User{Email: "x", Name: "invalid"})
			return err
		}, errInvalid, "insert User"},
		{"key too large", func() error {
			_, err := kivis.TableBy[Airport, IATA](db).Insert(bg, &Airport{Code: IATA(strings.Repeat("x", 3000))})
			return err
		}, kivis.ErrKeyTooLarge, "2048"},
		{"entry too large", func() error {
			_, err := kivis.TableBy[Airport, IATA](db).Insert(bg, &Airport{Code: "X", City: strings.Repeat("x", 3000)})
			return err
		}, kivis.ErrKeyTooLarge, "City"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.call()
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error = %v, want %v with %q", err, tt.want, tt.text)
			}
			if n := len(err.Error()); n > 500 {
				t.Errorf("the error's text has %d bytes", n)
			}
		})
	}
}

func TestUnique(t *testing.T) {
	onStores(t, []any{&User{}}, func(t *testing.T, db *kivis.DB) {
		users := kivis.TableOf[User](db)
		nick := "ada"
		a := User{Email: "a@x", Nick: &nick}
		id := must(users.Insert(bg, &a))(t)
		if id != 1 || a.ID != 1 {
			t.Fatalf("first id = %d, in the struct %d, want 1", id, a.ID)
		}
		b := User{Email: "a@x"}
		_, err := users.Insert(bg, &b)
		wantErr(t, err, kivis.ErrExists)
		var u *kivis.UniqueError
		if !errors.As(err, &u) || u.Table != "User" || u.Index != "Email" || u.Key != id {
			t.Fatalf("error = %#v, want a UniqueError for Email held by %d", u, id)
		}
		if key, ok := kivis.KeyOf[kivis.ID[User]](err); !ok || key != id {
			t.Errorf("KeyOf = %v, %t, want %d", key, ok, id)
		}
		if b.ID != 0 {
			t.Errorf("a failed Insert left ID %d in the struct", b.ID)
		}
		// nils never collide
		for _, mail := range []string{"b@x", "c@x"} {
			if _, err := users.Insert(bg, &User{Email: mail}); err != nil {
				t.Errorf("Insert with a nil Nick: %v", err)
			}
		}
		_, err = users.Insert(bg, &User{Email: "d@x", Nick: &nick})
		wantErr(t, err, kivis.ErrExists)
		// the value is free again after a change and after a delete
		_, err = users.Modify(bg, id, func(u *User) error { u.Email = "z@x"; u.Nick = nil; return nil })
		check(t, err)
		must(users.Insert(bg, &User{Email: "a@x", Nick: &nick}))(t)
		check(t, users.Delete(bg, id))
		must(users.Insert(bg, &User{Email: "z@x"}))(t)
	})
}

func TestInsertManyIsAllOrNone(t *testing.T) {
	onStores(t, []any{&User{}}, func(t *testing.T, db *kivis.DB) {
		users := kivis.TableOf[User](db)
		recs := []User{{Email: "1"}, {Email: "2"}, {Email: "1"}}
		_, err := users.InsertMany(bg, recs)
		wantErr(t, err, kivis.ErrExists)
		for i, r := range recs {
			if r.ID != 0 {
				t.Errorf("record %d kept id %d", i, r.ID)
			}
		}
		recs[2].Email = "3"
		keys := must(users.InsertMany(bg, recs))(t)
		for i, k := range keys {
			if recs[i].ID != k || k == 0 {
				t.Errorf("key %d = %d, in the struct %d", i, k, recs[i].ID)
			}
		}
		// in a transaction a failed one leaves no trace, and the rest goes on
		err = db.Update(bg, func(ctx context.Context, tx *kivis.Tx) error {
			users := users.With(tx)
			_, err := users.InsertMany(ctx, []User{{Email: "4"}, {Email: "1"}})
			wantErr(t, err, kivis.ErrExists)
			_, err = users.Insert(ctx, &User{Email: "5"})
			return err
		})
		check(t, err)
		n := must(users.Count(bg))(t)
		if n != 4 {
			t.Errorf("Count = %d, want 4", n)
		}
	})
}

// Everything is a record with a field of each type.
type Everything struct {
	Key    string `kivis:"key"`
	Bool   bool   `kivis:"index"`
	I8     int8   `kivis:"index"`
	I16    int16
	I32    int32
	I64    int64 `kivis:"index"`
	U8     uint8
	U16    uint16
	U32    uint32
	U64    uint64  `kivis:"index"`
	F32    float32 `kivis:"index"`
	F64    float64 `kivis:"index"`
	Bytes  []byte  `kivis:"index"`
	Array  [4]byte `kivis:"index"`
	Ints   [3]int
	Time   time.Time      `kivis:"index"`
	Dur    time.Duration  `kivis:"index"`
	Ptr    *int           `kivis:"index"`
	Slice  []int          `kivis:"index,each"`
	Map    map[string]int `kivis:"index=keys,each"`
	Nested struct {
		A int
		B string
	}
	Rec []Node
	Any any
}

type Node struct {
	Name string
	Kids []Node
}

func TestEveryFieldType(t *testing.T) {
	onStores(t, []any{&Everything{}}, func(t *testing.T, db *kivis.DB) {
		table := kivis.TableBy[Everything, string](db)
		seven := 7
		want := Everything{
			Key: "k\x00ey", Bool: true, I8: -128, I16: -1, I32: 1 << 30, I64: -1 << 63, U8: 255, U16: 65535,
			U32: 1 << 31, U64: 1<<64 - 1, F32: -0.5, F64: 1e300, Bytes: []byte{0, 255}, Array: [4]byte{1, 0, 2, 0},
			Ints: [3]int{1, 2, 3}, Time: time.Date(2001, 2, 3, 4, 5, 6, 7, time.UTC), Dur: -time.Hour, Ptr: &seven,
			Slice: []int{3, 1, 3}, Map: map[string]int{"a": 1, "b": 2}, Rec: []Node{{"x", []Node{{Name: "y"}}}}, Any: "any",
		}
		want.Nested.A, want.Nested.B = 1, "two"
		for _, rec := range []Everything{want, {Key: "zero"}, {Key: "", Slice: []int{}, Map: map[string]int{}, Bytes: []byte{}}} {
			must(table.Insert(bg, &rec))(t)
			got := must(table.Get(bg, rec.Key))(t)
			if rec.Time.IsZero() {
				got.Time, rec.Time = time.Time{}, time.Time{}
			}
			if !reflect.DeepEqual(got, rec) {
				t.Errorf("Get(%q) =\n%+v, want\n%+v", rec.Key, got, rec)
			}
		}
	})
}
