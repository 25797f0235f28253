package migrate_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store/memstore"
)

// Versions of a program that moves fields into a nested struct, and out again.
type (
	flat struct {
		_    struct{} `kivis:"table=guest"`
		ID   int      `kivis:"key"`
		Name string
		City string `kivis:"index"`
		Zip  int8
		Tags []string
	}
	nested struct {
		_    struct{} `kivis:"table=guest,index=city(Home.City)"`
		ID   int      `kivis:"key"`
		Name string
		Home struct {
			Country string
			City    string `kivis:"was=.City|.Town"`
			Zip     int64  `kivis:"was=.Zip"`
			More    struct {
				Tags []string `kivis:"was=.Tags"`
			}
		}
	}
	pointed struct {
		_    struct{} `kivis:"table=guest"`
		ID   int      `kivis:"key"`
		Name string
		Home *home
	}
	home struct {
		City    *string `kivis:"was=.City|.Town"`
		Country string
		Zip     int64 `kivis:"was=.Zip"`
		More    struct {
			Tags []string `kivis:"was=.Tags"`
		}
	}
	again struct {
		_    struct{} `kivis:"table=guest"`
		ID   int      `kivis:"key"`
		Tags []string `kivis:"was=Home.More.Tags,index,each"`
		Zip  int64    `kivis:"was=Home.Zip"`
		Home struct{ Country string }
		Town string `kivis:"was=City|Home.City"`
		Name string
	}
)

// told is what every version tells of a guest.
type told struct {
	name, city string
	zip        int64
	tags       string
}

func (g flat) tell() told { return told{g.Name, g.City, int64(g.Zip), strings.Join(g.Tags, " ")} }
func (g nested) tell() told {
	return told{g.Name, g.Home.City, g.Home.Zip, strings.Join(g.Home.More.Tags, " ")}
}
func (g again) tell() told { return told{g.Name, g.Town, g.Zip, strings.Join(g.Tags, " ")} }
func (g pointed) tell() told {
	if g.Home == nil {
		return told{name: g.Name}
	}
	return told{g.Name, *g.Home.City, g.Home.Zip, strings.Join(g.Home.More.Tags, " ")}
}

// moveStep opens the store as one version, holds all records against the model, and
// writes some.
type moveStep func(t *testing.T, st kept, r *rand.Rand, model map[int]told)

func stepOf[R interface{ tell() told }](make func(id int, g told) R) moveStep {
	return func(t *testing.T, st kept, r *rand.Rand, model map[int]told) {
		var zero R
		db := open(t, st, nil, &zero)
		defer db.Close()
		guests := kivis.TableBy[R, int](db)
		for id, want := range model {
			if got := must(guests.Get(t.Context(), id))(t); got.tell() != want {
				t.Errorf("%T %d tells %+v, want %+v", zero, id, got.tell(), want)
			}
		}
		for range r.IntN(20) {
			id := 1 + r.IntN(60)
			g := told{fmt.Sprint("n", r.IntN(9)), fmt.Sprint("c", r.IntN(5)), int64(r.IntN(100)), fmt.Sprint("t", r.IntN(3))}
			rec := make(id, g)
			must(guests.Put(t.Context(), &rec))(t)
			model[id] = g
		}
		if r.IntN(4) == 0 {
			check(t, db.Register(&zero, kivis.Rewrite[R]()))
		}
		if n := must(guests.Count(t.Context()))(t); n != len(model) {
			t.Errorf("%T: %d records, want %d", zero, n, len(model))
		}
		clean(t, db)
	}
}

// TestMoves opens a database as versions whose fields are at different places, in
// any order: all values are where they belong.
func TestMoves(t *testing.T) {
	steps := []moveStep{
		stepOf(func(id int, g told) nested {
			n := nested{ID: id, Name: g.name}
			n.Home.City, n.Home.Zip, n.Home.More.Tags = g.city, g.zip, []string{g.tags}
			return n
		}),
		stepOf(func(id int, g told) pointed {
			h := &home{City: &g.city, Zip: g.zip}
			h.More.Tags = []string{g.tags}
			return pointed{ID: id, Name: g.name, Home: h}
		}),
		stepOf(func(id int, g told) again {
			return again{ID: id, Name: g.name, Town: g.city, Zip: g.zip, Tags: []string{g.tags}}
		}),
	}
	first := stepOf(func(id int, g told) flat {
		return flat{ID: id, Name: g.name, City: g.city, Zip: int8(g.zip), Tags: []string{g.tags}}
	})
	seed := rand.Uint64()
	for round := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, round))
		st, model := kept{memstore.New()}, map[int]told{}
		first(t, st, r, model)
		for _, i := range r.Perm(len(steps)) {
			if i == 1 && r.IntN(2) == 0 {
				continue
			}
			steps[i](t, st, r, model)
			if t.Failed() {
				t.Fatalf("seed %d, round %d", seed, round)
			}
		}
	}
}
