package codec

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/kivisdb/kivis/reflectx"
)

// storedFields is FieldsOf for tests: every exported field by its Go name.
func storedFields(t reflect.Type) ([]StructField, error) {
	s, err := reflectx.Walk(t)
	if err != nil {
		return nil, err
	}
	var list []StructField
	for _, f := range s.Fields {
		if f.Exported && !f.Ignored() {
			list = append(list, StructField{Name: f.Name, Offset: f.Offset, Type: f.Type})
		}
	}
	return list, nil
}

// mustKeyType returns the key type of t, changed by mods: "desc", "fold".
func mustKeyType(t testing.TB, typ reflect.Type, mods ...string) KeyType {
	t.Helper()
	k, err := KeyTypeOf(typ, storedFields)
	if err != nil {
		t.Fatalf("KeyTypeOf(%v): %v", typ, err)
	}
	for _, m := range mods {
		k.Desc = k.Desc || m == "desc"
		k.Fold = k.Fold || m == "fold"
	}
	return k
}

func mustPlan(t testing.TB, typ reflect.Type, k KeyType) *KeyPlan {
	t.Helper()
	p, err := CompileKey(typ, storedFields, k)
	if err != nil {
		t.Fatalf("CompileKey(%v, %v): %v", typ, k, err)
	}
	return p
}

// pointerTo returns a Pointer to a copy of v.
func pointerTo(v reflect.Value) reflectx.Pointer {
	p := reflect.New(v.Type())
	p.Elem().Set(v)
	return reflectx.Of(p)
}

// mustAppend returns v's part.
func mustAppend(t testing.TB, p *KeyPlan, v reflect.Value) []byte {
	t.Helper()
	part, err := p.Append(nil, pointerTo(v))
	if err != nil {
		t.Fatalf("Append(%v): %v", v, err)
	}
	return part
}

type (
	code    string
	small   int8
	blob    []byte
	id16    [16]byte
	instant time.Time
	flag    bool
	ratio   float32
)

// A domain is a type and values of it in order; those of one rank are equal.
type domain struct {
	name  string
	typ   reflect.Type
	vals  []reflect.Value
	ranks []int
}

func makeDomain[T any](name string, groups ...[]T) domain {
	d := domain{name: name, typ: reflect.TypeFor[T]()}
	for rank, group := range groups {
		for _, v := range group {
			d.vals = append(d.vals, reflect.ValueOf(v))
			d.ranks = append(d.ranks, rank)
		}
	}
	return d
}

// distinct makes a domain of values none of which are equal.
func distinct[T any](name string, vals ...T) domain {
	groups := make([][]T, len(vals))
	for i, v := range vals {
		groups[i] = []T{v}
	}
	return makeDomain(name, groups...)
}

// withPointer returns d and, where there may be one, the domain of pointers to
// d's values and nil.
func (d domain) withPointer() []domain {
	if d.typ == reflect.TypeFor[blob]() {
		return []domain{d}
	}
	p := domain{name: "*" + d.name, typ: reflect.PointerTo(d.typ)}
	p.vals, p.ranks = append(p.vals, reflect.Zero(p.typ)), append(p.ranks, 0)
	for i, v := range d.vals {
		ptr := reflect.New(d.typ)
		ptr.Elem().Set(v)
		p.vals, p.ranks = append(p.vals, ptr), append(p.ranks, d.ranks[i]+1)
	}
	return []domain{d, p}
}

// some keeps about n of d's values, the ends among them.
func (d domain) some(n int) domain {
	s := domain{name: d.name, typ: d.typ}
	for i := range n {
		at := i * (len(d.vals) - 1) / (n - 1)
		s.vals, s.ranks = append(s.vals, d.vals[at]), append(s.ranks, d.ranks[at])
	}
	return s
}

// intsAround returns the integers around every length of the encoding, in
// order, which T has.
func intsAround[T int8 | int16 | int32 | int64 | int]() []T {
	var all []int64
	add := func(x int64) {
		for d := int64(-2); d <= 2; d++ {
			all = append(all, x+d)
		}
	}
	add(math.MinInt64 + 2)
	for n := 7; n >= 1; n-- {
		add(-1 << (8*n - 1))
		add(-1 << (8 * n))
	}
	for _, x := range []int64{-64, 0, 112} {
		add(x)
	}
	for n := 1; n <= 7; n++ {
		add(1 << (8*n - 1))
		add(1 << (8 * n))
	}
	add(math.MaxInt64 - 2)
	return fitting[T](all)
}

