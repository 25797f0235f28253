package query

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/reflectx"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// A modelNested is a struct inside the records of the model test.
type modelNested struct {
	City   string
	Street string
	Zip    *int
	Deep   struct {
		N int16
		M *string
	}
}

// modelFields are the fields that random tables are made of.
var modelFields = []struct {
	name string
	typ  reflect.Type
}{
	{"I", reflect.TypeFor[int8]()}, {"J", reflect.TypeFor[int64]()}, {"U", reflect.TypeFor[uint32]()},
	{"S", reflect.TypeFor[string]()}, {"T", reflect.TypeFor[string]()}, {"B", reflect.TypeFor[bool]()},
	{"F", reflect.TypeFor[float64]()}, {"At", reflect.TypeFor[time.Time]()}, {"D", reflect.TypeFor[time.Duration]()},
	{"Raw", reflect.TypeFor[[]byte]()}, {"Arr", reflect.TypeFor[[2]byte]()}, {"PI", reflect.TypeFor[*int]()},
	{"PS", reflect.TypeFor[*string]()}, {"Tags", reflect.TypeFor[[]string]()}, {"Nums", reflect.TypeFor[[]int]()},
	{"M", reflect.TypeFor[map[string]bool]()}, {"N", reflect.TypeFor[modelNested]()}, {"PN", reflect.TypeFor[*modelNested]()},
	{"Ls", reflect.TypeFor[[]modelLine]()}, {"Lm", reflect.TypeFor[map[string]*modelLine]()},
}

// A world is a random table with records, in a store and as Go values.
type world struct {
	rng   *rand.Rand
	typ   reflect.Type
	table *schema.Table
	kv    store.Store
	recs  []modelRecord // in key order

	ranged bool // its queries bound two indexes
}

type modelRecord struct {
	val reflect.Value // addressable
	key []byte
}

// newWorld makes a random table over the store and fills it.
func newWorld(tb testing.TB, rng *rand.Rand, kv store.Store, n int) *world {
	w := &world{rng: rng, kv: kv}
	for {
		w.typ = w.randomType()
		models, err := schema.Compile(w.typ)
		if err != nil {
			if strings.Contains(err.Error(), "twice") || strings.Contains(err.Error(), "repeat") {
				continue
			}
			tb.Fatalf("%v: %v", w.typ, err)
		}
		change, err := schema.Plan(schema.NewCatalog(), models, schema.PlanOptions{})
		if err != nil {
			tb.Fatal(err)
		}
		set, err := schema.Bind(change.Catalog, models)
		if err != nil {
			tb.Fatal(err)
		}
		w.table = set.ByType(w.typ)
		break
	}
	w.fill(tb, n)
	return w
}

// randomType returns a record struct with a random key and random indexes.
func (w *world) randomType() reflect.Type {
	tags := map[string][]string{}
	scalar := []string{"I", "J", "U", "S", "T", "B", "F", "At", "D", "Arr"}
	w.rng.Shuffle(len(scalar), func(i, j int) { scalar[i], scalar[j] = scalar[j], scalar[i] })
	isKey := map[string]bool{}
	for _, name := range scalar[:1+w.rng.IntN(3)] {
		if name == "F" && len(isKey) == 0 {
			continue
		}
		isKey[name] = true
		tags[name] = append(tags[name], "key")
		if w.rng.IntN(3) == 0 {
			tags[name] = append(tags[name], "desc")
		}
	}
	if len(isKey) == 0 {
		isKey["J"], tags["J"] = true, []string{"key"}
	}
	blank := []string{"table=things"}
	for i := range w.rng.IntN(4) {
		blank = append(blank, fmt.Sprintf("index=ix%d(%s)", i, w.randomParts()))
	}
	if w.rng.IntN(4) > 0 {
		blank = append(blank, "unique=uq("+w.uniqueParts(isKey)+")")
	}
	for _, name := range []string{"I", "S", "PI", "Tags", "F", "At", "B", "M", "PS"} {
		if w.rng.IntN(4) != 0 || isKey[name] {
			continue
		}
		switch {
		case name == "Tags" || name == "M":
			tags[name] = append(tags[name], "index", "each")
		case name == "S" && w.rng.IntN(2) == 0:
			tags[name] = append(tags[name], "index", "fold")
		case w.rng.IntN(3) == 0:
			tags[name] = append(tags[name], "index", "desc")
		default:
			tags[name] = append(tags[name], "index")
		}
	}
	fields := []reflect.StructField{{
		Name: "_", PkgPath: "query", Type: reflect.TypeFor[struct{}](), Tag: reflect.StructTag(`kivis:"` + strings.Join(blank, ",") + `"`),
	}}
	for _, f := range modelFields {
		sf := reflect.StructField{Name: f.name, Type: f.typ}
		if t := tags[f.name]; t != nil {
			sf.Tag = reflect.StructTag(`kivis:"` + strings.Join(t, ",") + `"`)
		}
		fields = append(fields, sf)
	}
	return reflect.StructOf(fields)
}

