package record_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/reflectx"
	"github.com/kivisdb/kivis/schema"
)

type cart struct {
	_     struct{} `kivis:"index=skus(Lines.SKU:each,-Opened),unique=serials(Lines.Item.Serial:each),index=gifts(Opened,Gifts.Item.Name:each:fold)"`
	ID    int      `kivis:"key"`
	Lines []cartLine
	Gifts map[string]*cartLine

	Opened int
}

type cartLine struct {
	SKU  string
	Item *cartItem
}

type cartItem struct {
	Serial *string
	Name   string
}

// randomLine returns a line of which anything may be nil.
func randomLine(rng *rand.Rand) cartLine {
	word := func() string { return []string{"", "a", "A", "ab"}[rng.IntN(4)] }
	l := cartLine{SKU: word()}
	if rng.IntN(3) > 0 {
		l.Item = &cartItem{Name: word()}
		if rng.IntN(2) == 0 {
			s := word()
			l.Item.Serial = &s
		}
	}
	return l
}

// cartTable returns the table of carts.
func cartTable(t testing.TB) *schema.Table {
	t.Helper()
	models, err := schema.Compile(reflect.TypeFor[cart]())
	if err != nil {
		t.Fatal(err)
	}
	change, err := schema.Plan(schema.NewCatalog(), models, schema.PlanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	set, err := schema.Bind(change.Catalog, models)
	if err != nil {
		t.Fatal(err)
	}
	return set.ByName("cart")
}

// TestEntriesOfElements computes the entries of random records, and compares with
// those that Go's own values have.
func TestEntriesOfElements(t *testing.T) {
	tb := cartTable(t)
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	key := codec.AppendInt(nil, 7)
	var e record.Entries
	for range 2000 {
		c := cart{ID: 7, Opened: rng.IntN(3)}
		for range rng.IntN(4) {
			c.Lines = append(c.Lines, randomLine(rng))
			if c.Gifts == nil {
				c.Gifts = map[string]*cartLine{"none": nil}
			}
			l := randomLine(rng)
			c.Gifts[fmt.Sprint(rng.IntN(3))] = &l
		}
		bytes, offs, err := tb.Encoder().Encode(nil, reflectx.To(&c), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range tb.Indexes {
			if err := e.Compute(tb, x, record.Body{Bytes: bytes, Offs: offs}, key); err != nil {
				t.Fatal(err)
			}
			var got []string
			for i := range e.Len() {
				got = append(got, fmt.Sprintf("%x %t", e.Key(i), e.Unique(i)))
			}
			want := c.entries(tb, x, key)
			if !slices.Equal(got, want) {
				t.Fatalf("seed %d: %+v in %v\ngot  %s\nwant %s", seed, c, x, got, want)
			}
		}
	}
}

// entries returns the entries of the cart as they are to be.
func (c *cart) entries(tb *schema.Table, x *schema.Index, key []byte) (list []string) {
	add := func(unique bool, parts ...[]byte) {
		k := append(bytes.Clone(tb.Prefix(x.ID)), bytes.Join(parts, nil)...)
		if !unique {
			k = append(k, key...)
		}
		list = append(list, fmt.Sprintf("%x %t", k, unique))
	}
	switch x.Name {
	case "skus":
		for _, l := range c.Lines {
			down := codec.AppendInt(nil, int64(c.Opened))
			for i := range down {
				down[i] = ^down[i]
			}
			add(false, codec.AppendString(nil, l.SKU), down)
		}
	case "serials":
		for _, l := range c.Lines {
			if l.Item == nil || l.Item.Serial == nil {
				add(false, []byte{0})
				continue
			}
			add(true, []byte{1}, codec.AppendString(nil, *l.Item.Serial))
		}
	case "gifts":
		for _, l := range c.Gifts {
			opened := codec.AppendInt(nil, int64(c.Opened))
			if l == nil || l.Item == nil {
				add(false, opened, []byte{0})
				continue
			}
			add(false, opened, []byte{1}, codec.AppendString(nil, codec.Fold(nil, l.Item.Name)))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// BenchmarkEntriesOfElements computes the entries of a record with eight lines.
func BenchmarkEntriesOfElements(b *testing.B) {
	tb := cartTable(b)
	c := cart{ID: 7}
	for i := range 8 {
		c.Lines = append(c.Lines, cartLine{SKU: fmt.Sprint("sku", i)})
	}
	bytes, offs, err := tb.Encoder().Encode(nil, reflectx.To(&c), nil)
	if err != nil {
		b.Fatal(err)
	}
	body, key := record.Body{Bytes: bytes, Offs: offs}, codec.AppendInt(nil, 7)
	var e record.Entries
	for b.Loop() {
		if err := e.Compute(tb, tb.Indexes[0], body, key); err != nil || e.Len() != 8 {
			b.Fatal(e.Len(), err)
		}
	}
}