func uintsAround[T uint8 | uint16 | uint32 | uint64 | uint]() []T {
	var all []uint64
	for _, x := range intsAround[int64]() {
		if x >= 0 {
			all = append(all, uint64(x))
		}
	}
	for d := range uint64(4) {
		all = append(all, 1<<63+d)
	}
	all = append(all, math.MaxUint64-1, math.MaxUint64)
	return fitting[T](all)
}

// fitting returns those of all that a T can hold, in order, each once.
func fitting[T, F int8 | int16 | int32 | int64 | int | uint8 | uint16 | uint32 | uint64 | uint](all []F) []T {
	var kept []T
	for _, x := range all {
		fits := F(T(x)) == x && (T(x) < 0) == (x < 0)
		if fits && (len(kept) == 0 || kept[len(kept)-1] < T(x)) {
			kept = append(kept, T(x))
		}
	}
	return kept
}

var stringsInOrder = []string{
	"", "\x00", "\x00\x00", "\x00\x01", "\x00\xFF", "\x01", "\x01\x00", "A", "AB", "a", "a\x00", "a\x00\x00",
	"a\x00\x01", "a\x00b", "a\x00\xFE", "a\x00\xFF", "a\x01", "aa", "ab", "b", "z", "\xC3\xA4", "\xFE", "\xFF", "\xFF\x00",
	"\xFF\x00\xFF", "\xFF\x01", "\xFF\xFE", "\xFF\xFF",
}

// date returns an instant in a zone other than UTC.
func date(year, nsec int) time.Time {
	return time.Date(year, 6, 15, 12, 0, 0, nsec, time.FixedZone("", 3600))
}

func domains() []domain {
	var blobs []blob
	for _, s := range stringsInOrder[1:] {
		blobs = append(blobs, blob(s))
	}
	nan, zero := math.NaN(), 0.0
	return []domain{
		distinct("bool", false, true),
		distinct("named bool", flag(false), flag(true)),
		distinct("int8", intsAround[int8]()...),
		distinct("int16", intsAround[int16]()...),
		distinct("int32", intsAround[int32]()...),
		distinct("int64", intsAround[int64]()...),
		distinct("int", intsAround[int]()...),
		distinct("uint8", uintsAround[uint8]()...),
		distinct("uint16", uintsAround[uint16]()...),
		distinct("uint32", uintsAround[uint32]()...),
		distinct("uint64", uintsAround[uint64]()...),
		distinct("uint", uintsAround[uint]()...),
		distinct("uintptr", uintptr(0), 1, 111, 112, 1<<31),
		distinct("named int", small(-128), small(-1), small(0), small(1), small(127)),
		distinct("duration", time.Duration(math.MinInt64), -time.Hour, -1, 0, 1, time.Hour, math.MaxInt64),
		makeDomain("float64", []float64{math.Inf(-1)}, []float64{-math.MaxFloat64}, []float64{-1.5}, []float64{-1},
			[]float64{-math.SmallestNonzeroFloat64}, []float64{-zero, math.Copysign(0, -1), 0}, []float64{math.SmallestNonzeroFloat64},
			[]float64{0.1}, []float64{1}, []float64{1.5}, []float64{math.MaxFloat64}, []float64{math.Inf(1)},
			[]float64{nan, -nan, math.Float64frombits(0xFFF8000000000001), math.Float64frombits(0x7FF0000000000001)}),
		makeDomain("float32", []ratio{ratio(math.Inf(-1))}, []ratio{-math.MaxFloat32}, []ratio{-1}, []ratio{0, ratio(math.Copysign(0, -1))},
			[]ratio{math.SmallestNonzeroFloat32}, []ratio{0.1}, []ratio{1}, []ratio{math.MaxFloat32}, []ratio{ratio(math.Inf(1))}, []ratio{ratio(nan)}),
		distinct("string", stringsInOrder...),
		distinct("named string", code(""), code("JFK"), code("LAX")),
		makeDomain("bytes", append([][]blob{{nil, {}}}, groupsOf(blobs)...)...),
		distinct("array", id16{}, id16{1}, id16{1, 0, 1}, id16{0xFF}, id16{0xFF, 0xFF}),
		distinct("empty array", [0]byte{}),
		makeDomain("time", []time.Time{{}, time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)}, []time.Time{date(1, 0)}, []time.Time{date(1969, 0)},
			[]time.Time{date(1970, 0), date(1970, 0).UTC(), date(1970, 0).Local()}, []time.Time{date(1970, 1)}, []time.Time{date(1970, 999_999_999)},
			[]time.Time{date(2024, 0)}, []time.Time{date(2200, 5)}, []time.Time{time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC)}),
		distinct("named time", instant{}, instant(date(1970, 0)), instant(date(2024, 7))),
	}
}

