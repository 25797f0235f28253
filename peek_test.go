package kivis_test

import (
	"context"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/memstore"
)

// interrupted is a store that has something happen before it reads one key.
type interrupted struct {
	*memstore.Store
	before func()
	reads  int
}

func (s *interrupted) Get(ctx context.Context, key []byte) ([]byte, error) {
	s.reads++
	if before := s.before; before != nil {
		s.before = nil
		before()
	}
	return s.Store.Get(ctx, key)
}

// TestPeekAcrossRegister has the schema change while one record is read without
// a transaction: it must be read again, with the new schema.
func TestPeekAcrossRegister(t *testing.T) {
	type Late struct {
		ID int `kivis:"key"`
	}
	calls := map[string]func(kivis.Table[Member, kivis.ID[Member]], kivis.ID[Member]) (bool, error){
		"get": func(t kivis.Table[Member, kivis.ID[Member]], id kivis.ID[Member]) (bool, error) {
			m, err := t.Get(bg, id)
			return m.Email == "member0000001@example.com", err
		},
		"has": func(t kivis.Table[Member, kivis.ID[Member]], id kivis.ID[Member]) (bool, error) { return t.Has(bg, id) },
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			s := &interrupted{Store: memstore.New()}
			db := openDB(t, s, &Member{})
			members := kivis.TableOf[Member](db)
			m := memberOf(1)
			id := must(members.Insert(bg, &m))(t)
			s.before = func() { check(t, db.Register(&Late{})) }
			if ok, err := call(members, id); err != nil || !ok {
				t.Errorf("found %t, %v", ok, err)
			}
			if s.reads != 2 {
				t.Errorf("the record was read %d times, want once more after the schema changed", s.reads)
			}
		})
	}
}

func (s *interrupted) Self() store.Store { return s }

var _ store.Getter = (*interrupted)(nil)
