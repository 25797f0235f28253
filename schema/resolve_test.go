package schema

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/internal/msgpack"
	"github.com/kivisdb/kivis/reflectx"
)

// Absent is a record type that is in the catalog, or not, and not registered.
type Absent struct {
	Auto[Absent]
	A int
}

// TestCompileFor resolves references against tables that only the catalog
// knows.
func TestCompileFor(t *testing.T) {
	c := planAll(t, NewCatalog(), compileAll(t, Airport{}, Member{}, Thread{}, Customer{}, Leg{}, Tenant{}, Descending{}), PlanOptions{}).Catalog
	type lostTenant struct {
		_  struct{} `kivis:"table=Tenant"`
		ID ID[lostTenant]
	}
	for _, test := range []struct {
		name  string
		types func() []reflect.Type
		want  []string // faults; none where all is well
	}{
		{"by name, by id, and by several fields", func() []reflect.Type {
			type R struct {
				_  struct{} `kivis:"ref=Customer(T,N)"`
				ID ID[R]
				A  IATA  `kivis:"ref=airports"`
				B  *IATA `kivis:"ref=airports"`
				M  ID[Member]
				D  int32  `kivis:"ref=Descending"`
				L  LegKey `kivis:"ref=Leg"`
				T  string
				N  uint64
			}
			return types(R{})
		}, nil},
		{"to nothing", func() []reflect.Type {
			type R struct {
				ID ID[R]
				A  string `kivis:"ref=airport"`
				B  string `kivis:"ref=nowhere"`
				C  ID[Absent]
			}
			return types(R{})
		}, lines(
			`schema: schema.R.A: refers to nothing: unknown table "airport"; did you mean "airports"?; register the record that it refers to with this one, or before it (tag "ref=airport")`,
			`schema: schema.R.B: refers to nothing: unknown table "nowhere"; register the record that it refers to with this one, or before it (tag "ref=nowhere")`,
			`schema: schema.R.C: refers to nothing: register schema.Absent with this record, or before it`,
		)},
		{"of another type", func() []reflect.Type {
			type R struct {
				_  struct{} `kivis:"ref=Customer(A)"`
				ID ID[R]
				A  int `kivis:"ref=airports"`
				B  ID[lostTenant]
			}
			return types(R{})
		}, lines(
			`schema: schema.R._: A is a reference already (tag "ref=Customer(A)")`,
			`schema: schema.R.A: is stored as int, but the key of airports as string (tag "ref=airports")`,
			`schema: schema.R.B: is stored as uint, but the key of Tenant as string`,
		)},
		{"of too few fields", func() []reflect.Type {
			type R struct {
				_  struct{} `kivis:"ref=Customer(A)"`
				ID ID[R]
				A  int
			}
			return types(R{})
		}, lines(`schema: schema.R._: is stored as int, but the key of Customer as (string, uint) (tag "ref=Customer(A)")`)},
		{"whose target is at fault", func() []reflect.Type {
			type Bad struct {
				Code IATA `kivis:"kye"`
			}
			type R struct {
				ID ID[R]
				A  IATA `kivis:"ref=Bad"`
			}
			return types(R{}, Bad{})
		}, lines(`schema: schema.Bad.Code: unknown option "kye"; did you mean "key"? (tag "kye")`)},
	} {
		t.Run(test.name, func(t *testing.T) {
			models, err := CompileFor(c, test.types()...)
			if got := errorText(err); got != strings.Join(test.want, "\n") {
				t.Errorf("CompileFor:\n%s\nwant:\n%s", got, strings.Join(test.want, "\n"))
			}
			if err == nil {
				bindAll(t, planAll(t, c, models, PlanOptions{}).Catalog, models)
			}
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestPlanRefToNothing leaves a reference by name to Plan, which reports it.
func TestPlanRefToNothing(t *testing.T) {
	type R struct {
		ID ID[R]
		A  string `kivis:"ref=nowhere"`
		B  ID[Absent]
	}
	models := compileAll(t, R{})
	_, err := Plan(NewCatalog(), models, PlanOptions{})
	want := "schema: schema.R.A: refers to nothing: unknown table \"nowhere\"; register the record that it refers to with this one, or before it (tag \"ref=nowhere\")\n" +
		"schema: schema.R.B: refers to nothing: register schema.Absent with this record, or before it"
	if errorText(err) != want {
		t.Errorf("Plan: %v\nwant: %s", err, want)
	}
	if _, err := CompileFor(nil, types(R{})...); errorText(err) != want {
		t.Errorf("CompileFor(nil): %v\nwant: %s", err, want)
	}
}

// TestRefToPointerKey refers to a table whose key is a pointer that descends.
func TestRefToPointerKey(t *testing.T) {
	type Target struct {
		Code *string `kivis:"key,desc"`
	}
	type R struct {
		ID ID[R]
		A  *string `kivis:"ref"`
	}
	table := newSet(t, R{}, Target{}).ByName("R")
	ref, code := table.Refs[0], "x"
	for _, rec := range []R{{A: &code}, {}} {
		body, offs := record(t, table, &rec)
		got, null, err := ref.AppendTarget(nil, value(ref, body, offs))
		if err != nil || null != (rec.A == nil) {
			t.Fatalf("AppendTarget = %x, %t, %v", got, null, err)
		}
		if null {
			continue
		}
		want, err := ref.Target.AppendKey(nil, reflectx.To(&Target{&code}))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("AppendTarget = %x, want %x, %v", got, want, err)
		}
		prefix, err := ref.AppendIndexPrefix(nil, got)
		if entry := appendEntry(t, ref.Index, body, offs); err != nil || !bytes.Equal(prefix, entry) {
			t.Errorf("AppendIndexPrefix = %x, want %x, %v", prefix, entry, err)
		}
	}
	type S struct {
		ID ID[S]
		A  string `kivis:"ref=Target"`
	}
	_, err := Compile(types(S{}, Target{})...)
	want := `schema: schema.S.A: is of type string, but Target has a key of type *string: make the field one (tag "ref=Target")`
	if errorText(err) != want {
		t.Errorf("Compile: %v\nwant: %s", err, want)
	}
}

func TestChangeError(t *testing.T) {
	var err error = &ChangeError{Table: "users", Changes: []Difference{
		{Table: "users", Kind: "changed type", Field: "Age", Detail: "int64 to string", Refused: true, Remedy: "keep int64"},
		{Table: "users", Kind: "changed key", Detail: "a to b", Refused: true, Remedy: "keep the key"},
	}}
	want := "schema: table users cannot change: changed type Age: int64 to string (refused); keep int64\n\tchanged key: a to b (refused); keep the key"
	if err.Error() != want {
		t.Errorf("Error() = %s, want %s", err, want)
	}
}

func TestErrorUnwraps(t *testing.T) {
	cause := errors.New("cause")
	if err := error(&Error{Err: cause}); !errors.Is(err, cause) || err.Error() != "schema: nil: cause" {
		t.Errorf("%v", err)
	}
}

// TestWire reads back what a catalog is made of, and refuses what it is not.
func TestWire(t *testing.T) {
	for _, tt := range []struct {
		name string
		b    []byte
		take func(r *wireReader) any
		want any // nil for an error
	}{
		{"number", msgpack.AppendUint(nil, 1<<32-1), func(r *wireReader) any { return r.number() }, uint32(1<<32 - 1)},
		{"number of 33 bits", msgpack.AppendUint(nil, 1<<32), func(r *wireReader) any { return r.number() }, nil},
		{"negative number", msgpack.AppendInt(nil, -1), func(r *wireReader) any { return r.number() }, nil},
		{"no number", msgpack.AppendBool(nil, true), func(r *wireReader) any { return r.number() }, nil},
		{"number of 64 bits", msgpack.AppendUint(nil, 1<<63), func(r *wireReader) any { return r.number64() }, uint64(1 << 63)},
		{"bool", msgpack.AppendBool(nil, true), func(r *wireReader) any { return r.bool() }, true},
		{"no bool", msgpack.AppendNil(nil), func(r *wireReader) any { return r.bool() }, nil},
		{"text", msgpack.AppendString(nil, strings.Repeat("x", 300)), func(r *wireReader) any { return r.text() }, strings.Repeat("x", 300)},
		{"text cut short", msgpack.AppendString(nil, "abc")[:3], func(r *wireReader) any { return r.text() }, nil},
		{"numbers", []byte{0x92, 1, 2}, func(r *wireReader) any { return r.numbers() }, []uint32{1, 2}},
		{"no numbers", []byte{0x80}, func(r *wireReader) any { return r.numbers() }, nil},
		{"fewer numbers than said", []byte{0xDD, 0xFF, 0xFF, 0xFF, 0xFF, 1}, func(r *wireReader) any { return r.numbers() }, nil},
		{"unknown name", []byte{0x81, 0xA1, 'x', 1}, func(r *wireReader) any { r.each(func(string) bool { return false }); return 0 }, nil},
	} {
		r := &wireReader{b: tt.b}
		got := tt.take(r)
		if tt.want == nil {
			if !errors.Is(r.err, codec.ErrCorrupt) {
				t.Errorf("%s: got %v, %v, want ErrCorrupt", tt.name, got, r.err)
			}
		} else if !reflect.DeepEqual(got, tt.want) || r.err != nil || len(r.b) > 0 {
			t.Errorf("%s: got %v, %v, %d bytes left, want %v", tt.name, got, r.err, len(r.b), tt.want)
		}
	}
}

// TestEntryCheck refuses entries whose parts do not fit together.
func TestEntryCheck(t *testing.T) {
	whole := planAll(t, NewCatalog(), compileAll(t, Flight{}, Airport{}), PlanOptions{}).Catalog.byName("flights")
	for name, spoil := range map[string]func(e *Entry){
		"no id":               func(e *Entry) { e.ID = 0 },
		"no name":             func(e *Entry) { e.Name = "" },
		"no version":          func(e *Entry) { e.Versions = nil },
		"no layout":           func(e *Entry) { e.Versions[0].Layout = nil },
		"versions that fall":  func(e *Entry) { e.Versions = append(e.Versions, e.Versions[0]) },
		"no key":              func(e *Entry) { e.Key.Parts = nil },
		"a key of no field":   func(e *Entry) { e.Key.Parts = []PartEntry{{Fields: []uint32{99}}} },
		"a key that is both":  func(e *Entry) { e.Key.Kind = KeyCustom },
		"an index id twice":   func(e *Entry) { e.Indexes[0].ID = e.Indexes[1].ID },
		"an index id too big": func(e *Entry) { e.Indexes[0].ID = e.NextIndex },
		"an index of nothing": func(e *Entry) { e.Indexes[0].Parts = nil },
		"an index of no field": func(e *Entry) {
			e.Indexes[0].Parts = []PartEntry{{Fields: []uint32{1, 2}}}
		},
		"a reference without its index": func(e *Entry) { e.Refs[0].Index = 99 },
		"a reference of no field":       func(e *Entry) { e.Refs[0].Parts = []PartEntry{{}} },
	} {
		e := whole.clone()
		spoil(e)
		c := NewCatalog()
		c.Entries[e.ID] = e
		if _, err := Bind(c, nil); !errors.Is(err, codec.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, spoil := range map[string]func(e *Entry){
		"a reference to no table":      func(e *Entry) { e.Refs[0].Target = 99 },
		"a reference of too few parts": func(e *Entry) { e.Refs[0].Target = e.ID; e.Refs[0].Parts = append(e.Refs[0].Parts, e.Refs[1].Parts...) },
	} {
		e := whole.clone()
		spoil(e)
		c := NewCatalog()
		c.Entries[e.ID] = e
		if _, err := Bind(c, nil); !errors.Is(err, codec.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestNestedRecords holds records in fields of others: their tags speak of
// their own tables.
func TestNestedRecords(t *testing.T) {
	type keyed struct {
		Code string `kivis:"key"`
		City string `kivis:"index"`
	}
	type byID struct {
		ID   ID[byID]
		City string `kivis:"index"`
	}
	type embedding struct {
		LegKey `kivis:"key"`
		City   string `kivis:"index"`
	}
	type R struct {
		ID ID[R]
		A  keyed
		B  []byID
		C  *embedding
		D  map[string]Flight
		E  Slot
		F  *R
	}
	table := newSet(t, R{}).ByName("R")
	if len(table.Indexes) > 0 || len(table.Refs) > 0 || len(table.Columns) != 7 {
		t.Errorf("%v", table)
	}
}

func TestNames(t *testing.T) {
	for _, test := range []struct {
		t    reflect.Type
		want string
	}{
		{reflect.TypeFor[Box[int]](), "Box_int"},
		{reflect.TypeFor[Box[[]byte]](), "Box_slice_byte"},
		{reflect.TypeFor[Box[map[string]Spot]](), "Box_map_string_Spot"},
		{reflect.TypeFor[Box[Box[*Spot]]](), "Box_Box_ptr_Spot"},
	} {
		if got := defaultName(test.t); got != test.want {
			t.Errorf("defaultName(%v) = %s, want %s", test.t, got, test.want)
		}
	}
	if got := typeName(reflect.TypeFor[map[string]Box[[4]byte]]()); got != "map[string]schema.Box[[4]byte]" {
		t.Errorf("typeName = %s", got)
	}
	set := newSet(t, Thread{}, Member{})
	if !set.ByName("Thread").Index("bytag").Each() || set.ByName("Thread").Index("slug").Each() {
		t.Error("Each is wrong")
	}
	for _, test := range []struct{ got, want string }{
		{KeyUUID.String(), "uuid"}, {KeyKind(99).String(), "unknown"}, {Cascade.String(), "cascade"}, {Action(99).String(), "unknown"},
		{Ready.String(), "ready"}, {Building.String(), "building"},
	} {
		if test.got != test.want {
			t.Errorf("String() = %s, want %s", test.got, test.want)
		}
	}
}
