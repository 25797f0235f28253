package kivis_test

import (
	"errors"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store"
)

// A Priced record has a rule that only its program knows.
type Priced struct {
	ID    int `kivis:"key"`
	Price int
}

func (p *Priced) Validate() error {
	if p.Price < 0 {
		return errors.New("a price below 0")
	}
	return nil
}

// PricedFreely is a later Priced, without the rule.
type PricedFreely struct {
	ID    int `kivis:"key"`
	Price int
	_     struct{} `kivis:"table=Priced"`
}

// TestUntyped: a program without the type of records that are validated, or
// whose key is computed, reads and deletes them, and writes them only if it says so.
func TestUntyped(t *testing.T) {
	for _, s := range stores {
		t.Run(s.name, func(t *testing.T) {
			st := store.Store(&unclosed{s.open(t)})
			db := must(kivis.Open(st, nil))(t)
			check(t, db.Register(&Priced{}, &Tile{}))
			must(kivis.TableBy[Priced, int](db).Insert(bg, &Priced{1, 10}))(t)
			must(kivis.TableBy[Tile, TileKey](db).Insert(bg, &Tile{X: 10, Y: 1}))(t)
			check(t, db.Close())

			for _, allow := range []bool{false, true} {
				want := kivis.ErrUntyped
				if allow {
					want = nil
				}
				db := must(kivis.Open(st, &kivis.Options{AllowUntyped: allow}))(t)
				for table, field := range map[string]string{"Priced": "Price", "Tile": "Y"} {
					named := kivis.TableNamed(db, table)
					rec := must(named.Query().First(bg))(t)
					change := func(r *kivis.Record) error { return r.Set(field, 1) }
					if _, err := named.Put(bg, rec); !errors.Is(err, want) {
						t.Errorf("%s, allowed %v: Put = %v, want %v", table, allow, err, want)
					}
					if _, err := named.Modify(bg, rec.Key(), change); !errors.Is(err, want) {
						t.Errorf("%s, allowed %v: Modify = %v, want %v", table, allow, err, want)
					}
					if _, err := named.Query().Modify(bg, change); !errors.Is(err, want) {
						t.Errorf("%s, allowed %v: Modify of a query = %v, want %v", table, allow, err, want)
					}
				}
				check(t, db.Close())
			}

			db = must(kivis.Open(st, nil))(t)
			check(t, kivis.TableNamed(db, "Tile").Delete(bg, must(kivis.TableNamed(db, "Tile").Query().First(bg))(t).Key()))
			check(t, db.Register(&PricedFreely{}))
			check(t, db.Close())
			db = must(kivis.Open(st, nil))(t)
			named := kivis.TableNamed(db, "Priced")
			must(named.Put(bg, must(named.Query().First(bg))(t)))(t)
			mustBeClean(t, db)
			check(t, db.Close())
			check(t, st.(*unclosed).Store.Close())
		})
	}
}

// unclosed is a store that a database's Close leaves open.
type unclosed struct{ store.Store }

func (*unclosed) Close() error { return nil }
