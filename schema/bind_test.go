package schema

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/reflectx"
)

func TestKeyPlan(t *testing.T) {
	set := newSet(t, &Airport{}, Member{}, Thread{}, &Slot{}, Leg{}, Stop{}, Mail{}, Customer{}, Place{}, Box[float64]{})
	type slot struct {
		A string
		B time.Time
	}
	for _, test := range []struct {
		table string
		key   any
		want  string // the error
	}{
		{"airports", IATA("JFK"), ""},
		{"airports", "JFK", "schema: schema.Airport: a string is not a key of airports: its keys are of type schema.IATA: write kivis.TableBy[schema.Airport, schema.IATA](db)"},
		{"airports", ID[Member](1), "schema: schema.Airport: a schema.ID[schema.Member] is not a key of airports: its keys are of type schema.IATA: write kivis.TableBy[schema.Airport, schema.IATA](db)"},
		{"Member", ID[Member](1), ""},
		{"Member", uint64(1), "schema: schema.Member: a uint64 is not a key of Member: its keys are of type schema.ID[schema.Member]: write kivis.TableBy[schema.Member, schema.ID[schema.Member]](db)"},
		{"Slot", SlotKey{"A", time.Unix(0, 0)}, ""},
		{"Slot", slot{"A", time.Unix(0, 0)}, ""},
		{"Slot", LegKey{}, "schema: schema.Slot: a schema.LegKey is not a key of Slot: its keys are of type schema.SlotKey, or a struct{ Room string; From time.Time }: write kivis.TableBy[schema.Slot, schema.SlotKey](db)"},
		{"Leg", LegKey{"UA", 1}, ""},
		{"Leg", "UA1", "schema: schema.Leg: a string is not a key of Leg: its keys are of type schema.LegKey, or a struct{ Carrier string; Number uint16 }: write kivis.TableBy[schema.Leg, schema.LegKey](db)"},
		{"Customer", struct {
			T string
			N uint64
		}{"x", 1}, ""},
		{"Customer", struct {
			T string
			N int64
		}{"x", 1}, "schema: schema.Customer: a struct{...} is not a key of Customer: its keys are of type struct{ Tenant string; Number uint64 }: write kivis.TableBy[schema.Customer, struct{ Tenant string; Number uint64 }](db)"},
		{"Mail", MailKey{"a", 1}, ""},
		{"Stop", struct {
			N int
			S Spot
		}{1, Spot{1, 2}}, ""},
		{"Place", "FR/Paris", ""},
	} {
		table := set.ByName(test.table)
		plan, err := table.KeyPlan(reflect.TypeOf(test.key))
		if test.want != "" {
			if err == nil || err.Error() != test.want {
				t.Errorf("KeyPlan of %s for %T: %v, want %s", test.table, test.key, err, test.want)
			}
			if e := (*Error)(nil); !errors.As(err, &e) || e.Type != table.Type {
				t.Errorf("KeyPlan of %s for %T: %T", test.table, test.key, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("KeyPlan of %s for %T: %v", test.table, test.key, err)
			continue
		}
		v := reflect.New(reflect.TypeOf(test.key))
		v.Elem().Set(reflect.ValueOf(test.key))
		tuple, err := plan.Append(nil, reflectx.Of(v))
		if err != nil {
			t.Fatal(err)
		}
		if rest, err := table.Key.Tuple.Skip(tuple); err != nil || len(rest) > 0 {
			t.Errorf("%T %v is not a key tuple of %s: %x, %v", test.key, test.key, test.table, tuple, err)
		}
		back := reflect.New(reflect.TypeOf(test.key))
		if _, err := plan.Decode(tuple, reflectx.Of(back)); err != nil {
			t.Errorf("%v does not come back: %v", test.key, err)
		}
		if again, _ := table.KeyPlan(reflect.TypeOf(test.key)); again != plan {
			t.Errorf("KeyPlan of %s for %T is not kept", test.table, test.key)
		}
	}
}

// TestAppendKey checks that a record's key is that of its K.
func TestAppendKey(t *testing.T) {
	set := newSet(t, Member{}, Thread{}, Leg{}, Stop{}, &Slot{}, &Place{}, Box[float64]{}, Box[Spot]{}, Box[*int8]{})
	when := time.Date(2024, 5, 6, 7, 8, 9, 10, time.UTC)
	eight := int8(8)
	for _, test := range []struct{ record, key any }{
		{&Member{ID: 7}, ID[Member](7)},
		{&Thread{Auto: Auto[Thread]{1 << 60}}, ID[Thread](1 << 60)},
		{&Leg{LegKey: LegKey{"UA", 17}}, LegKey{"UA", 17}},
		{&Stop{Order: -3, Where: Spot{1, -2}}, struct {
			N int
			S Spot
		}{-3, Spot{1, -2}}},
		{&Slot{Room: "A", Unix: when.Unix()}, SlotKey{"A", when.Truncate(time.Second)}},
		{&Place{Country: "FR", City: "Lyon"}, "FR/Lyon"},
		{&Box[float64]{1.5}, 1.5},
		{&Box[Spot]{Spot{1, 2}}, Spot{1, 2}},
		{&Box[*int8]{&eight}, &eight},
	} {
		rec := reflect.ValueOf(test.record)
		table := set.ByType(rec.Type().Elem())
		var got []byte
		var err error
		if table.Key.Kind == KeyCustom {
			got, err = table.AppendCustomKey([]byte("x"), rec)
		} else {
			got, err = table.AppendKey([]byte("x"), reflectx.Of(rec))
		}
		if err != nil {
			t.Fatal(err)
		}
		key := reflect.New(reflect.TypeOf(test.key))
		key.Elem().Set(reflect.ValueOf(test.key))
		plan, err := table.KeyPlan(key.Type().Elem())
		if err != nil {
			t.Fatal(err)
		}
		want, err := plan.Append([]byte("x"), reflectx.Of(key))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("the key of %+v is %x, want %x (%v)", test.record, got, want, err)
		}
	}
}

func TestAppendKeyRefusesNaN(t *testing.T) {
	set := newSet(t, Stop{}, Leg{}, Box[float64]{})
	stop := Stop{Where: Spot{Lon: math.NaN()}}
	dst, err := set.ByName("Stop").AppendKey([]byte("x"), reflectx.To(&stop))
	if err == nil || string(dst) != "x" || !strings.HasPrefix(err.Error(), "key field Where: ") {
		t.Errorf("AppendKey with NaN = %q, %v", dst, err)
	}
	nan := math.NaN()
	plan, err := set.ByName("Box_float64").KeyPlan(reflect.TypeFor[float64]())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plan.Append(nil, reflectx.To(&nan)); err == nil {
		t.Error("a KeyPlan takes NaN")
	}
}

func TestKeyStruct(t *testing.T) {
	set := newSet(t, Member{}, Thread{}, Leg{}, Customer{}, Stop{})
	for name, want := range map[string]string{
		"Member":   "schema.ID[github.com/kivisdb/kivis/schema.Member]",
		"Leg":      "schema.LegKey",
		"Customer": "struct { Tenant string; Number uint64 }",
		"Stop":     "struct { Order int; Where schema.Spot }",
	} {
		table := set.ByName(name)
		got := table.KeyStruct()
		if got.String() != want {
			t.Errorf("KeyStruct of %s = %v, want %s", name, got, want)
		}
		if _, err := table.KeyPlan(got); err != nil {
			t.Error(err)
		}
	}
}

// record encodes a record, and returns its body and where its fields are.
func record(t *testing.T, table *Table, rec any) (body []byte, offs []uint32) {
	t.Helper()
	body, offs, err := table.Encoder().Encode(nil, reflectx.Of(reflect.ValueOf(rec)), nil)
	if err != nil {
		t.Fatal(err)
	}
	return body, offs
}

// value returns how AppendTarget gets at the parts of a reference.
func value(r *Ref, body []byte, offs []uint32) func(i int) ([]byte, error) {
	return func(i int) ([]byte, error) {
		p := &r.Parts[i]
		v := body[offs[p.Column]:offs[p.Column+1]]
		if p.Path == nil {
			return v, nil
		}
		return codec.Select(v, p.Path)
	}
}

// appendEntry appends the tuple of a record in an index without each.
func appendEntry(t *testing.T, x *Index, body []byte, offs []uint32) []byte {
	t.Helper()
	var tuple []byte
	for i := range x.Parts {
		v, err := value(&Ref{Parts: x.Parts}, body, offs)(i)
		if err != nil {
			t.Fatal(err)
		}
		if tuple, err = x.Parts[i].Key.Transcode(tuple, v); err != nil {
			t.Fatal(err)
		}
	}
	return tuple
}

// Sub refers to keys that descend, through fields of several forms.
type Sub struct {
	_    struct{} `kivis:"ref=Versioned(Name,Number):optional"`
	Leg  LegKey   `kivis:"key,ref=Leg"`
	Down *int32   `kivis:"ref=Descending,index,desc"`
	Same int32    `kivis:"ref=Descending,optional,unique"`
	Name string
	// Number is not the last column on purpose.
	Number *uint8
	Home   Home
}

type Versioned struct {
	Name   string `kivis:"key"`
	Number uint8  `kivis:"key,desc"`
}

func TestRefs(t *testing.T) {
	set := newSet(t, Sub{}, Leg{}, Descending{}, Versioned{})
	sub := set.ByName("Sub")
	two, three := int32(2), uint8(3)
	keyOf := func(record any) []byte {
		rec := reflect.ValueOf(record)
		tuple, err := set.ByType(rec.Type().Elem()).AppendKey(nil, reflectx.Of(rec))
		if err != nil {
			t.Fatal(err)
		}
		return tuple
	}
	for _, test := range []struct {
		ref    string
		record Sub
		target any // nil where there is none
	}{
		{"Leg", Sub{Leg: LegKey{"UA", 9}}, &Leg{LegKey: LegKey{"UA", 9}}},
		{"Leg", Sub{}, &Leg{}},
		{"Down", Sub{Down: &two}, &Descending{N: 2}},
		{"Down", Sub{Down: new(int32)}, &Descending{}},
		{"Down", Sub{}, nil},
		{"Same", Sub{Same: 5}, &Descending{N: 5}},
		{"Same", Sub{}, nil},
		{"Name,Number", Sub{Name: "a\x00b", Number: &three}, &Versioned{"a\x00b", 3}},
		{"Name,Number", Sub{Name: "a"}, nil},
		{"Name,Number", Sub{Number: &three}, nil},
		{"Name,Number", Sub{Name: "a", Number: new(uint8)}, nil},
	} {
		r := sub.Refs[slices.IndexFunc(sub.Refs, func(r *Ref) bool { return r.Name == test.ref })]
		body, offs := record(t, sub, &test.record)
		got, null, err := r.AppendTarget([]byte("x"), value(r, body, offs))
		if err != nil {
			t.Fatal(err)
		}
		if test.target == nil {
			if !null || string(got) != "x" {
				t.Errorf("%s of %+v refers to %x, %t, want nothing", test.ref, test.record, got, null)
			}
			continue
		}
		want := keyOf(test.target)
		if null || string(got) != "x"+string(want) {
			t.Errorf("%s of %+v refers to %x, %t, want %x", test.ref, test.record, got, null, want)
		}
		prefix, err := r.AppendIndexPrefix([]byte("x"), want)
		entry := appendEntry(t, r.Index, body, offs)
		if err != nil || !bytes.Equal(prefix[1:], entry) {
			t.Errorf("%s of %+v: index prefix %x, %v, and the entry is %x", test.ref, test.record, prefix, err, entry)
		}
		if _, err := r.AppendIndexPrefix(nil, want[:len(want)-1]); !errors.Is(err, codec.ErrCorrupt) {
			t.Errorf("AppendIndexPrefix of half a key: %v", err)
		}
	}
}

func TestRefNulls(t *testing.T) {
	set := newSet(t, Invoice{}, Customer{}, Tenant{}, Member{}, Thread{})
	for _, test := range []struct {
		table, ref string
		want       []int
	}{
		{"invoices", "Tenant,Buyer", []int{1}},
		{"invoices", "Tenant", nil},
		{"Member", "Mentor", []int{0}},
		{"Member", "Pinned", []int{0}},
	} {
		table := set.ByName(test.table)
		for _, r := range table.Refs {
			if r.Name == test.ref && !slices.Equal(r.Nulls, test.want) {
				t.Errorf("%s of %s sets %v to nothing, want %v", test.ref, test.table, r.Nulls, test.want)
			}
		}
	}
}

// TestBindCatalogAlone binds a catalog without any Go type.
func TestBindCatalogAlone(t *testing.T) {
	models := compileAll(t, Invoice{}, Customer{}, Tenant{}, Member{}, Thread{})
	c := planAll(t, NewCatalog(), models, PlanOptions{}).Catalog
	full, bare := bindAll(t, c, models), bindAll(t, decodeCatalog(t, c), nil)
	if bare.Version() != c.Version || len(bare.Tables()) != 5 {
		t.Errorf("version %d, %d tables", bare.Version(), len(bare.Tables()))
	}
	for _, table := range bare.Tables() {
		if table.Type != nil || table.Encoder() != nil || table.Decoder() != nil || table.KeyStruct() != nil || bare.ByType(table.Type) != nil {
			t.Errorf("%s has a Go side", table.Name)
		}
		if bare.ByID(table.ID) != table || bare.ByName(table.Name) != table {
			t.Errorf("%s is not found", table.Name)
		}
		var want []string
		for line := range strings.Lines(full.ByName(table.Name).String()) {
			line, _, _ = strings.Cut(strings.TrimSuffix(line, "\n"), " of type ")
			want = append(want, strings.TrimSuffix(line, " by method")+"\n")
		}
		if got := table.String(); got != strings.Join(want, "") {
			t.Errorf("from the catalog alone:\n%s\nwant:\n%s", got, strings.Join(want, ""))
		}
	}
	plan, err := bare.ByName("Member").KeyPlan(reflect.TypeFor[uint64]())
	if err != nil || plan == nil {
		t.Errorf("KeyPlan from the catalog alone: %v", err)
	}
}

func TestBindFaults(t *testing.T) {
	models := compileAll(t, Airport{})
	if _, err := Bind(NewCatalog(), models); err == nil || err.Error() != "schema: schema.Airport: the catalog has no table airports yet" {
		t.Errorf("Bind without the table: %v", err)
	}
	type other struct {
		_    struct{} `kivis:"table=airports"`
		Code IATA     `kivis:"key"`
		Lost int
	}
	c := planAll(t, NewCatalog(), models, PlanOptions{}).Catalog
	fewer := func() []*Model {
		type other struct {
			_    struct{} `kivis:"table=airports"`
			Code IATA     `kivis:"key"`
			Made time.Time
		}
		return compileAll(t, other{})
	}()
	_, err := Bind(planAll(t, c, fewer, PlanOptions{}).Catalog, models)
	if err == nil || !strings.HasPrefix(err.Error(), "schema: schema.Airport: the table airports, which is at version 2 now, does not fit this struct of version 1: ") {
		t.Errorf("Bind after fields are gone: %v", err)
	}
	want := "schema: schema.other: no version of the table airports has the fields of this struct: its schema has changed meanwhile"
	if _, err := Bind(c, compileAll(t, other{})); err == nil || err.Error() != want {
		t.Errorf("Bind with another struct: %v, want %s", err, want)
	}
}

func TestTableLookups(t *testing.T) {
	table := newSet(t, Airport{}, Flight{}).ByName("flights")
	if x := table.Index("route"); x == nil || table.IndexByID(x.ID) != x || table.Index("x") != nil || table.IndexByID(99) != nil {
		t.Errorf("Index(route) = %v", x)
	}
	if i, ok := table.Column("Delay"); !ok || table.Columns[i].GoName != "Delay" {
		t.Errorf("Column(Delay) = %d, %t", i, ok)
	}
	if _, ok := table.Column("delay"); ok {
		t.Error("Column(delay) is found")
	}
	p := table.Prefix(3)
	if want := codec.AppendUint(codec.AppendUint(nil, 2), 3); !bytes.Equal(p, want) || cap(p) != len(p) {
		t.Errorf("Prefix(3) = %x, want %x", p, want)
	}
	if got := table.Prefix(1000); !bytes.Equal(got, codec.AppendUint(codec.AppendUint(nil, 2), 1000)) {
		t.Errorf("Prefix(1000) = %x", got)
	}
	if _, err := table.Converter(9); !errors.Is(err, codec.ErrCorrupt) {
		t.Errorf("Converter(9): %v", err)
	}
	if c, err := table.Converter(1); c != nil || err != nil {
		t.Errorf("Converter(1) = %v, %v", c, err)
	}
	if l, ok := table.LayoutOf(1); !ok || l != table.Layout {
		t.Errorf("LayoutOf(1) = %v, %t", l, ok)
	}
}
