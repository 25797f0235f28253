package movein

import (
	"context"
	"testing"
	"time"

	"github.com/timshannon/badgerhold/v4"

	"github.com/kivisdb/kivis"
)

// heldPerson is the record as badgerhold has it.
type heldPerson struct {
	ID      uint64 `badgerhold:"key"`
	Email   string `badgerhold:"unique"`
	Name    string
	Age     int `badgerhold:"index"`
	Tags    []string
	Boss    uint64
	Created time.Time
}

// fromBadgerhold moves all people out of a database of badgerhold's.
func fromBadgerhold(ctx context.Context, old *badgerhold.Store, db *kivis.DB) error {
	return moveIn(ctx, db, func(add func(Person) error) error {
		return old.ForEach(nil, func(h *heldPerson) error {
			p := Person{ID: kivis.ID[Person](h.ID), Email: h.Email, Name: h.Name, Age: h.Age, Tags: h.Tags, Created: h.Created}
			if h.Boss != 0 {
				boss := kivis.ID[Person](h.Boss)
				p.Boss = &boss
			}
			return add(p)
		})
	})
}

func TestBadgerhold(t *testing.T) {
	opts := badgerhold.DefaultOptions
	opts.Dir, opts.ValueDir = t.TempDir(), ""
	opts.ValueDir = opts.Dir
	opts.Logger = nil
	old, err := badgerhold.Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	for _, p := range crowd() {
		h := heldPerson{ID: uint64(p.ID), Email: p.Email, Name: p.Name, Age: p.Age, Tags: p.Tags, Created: p.Created}
		if p.Boss != nil {
			h.Boss = uint64(*p.Boss)
		}
		if err := old.Insert(h.ID, &h); err != nil {
			t.Fatal(err)
		}
	}
	db := empty(t)
	if err := fromBadgerhold(t.Context(), old, db); err != nil {
		t.Fatal(err)
	}
	compare(t, db)
}
