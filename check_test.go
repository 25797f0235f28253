package kivis_test

import (
	"errors"
	"fmt"
	"strings"
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

// TestMaxFaults: a check ends with the fault that makes the number full.
func TestMaxFaults(t *testing.T) {
	st := stores[0].open(t)
	db, err := kivis.Open(st, nil)
	check(t, err)
	defer db.Close()
	check(t, db.Register(&User{}))
	users := kivis.TableOf[User](db)
	const n = 1200
	for i := range n {
		must(users.Insert(bg, &User{Email: fmt.Sprint(i)}))(t)
	}
	for _, key := range keysOf(t, st) {
		table, rest, err := codec.ConsumeUint(key)
		check(t, err)
		space, _, err := codec.ConsumeUint(rest)
		check(t, err)
		if table > 0 && space == 0 { // each record is damaged
			set(t, st, key, []byte{0x81, 1, 2, 3, 4, 5})
		}
	}
	for _, c := range []struct{ max, want int }{{1, 1}, {7, 7}, {n, n}, {n + 1, n}, {0, 1000}} {
		report := must(db.Check(bg, &kivis.CheckOptions{MaxFaults: c.max}))(t)
		damaged := 0
		for _, f := range report.Faults {
			if f.Kind == kivis.FaultRecord {
				damaged++
			}
		}
		if len(report.Faults) < c.want || damaged != c.want || c.max < n && c.max > 0 && report.Records != c.want {
			t.Errorf("MaxFaults %d: %d faults, %d damaged, in %d records; want %d", c.max, len(report.Faults), damaged, report.Records, c.want)
		}
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

// TestDamagedEntries changes the value of a unique entry, and the mark of the
// sequence: what would then be read is another record, or ids given again.
func TestDamagedEntries(t *testing.T) {
	st := stores[0].open(t)
	db, err := kivis.Open(kept{st}, nil)
	check(t, err)
	check(t, db.Register(&User{}))
	users := kivis.TableOf[User](db)
	must(users.InsertMany(bg, []User{{Email: "a"}, {Email: "b"}}))(t)
	check(t, db.Close())
	var entries [][]byte
	for _, key := range keysOf(t, st) {
		if table, _, err := codec.ConsumeUint(key); err != nil || table == 0 {
			continue
		}
		if strings.Contains(string(key), "a\x00\x01") || strings.Contains(string(key), "b\x00\x01") {
			entries = append(entries, key)
		}
	}
	mark := []byte{0x80, 0x82, 0x81}
	a, b := must(get(t, st, entries[0]))(t), must(get(t, st, entries[1]))(t)
	db, err = kivis.Open(st, nil)
	check(t, err)
	defer db.Close()
	check(t, db.Register(&User{}))
	users = kivis.TableOf[User](db)
	var damage *kivis.CorruptError
	for name, value := range map[string][]byte{"another record's": b, "cut": a[:2], "empty": {}, "flipped": append([]byte{a[0] ^ 1}, a[1:]...)} {
		set(t, st, entries[0], value)
		calls := map[string]func() error{
			"One":   func() error { _, err := users.Where(email.Eq("a")).One(bg); return err },
			"Range": func() error { _, err := users.Where(email.Le("a")).Collect(bg); return err },
			"Keys": func() error {
				for _, err := range users.Where(email.Lt("b")).Keys(bg) {
					return err
				}
				return nil
			},
			"Insert": func() error { _, err := users.Insert(bg, &User{Email: "a"}); return err },
		}
		for call, fn := range calls {
			if err := fn(); !errors.As(err, &damage) || damage.Table != "User" || damage.Index != "Email" {
				t.Errorf("%s value, %s: error = %v, want a CorruptError for the index", name, call, err)
			}
		}
		if report := must(db.Check(bg, nil))(t); report.Clean() {
			t.Errorf("%s value: Check finds nothing", name)
		}
	}
	must(db.Check(bg, &kivis.CheckOptions{Repair: true}))(t)
	mustBeClean(t, db)
	set(t, st, mark, append(must(get(t, st, mark))(t)[:11:11], 0))
	db2 := kivis.TableOf[User](db)
	for range 100 { // beyond the ids that are leased
		if _, err = db2.Insert(bg, &User{Email: "a"}); errors.As(err, &damage) {
			return
		}
	}
	t.Errorf("a damaged mark: %v", err)
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
