package movein

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/timshannon/bolthold"

	"github.com/kivisdb/kivis"
)

// boltPerson is the record as bolthold has it.
type boltPerson struct {
	ID      uint64 `boltholdKey:"ID"`
	Email   string `boltholdUnique:"Email"`
	Name    string
	Age     int `boltholdIndex:"Age"`
	Tags    []string
	Boss    uint64
	Created time.Time
}

// fromBolthold moves all people out of a database of bolthold's.
func fromBolthold(ctx context.Context, old *bolthold.Store, db *kivis.DB) error {
	return moveIn(ctx, db, func(add func(Person) error) error {
		return old.ForEach(nil, func(h *boltPerson) error {
			p := Person{ID: kivis.ID[Person](h.ID), Email: h.Email, Name: h.Name, Age: h.Age, Tags: h.Tags, Created: h.Created}
			if h.Boss != 0 {
				boss := kivis.ID[Person](h.Boss)
				p.Boss = &boss
			}
			return add(p)
		})
	})
}

func TestBolthold(t *testing.T) {
	old, err := bolthold.Open(filepath.Join(t.TempDir(), "old.db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	for _, p := range crowd() {
		h := boltPerson{ID: uint64(p.ID), Email: p.Email, Name: p.Name, Age: p.Age, Tags: p.Tags, Created: p.Created}
		if p.Boss != nil {
			h.Boss = uint64(*p.Boss)
		}
		if err := old.Insert(h.ID, &h); err != nil {
			t.Fatal(err)
		}
	}
	db := empty(t)
	if err := fromBolthold(t.Context(), old, db); err != nil {
		t.Fatal(err)
	}
	compare(t, db)
}
