package kivis_test

import (
	"errors"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/store"
)

// kept is a store that its test goes on using after the database is closed.
type kept struct{ store.Store }

func (kept) Close() error { return nil }

func TestCheckFindsAndRepairs(t *testing.T) {
	for _, s := range stores {
		t.Run(s.name, func(t *testing.T) {
			st := s.open(t)
			defer st.Close()
			db, err := kivis.Open(kept{st}, nil)
			check(t, err)
			check(t, db.Register(&User{}))
			users := kivis.TableOf[User](db)
			nick := "n"
			must(users.InsertMany(bg, []User{{Email: "a", Name: "A", Tags: []string{"x", "y"}}, {Email: "b", Nick: &nick}, {Email: "c"}}))(t)

			// every index entry and every record is damaged in turn
			keys := keysOf(t, st)
			for _, key := range keys {
				if table, _, err := codec.ConsumeUint(key); err != nil || table == 0 {
					continue
				}
				value, err := get(t, st, key)
				check(t, err)
				set(t, st, key, nil) // delete
				report := must(db.Check(bg, nil))(t)
				if report.Clean() {
					t.Errorf("Check found nothing without the key %x", key)
				}
				set(t, st, key, value)
				mustBeClean(t, db)
			}
			// left-over and wrong entries
			for _, key := range keys {
				table, rest, err := codec.ConsumeUint(key)
				check(t, err)
				space, _, err := codec.ConsumeUint(rest)
				check(t, err)
				if table == 0 || space == 0 {
					continue
				}
				value, err := get(t, st, key)
				check(t, err)
				set(t, st, append(key[:len(key):len(key)], 0x85), []byte{})
				if len(value) > 0 {
					set(t, st, key, []byte{0x83}) // another record's id
				}
			}
			report := must(db.Check(bg, &kivis.CheckOptions{Repair: true}))(t)
			if report.Clean() {
				t.Error("Check found nothing")
			}
			for _, f := range report.Faults {
				if !f.Fixed {
					t.Errorf("not mended: %v", f)
				}
			}
			mustBeClean(t, db)
			check(t, db.Close())
		})
	}
}

func TestDamagedRecords(t *testing.T) {
	st := stores[0].open(t)
	db, err := kivis.Open(st, nil)
	check(t, err)
	defer db.Close()
	check(t, db.Register(&User{}))
	users := kivis.TableOf[User](db)
	id := must(users.Insert(bg, &User{Email: "a", Name: "ada"}))(t)
	for _, key := range keysOf(t, st) {
		value, err := get(t, st, key)
		check(t, err)
		if len(value) < 10 {
			continue
		}
		for i := range value {
			bad := append([]byte(nil), value...)
			bad[i] ^= 0x40
			set(t, st, key, bad)
			exercise(t, db, id) // must not panic; what it returns depends on the byte
		}
		for n := range value {
			set(t, st, key, append([]byte{}, value[:n]...))
			exercise(t, db, id)
		}
		set(t, st, key, value)
	}
	if got := must(users.Get(bg, id))(t); got.Name != "ada" {
		t.Errorf("record = %+v", got)
	}
}

func exercise(t *testing.T, db *kivis.DB, id kivis.ID[User]) {
	t.Helper()
	users := kivis.TableOf[User](db)
	u, err := users.Get(bg, id)
	var damage *kivis.CorruptError
	switch {
	case err == nil && u.Name == "ada":
	case errors.As(err, &damage) && damage.Table == "User" && damage.Key == id:
	default:
		t.Fatalf("Get of a damaged record = %+v, %v", u, err)
	}
	if err != nil {
		if _, err := users.Query().Collect(bg); !errors.As(err, &damage) {
			t.Fatalf("Collect = %v", err)
		}
		if err := users.Delete(bg, id); !errors.As(err, &damage) {
			t.Fatalf("Delete = %v", err)
		}
	}
}

func keysOf(t *testing.T, st store.Store) (keys [][]byte) {
	t.Helper()
	tx := must(st.Begin(bg, false))(t)
	defer tx.Discard()
	c := must(tx.Scan(store.Range{}))(t)
	defer c.Close()
	for c.Next() {
		keys = append(keys, append([]byte(nil), c.Key()...))
	}
	check(t, c.Err())
	return keys
}

func get(t *testing.T, st store.Store, key []byte) ([]byte, error) {
	t.Helper()
	tx := must(st.Begin(bg, false))(t)
	defer tx.Discard()
	return tx.Get(key)
}

// set writes a key behind the database's back; nil deletes it.
func set(t *testing.T, st store.Store, key, value []byte) {
	t.Helper()
	tx := must(st.Begin(bg, true))(t)
	defer tx.Discard()
	if value == nil {
		check(t, tx.Delete(key))
	} else {
		check(t, tx.Set(key, value))
	}
	must(tx.Commit())(t)
}