func groupsOf[T any](vals []T) [][]T {
	groups := make([][]T, len(vals))
	for i, v := range vals {
		groups[i] = []T{v}
	}
	return groups
}

// TestKeyOrder compares all pairs of every domain: the bytes of their parts
// order as the values do, equal values alone share a part, and no part begins
// with another.
func TestKeyOrder(t *testing.T) {
	for _, d := range domains() {
		for _, d := range d.withPointer() {
			for _, desc := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s desc=%t", d.name, desc), func(t *testing.T) {
					k := mustKeyType(t, d.typ)
					k.Desc = desc
					p := mustPlan(t, d.typ, k)
					parts := make([][]byte, len(d.vals))
					for i, v := range d.vals {
						parts[i] = mustAppend(t, p, v)
					}
					checkOrder(t, d.vals, parts, func(i, j int) int {
						if desc {
							i, j = j, i
						}
						return cmp.Compare(d.ranks[i], d.ranks[j])
					})
				})
			}
		}
	}
}

func checkOrder(t *testing.T, vals []reflect.Value, parts [][]byte, compare func(i, j int) int) {
	t.Helper()
	for i := range parts {
		for j := range parts {
			want := compare(i, j)
			if got := bytes.Compare(parts[i], parts[j]); got != want {
				t.Fatalf("%v (%x) and %v (%x) compare as %d, want %d", vals[i], parts[i], vals[j], parts[j], got, want)
			}
			if want != 0 && bytes.HasPrefix(parts[i], parts[j]) {
				t.Fatalf("%v (%x) begins with %v (%x)", vals[i], parts[i], vals[j], parts[j])
			}
		}
	}
}

// TestKeyTupleOrder does what TestKeyOrder does for pairs of all domains, each
// ascending and descending, by themselves and in descending tuples.
func TestKeyTupleOrder(t *testing.T) {
	var few []domain
	for _, d := range domains() {
		if len(d.vals) > 1 && !strings.HasPrefix(d.name, "named") {
			for _, d := range d.withPointer() {
				few = append(few, d.some(5))
			}
		}
	}
	for i, a := range few {
		for _, b := range few {
			if testing.Short() && i%3 != 0 {
				continue
			}
			typ := reflect.StructOf([]reflect.StructField{{Name: "A", Type: a.typ}, {Name: "B", Type: b.typ}})
			for bits := range 8 {
				checkTuples(t, typ, a, b, bits&1 != 0, bits&2 != 0, bits&4 != 0)
			}
		}
	}
}

func checkTuples(t *testing.T, typ reflect.Type, a, b domain, descA, descB, desc bool) {
	t.Helper()
	k := mustKeyType(t, typ)
	k.Parts[0].Desc, k.Parts[1].Desc, k.Desc = descA, descB, desc
	p := mustPlan(t, typ, k)
	var vals []reflect.Value
	var ranks [][2]int
	var parts [][]byte
	for i, va := range a.vals {
		for j, vb := range b.vals {
			v := reflect.New(typ).Elem()
			v.Field(0).Set(va)
			v.Field(1).Set(vb)
			vals, ranks = append(vals, v), append(ranks, [2]int{a.ranks[i], b.ranks[j]})
			parts = append(parts, mustAppend(t, p, v))
		}
	}
	checkOrder(t, vals, parts, func(i, j int) int {
		ca, cb := cmp.Compare(ranks[i][0], ranks[j][0]), cmp.Compare(ranks[i][1], ranks[j][1])
		if descA != desc {
			ca = -ca
		}
		if descB != desc {
			cb = -cb
		}
		return cmp.Or(ca, cb)
	})
}

