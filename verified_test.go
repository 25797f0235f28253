package kivis_test

import (
	"errors"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/memstore"
)

// claiming is a store that says whether it checks its own bytes.
type claiming struct {
	*memstore.Store
	verified bool
}

func (s *claiming) Self() store.Store { return s }

func (s *claiming) Verified() bool   { return s.verified }
func (s *claiming) KeepsSeals() bool { return false }

// TestVerifiedStore: the records of a scan are checked once, by the database or by a
// store that says that it does so. Check and changes do so in any case.
func TestVerifiedStore(t *testing.T) {
	name := kivis.FieldOf(func(m *Member) *string { return &m.Name })
	for _, verified := range []bool{false, true} {
		st := &claiming{memstore.New(), verified}
		db := openDB(t, st, &Member{})
		members := filled(t, db, 3)
		before := len(must(db.Check(bg, nil))(t).Faults)
		var damage *kivis.CorruptError
		mend := damageRecord(t, st, memberTable(db), 1, 60) // within a text
		_, err := members.Where(name.Ne("nobody")).Collect(bg)
		if got := errors.As(err, &damage); got == verified {
			t.Errorf("verified %t: a scan of a damaged record: %v", verified, err)
		}
		if report := must(db.Check(bg, nil))(t); len(report.Faults) == before {
			t.Errorf("verified %t: Check finds nothing", verified)
		}
		if _, err := members.Modify(bg, 2, func(m *Member) error { m.Age++; return nil }); !errors.As(err, &damage) {
			t.Errorf("verified %t: Modify = %v, want a CorruptError", verified, err)
		}
		if _, err := members.Where(memberAge.Ge(0)).Delete(bg); !errors.As(err, &damage) {
			t.Errorf("verified %t: Delete = %v, want a CorruptError", verified, err)
		}
		mend() // the database is checked when the test ends
	}
}