// uniqueParts returns the parts of an index that is unique because the parts of
// the key are among them.
func (w *world) uniqueParts(isKey map[string]bool) string {
	var parts []string
	for _, f := range modelFields { // in an order that the seed gives
		if isKey[f.name] {
			parts = append(parts, f.name)
		}
	}
	for _, name := range []string{"PI", "PS", "N.Zip", "Tags:each", "U", "PN.City"} {
		if w.rng.IntN(4) == 0 && !isKey[name] {
			parts = append(parts, name)
		}
	}
	w.rng.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	return strings.Join(parts, ",")
}

// randomParts returns the parts of a composite index.
func (w *world) randomParts() string {
	all := []string{"I", "J", "U", "S", "S:fold", "T", "B", "F", "At", "D", "PI", "PS", "PS:fold", "Arr", "N.City", "N.City:fold", "N.Zip", "PN.City", "PN.Street:fold", "PN.Deep.N", "Tags:each", "Nums:each", "M:each", "N.Deep",
		"Ls.SKU:each", "Ls.SKU:each:fold", "Ls.N:each", "Ls.Sub.City:each", "Lm.SKU:each", "Lm.N:each", "Lm.Sub.City:each:fold"}
	w.rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	var parts []string
	seen, each := map[string]bool{}, false
	for _, p := range all {
		name, mod, _ := strings.Cut(p, ":")
		isEach := strings.HasPrefix(mod, "each")
		if seen[name] || isEach && each || strings.HasPrefix(p, "N.") && seen["N"] {
			continue
		}
		each = each || isEach
		seen[name] = true
		if w.rng.IntN(3) == 0 {
			p = "-" + p
		}
		if parts = append(parts, p); w.rng.IntN(3) == 0 || len(parts) == 4 {
			break
		}
	}
	return strings.Join(parts, ",")
}

// randomValue sets v, of one of the types above, to a value out of a few.
func (w *world) randomValue(v reflect.Value) {
	words := []string{"", "a", "A", "ab", "Ab", "aB", "abc", "b", "\x00", "a\x00", "k", "\u212a", "é", "É", "\xff", "\xc3", "ß", "\u0131", "I"}
	switch p := v.Addr().Interface().(type) {
	case *bool:
		*p = w.rng.IntN(2) == 0
	case *string:
		*p = words[w.rng.IntN(len(words))]
	case *float64:
		*p = []float64{0, math.Copysign(0, -1), 1.5, -2, math.Inf(1), math.Inf(-1), math.NaN(), 1e300}[w.rng.IntN(8)]
	case *time.Time:
		*p = time.Date(2000+w.rng.IntN(3), 1, 1, 0, 0, 0, w.rng.IntN(2), time.UTC)
	case *[]byte:
		if *p = nil; w.rng.IntN(4) > 0 {
			*p = []byte(words[w.rng.IntN(len(words))])
		}
	case *[2]byte:
		*p = [2]byte{byte(w.rng.IntN(2)) * 255, byte(w.rng.IntN(3))}
	default:
		w.randomKind(v)
	}
}