// TestKeyRoundTrip decodes, skips, formats and adapts the parts of every
// domain.
func TestKeyRoundTrip(t *testing.T) {
	for _, d := range domains() {
		for _, d := range d.withPointer() {
			base := mustKeyType(t, d.typ)
			exact := mustPlan(t, d.typ, base)
			for _, desc := range []bool{false, true} {
				k := base
				k.Desc = desc
				p := mustPlan(t, d.typ, k)
				for _, v := range d.vals {
					part := mustAppend(t, p, v)
					checkRoundTrip(t, p, v, part)
					literal, err := k.AppendLiteral([]byte("x"), mustAppend(t, exact, v))
					if err != nil || !bytes.Equal(literal[1:], part) {
						t.Errorf("AppendLiteral(%v as %v) = %x, %v, want %x", v, k, literal, err, part)
					}
				}
			}
		}
	}
}

// checkRoundTrip checks what can be done with part, which is v's.
func checkRoundTrip(t *testing.T, p *KeyPlan, v reflect.Value, part []byte) {
	t.Helper()
	k := p.KeyType()
	src := append(bytes.Clone(part), "rest"...)
	got := reflect.New(v.Type())
	rest, err := p.Decode(src, reflectx.Of(got))
	if err != nil || string(rest) != "rest" {
		t.Errorf("Decode(%x) of %v = %q, %v", part, k, rest, err)
	}
	again := mustAppend(t, p, got.Elem())
	if !bytes.Equal(again, part) {
		t.Errorf("Decode(%x) of %v = %v, whose part is %x; want %v", part, k, got.Elem(), again, v)
	}
	if rest, err := k.Skip(src); err != nil || string(rest) != "rest" {
		t.Errorf("Skip(%x) of %v = %q, %v", part, k, rest, err)
	}
	if _, rest, err := k.Format(src); err != nil || string(rest) != "rest" {
		t.Errorf("Format(%x) of %v = %q, %v", part, k, rest, err)
	}
	for n := range part {
		if _, err := p.Decode(part[:n:n], reflectx.Of(got)); err == nil {
			t.Errorf("Decode(%x) of %v, cut off from %x, = nil", part[:n], k, part)
		}
		if _, err := k.Skip(part[:n:n]); err == nil {
			t.Errorf("Skip(%x) of %v, cut off from %x, = nil", part[:n], k, part)
		}
	}
}

func TestAppendDeref(t *testing.T) {
	s := "Ab\x00"
	for _, mods := range [][]string{nil, {"desc"}, {"fold"}, {"fold", "desc"}} {
		k := mustKeyType(t, reflect.TypeFor[*string](), mods...)
		want := mustAppend(t, mustPlan(t, reflect.TypeFor[*string](), k), reflect.ValueOf(&s))
		got, err := k.AppendDeref(nil, AppendString(nil, s))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("AppendDeref(%q) for %v = %x, %v, want %x", s, k, got, err, want)
		}
		if got, err := k.AppendDeref([]byte("x"), []byte("bad")); err == nil || string(got) != "x" {
			t.Errorf("AppendDeref of a bad literal = %q, %v", got, err)
		}
		value := mustKeyType(t, reflect.TypeFor[string](), mods...)
		got, err = value.AppendDeref(nil, AppendString(nil, s))
		if err != nil || !bytes.Equal(got, want[1:]) {
			t.Errorf("AppendDeref(%q) for %v = %x, %v, want %x", s, value, got, err, want[1:])
		}
	}
}

func TestAppendLiteralErrors(t *testing.T) {
	for _, test := range []struct {
		typ   reflect.Type
		exact string
	}{
		{reflect.TypeFor[int](), ""},
		{reflect.TypeFor[int](), "\x80\x80"},
		{reflect.TypeFor[*int](), "\x80"},
		{reflect.TypeFor[*int](), "\x00\x80"},
		{reflect.TypeFor[string](), "abc"},
		{reflect.TypeFor[struct{ A, B int }](), "\x80"},
	} {
		for _, mods := range [][]string{nil, {"desc"}} {
			k := mustKeyType(t, test.typ, mods...)
			if got, err := k.AppendLiteral([]byte("x"), []byte(test.exact)); err == nil || string(got) != "x" {
				t.Errorf("AppendLiteral(%q) for %v = %q, %v", test.exact, k, got, err)
			}
		}
	}
}

