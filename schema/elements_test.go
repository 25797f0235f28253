package schema

import (
	"database/sql"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/reflectx"
)

// A Cart has lists of structs, and pointers to structs.
type Cart struct {
	_     struct{} `kivis:"index=skus(Lines.SKU:each,-Opened),unique=serials(Lines.Item.Serial:each),index=gifts(Gifts.Item.Name:fold:each)"`
	_     struct{} `kivis:"index=city(Ship.To.City),index=spots(Gifts.At:each)"`
	ID    ID[Cart]
	Lines []CartLine
	Gifts map[string]*CartLine `kivis:"name=presents"`
	Ship  *Shipping
	Pair  [2]CartLine
	Next  *Cart
	Day   struct{ Ship *Shipping }
	gone  *Shipping
	Maybe sql.Null[Gift] `kivis:"name=maybe"`
	Left  *Shipping      `kivis:"-"`

	Opened int
}

// A Gift is there or not.
type Gift struct {
	Day  int
	Ship *Shipping
	Also sql.Null[Spot]
}

type CartLine struct {
	SKU  string `kivis:"name=sku"`
	Item *CartItem
	Tags []string
	At   Spot
}

type CartItem struct {
	Serial *string
	Name   string
}

type Shipping struct {
	To    Address
	Notes []byte
	Cost  *int
}

// locate returns the place of what a selector selects in a Cart.
func locate[R, V any](sel func(*R) *V) (FieldRef, error) {
	return Locate(reflect.TypeFor[R](), reflect.TypeFor[V](), func(p reflectx.Pointer) reflectx.Pointer {
		return reflectx.To(sel(reflectx.Ref[R](p)))
	})
}

func TestLocate(t *testing.T) {
	table := newSet(t, Cart{gone: nil}).ByName("Cart")
	outside := new(string)
	at := func(r FieldRef, err error) string {
		if err != nil {
			return err.Error()
		}
		column, path, err := table.FieldAt(r)
		if err != nil {
			return err.Error()
		}
		name, _ := r.Name()
		text := fmt.Sprintf("%s %v", name, append([]int{column}, path...))
		if r.MayLack() {
			text += " may lack"
		}
		return text
	}
	in := func(outer FieldRef, err error) func(FieldRef, error) string {
		return func(inner FieldRef, err2 error) string {
			if err == nil {
				err = err2
			}
			outer.Elem = &inner
			return at(outer, err)
		}
	}
	for _, tt := range []struct{ name, got, want string }{
		{"itself", at(locate(func(c *Cart) **Shipping { return &c.Ship })), "Ship [3]"},
		{"through a pointer", at(locate(func(c *Cart) *string { return &c.Ship.To.City })), "Ship.To.town [3 0 1] may lack"},
		{"a struct behind it", at(locate(func(c *Cart) *Address { return &c.Ship.To })), "Ship.To [3 0] may lack"},
		{"a pointer behind it", at(locate(func(c *Cart) **int { return &c.Ship.Cost })), "Ship.Cost [3 2]"},
		{"bytes behind it", at(locate(func(c *Cart) *[]byte { return &c.Ship.Notes })), "Ship.Notes [3 1] may lack"},
		{"a list behind it", at(locate(func(c *Cart) *[]CartLine { return &c.Next.Lines })), "Next.Lines [5 1]"},
		{"in a struct", at(locate(func(c *Cart) *string { return &c.Day.Ship.To.City })), "Day.Ship.To.town [6 0 0 1] may lack"},
		{"through itself", at(locate(func(c *Cart) *string { return &c.Next.Next.Next.Day.Ship.To.City })),
			"Next.Next.Next.Day.Ship.To.town [5 5 5 6 0 0 1] may lack"},
		{"in a nullable", at(locate(func(c *Cart) *int { return &c.Maybe.V.Day })), "maybe.Day [7 0] may lack"},
		{"through a nullable", at(locate(func(c *Cart) *string { return &c.Maybe.V.Ship.To.City })), "maybe.Ship.To.town [7 1 0 1] may lack"},
		{"a nullable in it", at(locate(func(c *Cart) *sql.Null[Spot] { return &c.Maybe.V.Also })), "maybe.Also [7 2]"},
		{"twice nullable", at(locate(func(c *Cart) *float64 { return &c.Next.Maybe.V.Also.V.Lon })), "Next.maybe.Also.Lon [5 7 2 1] may lack"},
		{"whether it is valid", at(locate(func(c *Cart) *bool { return &c.Maybe.Valid })),
			"the field of type bool is not stored by itself: it is tagged -, or an embedded struct"},
		{"a selector that helps itself", at(locate(func(c *Cart) *string {
			if c.Ship == nil {
				c.Ship = &Shipping{}
			}
			return &c.Ship.To.City
		})), "Ship.To.town [3 0 1] may lack"},
		{"not stored", at(locate(func(c *Cart) *string { return &c.Left.To.City })),
			"panics on an empty record: runtime error: invalid memory address or nil pointer dereference"},
		{"not exported", at(locate(func(c *Cart) **Shipping { return &c.gone })),
			"the field of type *schema.Shipping is not stored by itself: it is tagged -, or an embedded struct"},
		{"nil", at(locate(func(c *Cart) *string { return nil })), "returns nil"},
		{"a copy", at(locate(func(c *Cart) *string { s := c.Ship.To.City; return &s })), "must return the address of a field of its record"},
		{"elsewhere", at(locate(func(c *Cart) *string { return outside })), "must return the address of a field of its record"},
		{"an element", at(locate(func(c *Cart) *string { return &c.Lines[0].SKU })),
			"panics on an empty record: runtime error: index out of range [0] with length 0; a field of elements is EachOf's"},

		{"elements", in(locate(func(c *Cart) *[]CartLine { return &c.Lines }))(locate(func(l *CartLine) *string { return &l.SKU })), "Lines.sku [1 -1 0]"},
		{"pointer elements", in(locate(func(c *Cart) *map[string]*CartLine { return &c.Gifts }))(locate(func(l *CartLine) *string { return &l.SKU })),
			"presents.sku [2 -1 0] may lack"},
		{"an array's", in(locate(func(c *Cart) *[2]CartLine { return &c.Pair }))(locate(func(l *CartLine) *string { return &l.SKU })), "Pair.sku [4 -1 0]"},
		{"pointers in elements", in(locate(func(c *Cart) *[]CartLine { return &c.Next.Lines }))(locate(func(l *CartLine) *string { return &l.Item.Name })),
			"Next.Lines.Item.Name [5 1 -1 1 1] may lack"},
		{"nullable in elements", in(locate(func(c *Cart) *[]CartLine { return &c.Lines }))(locate(func(l *CartLine) **string { return &l.Item.Serial })),
			"Lines.Item.Serial [1 -1 1 0]"},
		{"of no list", in(locate(func(c *Cart) **Shipping { return &c.Ship }))(locate(func(l *CartLine) *string { return &l.SKU })),
			"the field of type string is not stored by itself: it is tagged -, or an embedded struct"},
		{"of others", in(locate(func(c *Cart) *[]CartLine { return &c.Lines }))(locate(func(l *CartItem) *string { return &l.Name })),
			"the field of type string is not stored by itself: it is tagged -, or an embedded struct"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, tt.got, tt.want)
		}
	}
}

