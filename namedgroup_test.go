package kivis_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store/memstore"
)

// TestNamedGroupCount: the groups of each field are those of its values, and the
// text of each finds its records again.
func TestNamedGroupCount(t *testing.T) {
	db := openDB(t, memstore.New(), &Thing{}, &PlainThing{})
	things := kivis.TableNamed(db, "things")
	gen := &thingGen{rng: rand.New(rand.NewPCG(1, 2))}
	for range 200 {
		x := gen.thing()
		rec := things.New()
		setThing(t, &rec, &x)
		must(things.Put(bg, rec))(t)
	}
	all := must(things.Count(bg))(t)
	for _, field := range []string{"Tenant", "Number", "Kind", "Name", "N", "At", "Nick", "Place.City", "Ratio", "Done", "Lasts"} {
		sum := 0
		for _, g := range must(things.Query().GroupCount(bg, field))(t) {
			sum += g.Count
			if strings.Contains(fmt.Sprint(g.Value), "NaN") {
				continue
			}
			n, err := things.Where(field + " = " + g.Text).Count(bg)
			if err != nil || n != g.Count {
				t.Errorf("%s = %s finds %d, %v; the group has %d", field, g.Text, n, err, g.Count)
			}
		}
		if sum != all {
			t.Errorf("the groups of %s have %d records of %d", field, sum, all)
		}
	}
	groups := must(things.Where("Number < 5").GroupCount(bg, "any(Tags)"))(t)
	for _, g := range groups {
		n := must(things.Where("Number < 5 and any(Tags) = " + g.Text).Count(bg))(t)
		if n > g.Count {
			t.Errorf("%s is in %d records, and %d times", g.Text, n, g.Count)
		}
	}
	for _, field := range []string{"", "Nmae", "N, Kind", "-N", "Attrs"} {
		if groups, err := things.Query().GroupCount(bg, field); err == nil {
			t.Errorf("GroupCount(%q) = %v, want an error", field, groups)
		}
	}
}