// TestAppendPrefix checks that the parts of the strings with a prefix, and no
// others, begin with what AppendPrefix appends.
func TestAppendPrefix(t *testing.T) {
	all := append([]string{"straße", "STRASSE", "Ab", "aB", "AB\x00", "k", "K", "\u212A", "kk\u212A"}, stringsInOrder...)
	for _, typ := range []reflect.Type{reflect.TypeFor[string](), reflect.TypeFor[*string]()} {
		for _, mods := range [][]string{nil, {"desc"}, {"fold"}, {"fold", "desc"}} {
			k := mustKeyType(t, typ, mods...)
			value := pointedTo(&k)
			p := mustPlan(t, reflect.TypeFor[string](), *value)
			for _, prefix := range all {
				head := k.AppendPrefix(nil, prefix)
				end := PrefixEnd(head)
				for _, s := range all {
					part := mustAppend(t, p, reflect.ValueOf(s))
					if k.Ptr {
						part = append([]byte{ptrValue ^ k.mask()}, part...)
					}
					want := strings.HasPrefix(s, prefix)
					if k.Fold {
						want = bytes.HasPrefix(Fold(nil, s), Fold(nil, prefix))
					}
					if got := bytes.HasPrefix(part, head); got != want {
						t.Errorf("%v: the part of %q begins with that of %q: %t, want %t", k, s, prefix, got, want)
					}
					inside := bytes.Compare(part, head) >= 0 && (end == nil || bytes.Compare(part, end) < 0)
					if inside != want {
						t.Errorf("%v: the part of %q is in the range of %q: %t, want %t", k, s, prefix, inside, want)
					}
				}
			}
		}
	}
}

func TestAppendZero(t *testing.T) {
	type all struct {
		A bool
		B int
		C *int
		D string
		E time.Time
		F [3]byte
		G float64
		H struct{ X, Y []byte }
	}
	k := mustKeyType(t, reflect.TypeFor[all](), "desc")
	for i := range k.Parts {
		k.Parts[i].Desc = i%2 == 0
	}
	want := mustAppend(t, mustPlan(t, reflect.TypeFor[all](), k), reflect.ValueOf(all{}))
	if got := k.AppendZero(nil); !bytes.Equal(got, want) {
		t.Errorf("AppendZero = %x, want %x", got, want)
	}
}

func TestRefuseNaN(t *testing.T) {
	type key struct {
		A int
		F *float32
	}
	p := mustPlan(t, reflect.TypeFor[key](), mustKeyType(t, reflect.TypeFor[key]()))
	f := float32(math.NaN())
	v := pointerTo(reflect.ValueOf(key{1, &f}))
	if _, err := p.Append(nil, v); err != nil {
		t.Errorf("Append = %v, want nil", err)
	}
	if got, err := p.RefuseNaN().Append([]byte("x"), v); err != errNaN || string(got) != "x" {
		t.Errorf("Append of a plan that refuses NaN = %q, %v", got, err)
	}
	f = float32(math.Inf(1))
	if _, err := p.RefuseNaN().Append(nil, v); err != nil {
		t.Errorf("Append(+Inf) = %v, want nil", err)
	}
}

func TestAppendTimeErrors(t *testing.T) {
	for _, bad := range []time.Time{
		time.Date(0, 12, 31, 23, 59, 59, 999_999_999, time.UTC),
		time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(1, 1, 1, 0, 0, 0, 0, time.FixedZone("", 1)),
		time.Date(9999, 12, 31, 23, 59, 59, 0, time.FixedZone("", -1)),
		time.Unix(math.MaxInt64, 0), time.Unix(math.MinInt64, 0),
	} {
		if got, err := AppendTime([]byte("x"), bad); err != errTime || string(got) != "x" {
			t.Errorf("AppendTime(%v) = %q, %v", bad, got, err)
		}
	}
}
