package kivis_test

import (
	"context"
	"errors"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/store"
)

// damageRecord changes one byte of the i-th record of the table that has the id, in
// the store, and returns what undoes that.
func damageRecord(t *testing.T, st store.Store, table uint64, i, at int) (mend func()) {
	t.Helper()
	tx := must(st.Begin(bg, true))(t)
	defer tx.Discard()
	prefix := codec.AppendUint(codec.AppendUint(nil, table), 0)
	c := must(tx.Scan(store.Range{Lo: prefix, Hi: codec.PrefixEnd(prefix)}))(t)
	for range i + 1 {
		if !c.Next() {
			t.Fatal("no such record")
		}
	}
	key, value := append([]byte(nil), c.Key()...), append([]byte(nil), c.Value()...)
	bad := append([]byte(nil), value...)
	bad[at%len(bad)] ^= 0x40
	c.Close()
	check(t, tx.Set(key, bad))
	must(tx.Commit())(t)
	return func() {
		tx := must(st.Begin(bg, true))(t)
		check(t, tx.Set(key, value))
		must(tx.Commit())(t)
	}
}

// TestDamageIsNoticed has every kind of read meet a damaged record, in every store:
// each is a CorruptError, whichever byte it is. Around it are records that the
// database has written itself.
func TestDamageIsNoticed(t *testing.T) {
	name := kivis.FieldOf(func(m *Member) *string { return &m.Name })
	drain := func(q kivis.Query[Member, kivis.ID[Member]]) error {
		for _, err := range q.All(bg) {
			if err != nil {
				return err
			}
		}
		return nil
	}
	for _, s := range stores {
		t.Run(s.name, func(t *testing.T) {
			st := s.open(t)
			db := openDB(t, st, &Member{})
			members := kivis.TableOf[Member](db)
			var m Member
			for i := range 5 {
				m = memberOf(i)
				m.ID = must(members.Insert(bg, &m))(t)
			}
			m = must(members.Get(bg, 3))(t)
			calls := map[string]func(members kivis.Table[Member, kivis.ID[Member]]) error{
				"get":      func(ms kivis.Table[Member, kivis.ID[Member]]) error { _, err := ms.Get(bg, m.ID); return err },
				"get many": func(ms kivis.Table[Member, kivis.ID[Member]]) error { _, err := ms.GetMany(bg, 1, m.ID); return err },
				"one by unique": func(ms kivis.Table[Member, kivis.ID[Member]]) error {
					_, err := ms.Where(memberEmail.Eq(m.Email)).One(bg)
					return err
				},
				"one by key": func(ms kivis.Table[Member, kivis.ID[Member]]) error {
					_, err := ms.Where(ms.Key().Eq(m.ID)).One(bg)
					return err
				},
				"by index": func(ms kivis.Table[Member, kivis.ID[Member]]) error { return drain(ms.Where(memberAge.Eq(m.Age))) },
				"all":      func(ms kivis.Table[Member, kivis.ID[Member]]) error { return drain(ms.Query()) },
				"range":    func(ms kivis.Table[Member, kivis.ID[Member]]) error { return drain(ms.Range(2, 5)) },
				"filter":   func(ms kivis.Table[Member, kivis.ID[Member]]) error { return drain(ms.Where(name.Eq("nobody"))) },
				"function": func(ms kivis.Table[Member, kivis.ID[Member]]) error {
					return drain(ms.Where(kivis.Func(func(*Member) bool { return false })))
				},
				"sort": func(ms kivis.Table[Member, kivis.ID[Member]]) error { return drain(ms.Query().OrderBy(name.Asc())) },
				"count of filter": func(ms kivis.Table[Member, kivis.ID[Member]]) error {
					_, err := ms.Where(name.Eq("nobody")).Count(bg)
					return err
				},
				"maximum": func(ms kivis.Table[Member, kivis.ID[Member]]) error {
					_, err := kivis.Max(bg, ms.Query(), name)
					return err
				},
			}
			for at := range 60 {
				mend := damageRecord(t, st, memberTable(db), 2, at*7)
				for call, fn := range calls {
					var damage *kivis.CorruptError
					if err := fn(members); !errors.As(err, &damage) || damage.Table != "Member" {
						t.Errorf("%s, byte %d: %v, want a CorruptError", call, at*7, err)
					}
					err := db.View(bg, func(_ context.Context, tx *kivis.Tx) error { return fn(members.With(tx)) })
					if !errors.As(err, &damage) {
						t.Errorf("%s in a transaction, byte %d: %v, want a CorruptError", call, at*7, err)
					}
				}
				var damage *kivis.CorruptError
				if _, err := members.Modify(bg, m.ID, func(m *Member) error { m.Age++; return nil }); !errors.As(err, &damage) {
					t.Errorf("modify, byte %d: %v, want a CorruptError", at*7, err)
				}
				mend()
			}
			for call, fn := range calls {
				if err := fn(members); err != nil {
					t.Errorf("%s of sound records: %v", call, err)
				}
			}
		})
	}
}

// memberTable returns the id of the members' table.
func memberTable(db *kivis.DB) uint64 {
	for _, tb := range db.Tables() {
		if tb.Name == "Member" {
			return uint64(tb.ID)
		}
	}
	return 0
}