// A wide refers to itself in many ways, so that no probe can be of all of them.
type wide struct {
	ID                     int `kivis:"key"`
	A, B, C, D, E, F, G, H *wide
}

// TestLocateDeep goes as far as probes do, and is told no where they end.
func TestLocateDeep(t *testing.T) {
	if r, err := locate(func(w *wide) *int { return &w.A.H.B.ID }); err != nil || len(r.Through) != 3 {
		t.Errorf("three deep: %v, %v", r, err)
	}
	if r, err := locate(func(w *wide) *int { return &w.H.H.H.H.H.H.ID }); err == nil {
		t.Errorf("six deep: %v, want an error", r)
	}
}

// TestFieldRefAt reads fields through pointers that are set and nil.
func TestFieldRefAt(t *testing.T) {
	ref, err := locate(func(c *Cart) *string { return &c.Next.Ship.To.City })
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		cart Cart
		want string
	}{
		{Cart{}, "none"}, {Cart{Next: &Cart{}}, "none"}, {Cart{Ship: &Shipping{To: Address{City: "x"}}}, "none"},
		{Cart{Next: &Cart{Ship: &Shipping{}}}, ""}, {Cart{Next: &Cart{Ship: &Shipping{To: Address{City: "Paris"}}}}, "Paris"},
	} {
		got := "none"
		if p := ref.At(reflectx.To(&tt.cart)); !p.IsNil() {
			got = *reflectx.Ref[string](p)
		}
		if got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.cart, got, tt.want)
		}
	}
}