func (w *world) randomKind(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.SetZero()
		if w.rng.IntN(3) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			w.randomValue(v.Elem())
		}
	case reflect.Slice:
		if v.SetZero(); w.rng.IntN(4) == 0 {
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), w.rng.IntN(4), 4))
		for i := range v.Len() {
			w.randomValue(v.Index(i))
		}
	case reflect.Map:
		if v.SetZero(); w.rng.IntN(4) == 0 {
			return
		}
		v.Set(reflect.MakeMap(v.Type()))
		for range w.rng.IntN(4) {
			k, e := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			w.randomValue(k)
			w.randomValue(e)
			v.SetMapIndex(k, e)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Name != "_" {
				w.randomValue(v.Field(i))
			}
		}
	case reflect.Uint32:
		v.SetUint(uint64(w.rng.IntN(4)) * 100)
	default:
		v.SetInt(int64(w.rng.IntN(6) - 2))
	}
}

// fill stores n random records.
func (w *world) fill(tb testing.TB, n int) {
	tx, err := w.kv.Begin(context.Background(), true)
	if err != nil {
		tb.Fatal(err)
	}
	seen := map[string]bool{}
	for range n * *rounds {
		v := reflect.New(w.typ)
		w.randomKind(v.Elem())
		key, err := w.table.AppendKey(nil, reflectx.Of(v))
		if err != nil || seen[string(key)] { // NaN
			continue
		}
		seen[string(key)] = true
		storeRecord(tb, tx, w.table, reflectx.Of(v), key)
		w.recs = append(w.recs, modelRecord{v.Elem(), key})
	}
	if _, err := tx.Commit(); err != nil {
		tb.Fatal(err)
	}
	slices.SortFunc(w.recs, func(a, b modelRecord) int { return bytes.Compare(a.key, b.key) })
}

// storeRecord writes a record and its index entries, as package kivis does.
func storeRecord(tb testing.TB, tx store.Tx, table *schema.Table, rec reflectx.Pointer, key []byte) {
	tb.Helper()
	head := codec.AppendHeader(nil, table.Version)
	value, offs, err := table.Encoder().Encode(head, rec, nil)
	if err != nil {
		tb.Fatal(err)
	}
	body := value[len(head):]
	must := func(err error) {
		if err != nil {
			tb.Helper()
			tb.Fatal(err)
		}
	}
	for _, x := range table.Indexes {
		for _, e := range indexTuples(tb, x, body, offs) {
			k := append(bytes.Clone(table.Prefix(x.ID)), e.tuple...)
			if x.Unique && !e.null {
				must(tx.Set(k, codec.SealEntry(nil, k, key)))
				continue
			}
			must(tx.Set(append(k, key...), nil))
		}
	}
	value = codec.Seal(value, 0, table.ID, key)
	must(tx.Set(append(bytes.Clone(table.Prefix(0)), key...), value))
}

type indexTuple struct {
	tuple []byte
	null  bool
}

func indexTuples(tb testing.TB, x *schema.Index, body []byte, offs []uint32) []indexTuple {
	out := []indexTuple{{}}
	for i := range x.Parts {
		p := &x.Parts[i]
		v := body[offs[p.Column]:offs[p.Column+1]]
		v, err := codec.Select(v, p.Path)
		if err != nil {
			tb.Fatal(err)
		}
		values := [][]byte{v}
		if p.Each {
			values = nil
			if err := codec.ElementsAt(v, p.Path, func(e []byte) error { values = append(values, e); return nil }); err != nil {
				tb.Fatal(err)
			}
		}
		var next []indexTuple
		for _, o := range out {
			for _, v := range values {
				t, err := p.Key.Transcode(bytes.Clone(o.tuple), v)
				if err != nil {
					tb.Fatal(err)
				}
				next = append(next, indexTuple{t, o.null || p.Key.Ptr && codec.IsNil(v)})
			}
		}
		out = next
	}
	return out
}
