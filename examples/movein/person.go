package movein

import (
	"context"
	"time"

	"github.com/kivisdb/kivis"
)

// Person is the record in Kivis, whatever it comes from.
type Person struct {
	ID      kivis.ID[Person]
	Email   string `kivis:"unique,fold"`
	Name    string
	Age     int      `kivis:"index"`
	Tags    []string `kivis:"index,each"`
	Boss    *kivis.ID[Person]
	Created time.Time
}

var (
	people    = kivis.TableByID[Person](nil)
	personAge = kivis.FieldOf(func(p *Person) *int { return &p.Age })
)

// moveIn writes people into db as each gives them, in chunks that are committed one
// after the other. Ids that they have are kept, and those that Kivis draws from then on
// are others. A boss may come after those who have one, so all are there before anybody
// refers to one: each is called twice.
func moveIn(ctx context.Context, db *kivis.DB, each func(add func(Person) error) error) error {
	err := db.Bulk(ctx, nil, func(ctx context.Context, b *kivis.Bulk) error {
		return each(func(p Person) error {
			p.Boss = nil
			_, err := people.With(b).Put(ctx, &p)
			return err
		})
	})
	if err != nil {
		return err
	}
	return db.Bulk(ctx, nil, func(ctx context.Context, b *kivis.Bulk) error {
		return each(func(p Person) error {
			if p.Boss == nil {
				return nil
			}
			_, err := people.With(b).Modify(ctx, p.ID, func(stored *Person) error { stored.Boss = p.Boss; return nil })
			return err
		})
	})
}