// TestFieldRefAtNullable reads a field in nullables that are valid and not.
func TestFieldRefAtNullable(t *testing.T) {
	ref, err := locate(func(c *Cart) *float64 { return &c.Next.Maybe.V.Also.V.Lon })
	if err != nil {
		t.Fatal(err)
	}
	for _, outer := range []bool{false, true} {
		for _, inner := range []bool{false, true} {
			c := Cart{Next: &Cart{}}
			c.Next.Maybe = sql.Null[Gift]{Valid: outer, V: Gift{Also: sql.Null[Spot]{Valid: inner, V: Spot{Lon: 7}}}}
			if p := ref.At(reflectx.To(&c)); p.IsNil() != (!outer || !inner) || !p.IsNil() && *reflectx.Ref[float64](p) != 7 {
				t.Errorf("valid %t and %t: nil %t", outer, inner, p.IsNil())
			}
		}
	}
}

// TestPartsOfElements has indexes of elements' fields in a catalog: they come back
// from its bytes, in the format that says so, and from none that cannot be.
func TestPartsOfElements(t *testing.T) {
	models := compileAll(t, Cart{})
	c := planAll(t, NewCatalog(), models, PlanOptions{}).Catalog
	if c.Format != 3 {
		t.Errorf("format %d, want 3", c.Format)
	}
	table := bindAll(t, c, models).ByName("Cart")
	again := *c
	again.Entries = map[uint32]*Entry{}
	for id, e := range c.Entries {
		got, err := DecodeEntry(e.Encode())
		if err != nil {
			t.Fatal(err)
		}
		again.Entries[id] = got
	}
	byName := bindAll(t, &again, nil).ByName("Cart")
	for i, x := range table.Indexes {
		if y := byName.Indexes[i]; x.String() != y.String() || !reflect.DeepEqual(x.Parts, y.Parts) {
			t.Errorf("%v came back as %v: %+v, want %+v", x, y, y.Parts, x.Parts)
		}
	}
	golden(t, "good/elements.txt", table.String()+hexLines(c.Entries[table.ID].Encode()))
	e := again.Entries[table.ID]
	for name, spoil := range map[string]func(p *PartEntry){
		"not each":       func(p *PartEntry) { p.Each = false },
		"through a text": func(p *PartEntry) { p.Fields = append(p.Fields[:len(p.Fields):len(p.Fields)], p.Fields[1]) },
		"two lists": func(p *PartEntry) {
			p.Fields = []uint32{e.newest().Layout.Fields[5].ID, p.Fields[0], p.Fields[1], p.Fields[1]}
		},
	} {
		bad := e.clone()
		bad.Indexes[0].Parts = append([]PartEntry(nil), bad.Indexes[0].Parts...)
		spoil(&bad.Indexes[0].Parts[0])
		if err := bad.check(); err == nil || !strings.Contains(err.Error(), "no fields") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestElementsEvolve changes what lists hold: the index follows its field, is built
// anew, or goes.
func TestElementsEvolve(t *testing.T) {
	type line struct{ SKU, Name string }
	type renamed struct {
		Name string
		Code string `kivis:"was=SKU"`
	}
	before := compileTypes(t, []reflect.Type{reflect.TypeOf(func() any {
		type T struct {
			_     struct{} `kivis:"index=x(Lines.SKU:each)"`
			ID    int      `kivis:"key"`
			Lines []line
		}
		return T{}
	}())})
	after := compileTypes(t, []reflect.Type{reflect.TypeOf(func() any {
		type T struct {
			_     struct{} `kivis:"index=x(Lines.Code:each)"`
			ID    int      `kivis:"key"`
			New   string
			Lines []renamed
		}
		return T{}
	}())})
	other := compileTypes(t, []reflect.Type{reflect.TypeOf(func() any {
		type T struct {
			_     struct{} `kivis:"index=x(Lines.Name:each)"`
			ID    int      `kivis:"key"`
			Lines []line
		}
		return T{}
	}())})
	c := planAll(t, NewCatalog(), before, PlanOptions{}).Catalog
	for id, e := range c.Entries {
		e = e.clone()
		for i := range e.Indexes {
			e.Indexes[i].State = Ready
		}
		c.Entries[id] = e
	}
	change := planAll(t, c, after, PlanOptions{})
	x := bindAll(t, change.Catalog, after).ByName("T").Indexes[0]
	if x.State != Ready || x.Parts[0].Name != "Lines.Code" || !reflect.DeepEqual(x.Parts[0].Path, []int{codec.Element, 1}) {
		t.Errorf("after a rename %v, %v:\n%v", x, x.Parts[0].Path, change.Diff)
	}
	building := false
	for _, x := range bindAll(t, planAll(t, c, other, PlanOptions{}).Catalog, other).ByName("T").Indexes {
		building = building || x.State == Building
	}
	if !building {
		t.Error("an index of another field is not built anew")
	}
}
