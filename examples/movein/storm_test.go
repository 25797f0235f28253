package movein

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/asdine/storm/v3"

	"github.com/kivisdb/kivis"
)

// stormPerson is the record as storm has it.
type stormPerson struct {
	ID      int    `storm:"id,increment"`
	Email   string `storm:"unique"`
	Name    string
	Age     int `storm:"index"`
	Tags    []string
	Boss    int
	Created time.Time
}

// fromStorm moves all people out of a database of storm's.
func fromStorm(ctx context.Context, old *storm.DB, db *kivis.DB) error {
	return moveIn(ctx, db, func(add func(Person) error) error {
		return old.Select().Each(new(stormPerson), func(rec any) error {
			s := rec.(*stormPerson)
			p := Person{ID: kivis.ID[Person](s.ID), Email: s.Email, Name: s.Name, Age: s.Age, Tags: s.Tags, Created: s.Created}
			if s.Boss != 0 {
				boss := kivis.ID[Person](s.Boss)
				p.Boss = &boss
			}
			return add(p)
		})
	})
}

func TestStorm(t *testing.T) {
	old, err := storm.Open(filepath.Join(t.TempDir(), "old.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	for _, p := range crowd() {
		s := stormPerson{ID: int(p.ID), Email: p.Email, Name: p.Name, Age: p.Age, Tags: p.Tags, Created: p.Created}
		if p.Boss != nil {
			s.Boss = int(*p.Boss)
		}
		if err := old.Save(&s); err != nil {
			t.Fatal(err)
		}
	}
	db := empty(t)
	if err := fromStorm(t.Context(), old, db); err != nil {
		t.Fatal(err)
	}
	compare(t, db)
}
