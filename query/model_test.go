package query

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/reflectx"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
	"github.com/kivisdb/kivis/store/memstore"
)

// A modelNested is a struct inside the records of the model test.
type modelNested struct {
	City string
	Zip  *int
	Deep struct{ N int16 }
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
}

// A world is a random table with records, in a store and as Go values.
type world struct {
	rng   *rand.Rand
	typ   reflect.Type
	table *schema.Table
	kv    store.Store
	recs  []modelRecord // in key order
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
	if w.rng.IntN(2) == 0 {
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
	for _, name := range []string{"PI", "PS", "N.Zip", "Tags:each", "U"} {
		if w.rng.IntN(4) == 0 && !isKey[name] {
			parts = append(parts, name)
		}
	}
	w.rng.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	return strings.Join(parts, ",")
}

// randomParts returns the parts of a composite index.
func (w *world) randomParts() string {
	all := []string{"I", "J", "U", "S", "S:fold", "T", "B", "F", "At", "D", "PI", "PS", "PS:fold", "Arr", "N.City", "N.Zip", "PN.City", "PN.Deep.N", "Tags:each", "Nums:each", "M:each", "N.Deep"}
	w.rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	var parts []string
	seen, each := map[string]bool{}, false
	for _, p := range all {
		name, mod, _ := strings.Cut(p, ":")
		if seen[name] || mod == "each" && each || strings.HasPrefix(p, "N.") && seen["N"] {
			continue
		}
		each = each || mod == "each"
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
	words := []string{"", "a", "A", "ab", "Ab", "aB", "abc", "b", "\x00", "a\x00", "k", "\u212a", "é", "\xff", "ß"}
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
		*p = []byte(words[w.rng.IntN(len(words))])
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
		v.Set(reflect.MakeSlice(v.Type(), w.rng.IntN(4), 4))
		for i := range v.Len() {
			w.randomValue(v.Index(i))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range w.rng.IntN(4) {
			k, e := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			w.randomValue(k)
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
				must(tx.Set(k, key))
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
			if err := codec.Elements(v, func(e []byte) error { values = append(values, e); return nil }); err != nil {
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

// modelCompare orders two values of one type, as the design says.
func modelCompare(a, b reflect.Value) int {
	switch x := a.Interface().(type) {
	case time.Time:
		return x.Compare(b.Interface().(time.Time))
	case []byte:
		return bytes.Compare(x, b.Bytes())
	case [2]byte:
		y := b.Interface().([2]byte)
		return bytes.Compare(x[:], y[:])
	}
	switch a.Kind() {
	case reflect.Pointer:
		if a.IsNil() || b.IsNil() {
			return cmp.Compare(asInt(!a.IsNil()), asInt(!b.IsNil()))
		}
		return modelCompare(a.Elem(), b.Elem())
	case reflect.Bool:
		return cmp.Compare(asInt(a.Bool()), asInt(b.Bool()))
	case reflect.String:
		return strings.Compare(a.String(), b.String())
	case reflect.Float64:
		x, y := a.Float(), b.Float()
		if x != x || y != y {
			return cmp.Compare(asInt(x != x), asInt(y != y))
		}
		return cmp.Compare(x, y)
	case reflect.Uint32:
		return cmp.Compare(a.Uint(), b.Uint())
	case reflect.Struct:
		for i := range a.NumField() {
			if c := modelCompare(a.Field(i), b.Field(i)); c != 0 {
				return c
			}
		}
		return 0
	}
	return cmp.Compare(a.Int(), b.Int())
}

// A modelField is a field that predicates are made on.
type modelField struct {
	name string
	get  func(rec reflect.Value) reflect.Value // the value; of one that is missing, a nil pointer
	typ  reflect.Type                          // of get's
}

func (w *world) fields() []modelField {
	var out []modelField
	for _, f := range modelFields[:13] {
		out = append(out, modelField{f.name, func(rec reflect.Value) reflect.Value { return rec.FieldByName(f.name) }, f.typ})
	}
	out = append(out, modelField{"N.City", func(rec reflect.Value) reflect.Value { return rec.FieldByName("N").FieldByName("City") }, reflect.TypeFor[string]()},
		modelField{"N.Zip", func(rec reflect.Value) reflect.Value { return rec.FieldByName("N").FieldByName("Zip") }, reflect.TypeFor[*int]()},
		modelField{"N.Deep", func(rec reflect.Value) reflect.Value { return rec.FieldByName("N").FieldByName("Deep") }, reflect.TypeFor[struct{ N int16 }]()})
	behind := func(name string, t reflect.Type, get func(n *modelNested) any) {
		out = append(out, modelField{name, func(rec reflect.Value) reflect.Value {
			pn := rec.FieldByName("PN").Interface().(*modelNested)
			v := reflect.New(reflect.PointerTo(t)).Elem()
			if pn != nil {
				p := reflect.New(t)
				p.Elem().Set(reflect.ValueOf(get(pn)))
				v.Set(p)
			}
			return v
		}, reflect.PointerTo(t)})
	}
	behind("PN.City", reflect.TypeFor[string](), func(n *modelNested) any { return n.City })
	behind("PN.Deep.N", reflect.TypeFor[int16](), func(n *modelNested) any { return n.Deep.N })
	return out
}

// A modelPred is a predicate and what it says by itself.
type modelPred struct {
	expr Expr
	ok   func(rec modelRecord) bool
}

func literal(tb testing.TB, v reflect.Value) Literal {
	kt, err := codec.KeyTypeOf(v.Type(), schema.StoredFields)
	if err != nil {
		tb.Fatal(err)
	}
	plan, err := codec.CompileKey(v.Type(), schema.StoredFields, kt)
	if err != nil {
		tb.Fatal(err)
	}
	p := reflect.New(v.Type())
	p.Elem().Set(v)
	b, err := plan.Append(nil, reflectx.Of(p))
	return Literal{Type: &kt, Exact: b, Err: err}
}

// valueLike returns a value of the field's type: one of a record, or any.
func (w *world) valueLike(f modelField) reflect.Value {
	if len(w.recs) > 0 && w.rng.IntN(3) > 0 {
		return f.get(w.recs[w.rng.IntN(len(w.recs))].val)
	}
	v := reflect.New(f.typ).Elem()
	w.randomValue(v)
	return v
}

func (w *world) pred(tb testing.TB, depth int) modelPred {
	if depth > 0 && w.rng.IntN(5) < 3 {
		return w.compound(tb, depth)
	}
	switch w.rng.IntN(14) {
	case 0:
		return w.elementPred(tb)
	case 1:
		return w.textPred(tb)
	case 2:
		return w.keyPred(tb)
	case 3:
		if w.rng.IntN(3) == 0 {
			return modelPred{Func{func(row *Row) (bool, error) { return row.Key[0]%2 == 0, nil }},
				func(rec modelRecord) bool { return rec.key[0]%2 == 0 }}
		}
	case 4, 5, 6, 7, 8, 9:
		return w.indexPred(tb)
	}
	return w.comparison(tb)
}

// indexPred returns predicates on the leading parts of an index or the key, that
// a record has.
func (w *world) indexPred(tb testing.TB) modelPred {
	if len(w.recs) == 0 {
		return w.comparison(tb)
	}
	rec := w.recs[w.rng.IntN(len(w.recs))]
	parts := w.table.Key.Parts
	if n := len(w.table.Indexes); n > 0 && w.rng.IntN(4) > 0 {
		parts = w.table.Indexes[w.rng.IntN(n)].Parts
	}
	var kids []modelPred
	var exprs []Expr
	for i := range parts {
		k := w.partPred(tb, rec, &parts[i])
		kids, exprs = append(kids, k), append(exprs, k.expr)
		if w.rng.IntN(3) == 0 {
			break
		}
	}
	return modelPred{And(exprs), func(rec modelRecord) bool {
		return !slices.ContainsFunc(kids, func(k modelPred) bool { return !k.ok(rec) })
	}}
}

// partPred returns a predicate on one part of an index, that the record has.
func (w *world) partPred(tb testing.TB, rec modelRecord, part *schema.Part) modelPred {
	if part.Each {
		list := rec.val.FieldByName(part.Name)
		if list.Len() == 0 || list.Kind() == reflect.Map {
			return w.elementPred(tb)
		}
		v := list.Index(w.rng.IntN(list.Len()))
		return modelPred{Contains{namedOperand(part.Name), literal(tb, v)}, func(rec modelRecord) bool {
			list := rec.val.FieldByName(part.Name)
			for i := range list.Len() {
				if modelCompare(list.Index(i), v) == 0 {
					return true
				}
			}
			return false
		}}
	}
	fields := w.fields()
	f := fields[slices.IndexFunc(fields, func(f modelField) bool { return f.name == part.Name })]
	v, o := f.get(rec.val), namedOperand(f.name)
	if part.Key.Fold && f.typ.Kind() == reflect.String {
		return modelPred{EqualFold{o, literal(tb, v)}, func(rec modelRecord) bool {
			return strings.EqualFold(f.get(rec.val).String(), v.String())
		}}
	}
	op := []Op{Eq, Eq, Eq, Eq, Ge, Le}[w.rng.IntN(6)]
	if w.rng.IntN(6) == 0 {
		v2 := w.valueLike(f)
		return modelPred{In{o, []Literal{literal(tb, v), literal(tb, v2)}}, func(rec modelRecord) bool {
			return modelCompare(f.get(rec.val), v) == 0 || modelCompare(f.get(rec.val), v2) == 0
		}}
	}
	return modelPred{Cmp{op, o, literal(tb, v)}, func(rec modelRecord) bool { return holdsOp(op, modelCompare(f.get(rec.val), v)) }}
}

func (w *world) compound(tb testing.TB, depth int) modelPred {
	var kids []modelPred
	var exprs []Expr
	for range 1 + w.rng.IntN(3) {
		k := w.pred(tb, depth-1)
		kids, exprs = append(kids, k), append(exprs, k.expr)
	}
	switch w.rng.IntN(5) {
	case 0:
		return modelPred{Not{kids[0].expr}, func(rec modelRecord) bool { return !kids[0].ok(rec) }}
	case 1, 2:
		return modelPred{And(exprs), func(rec modelRecord) bool {
			return !slices.ContainsFunc(kids, func(k modelPred) bool { return !k.ok(rec) })
		}}
	}
	return modelPred{Or(exprs), func(rec modelRecord) bool {
		return slices.ContainsFunc(kids, func(k modelPred) bool { return k.ok(rec) })
	}}
}

func holdsOp(op Op, c int) bool {
	return [...]bool{Eq: c == 0, Ne: c != 0, Lt: c < 0, Le: c <= 0, Gt: c > 0, Ge: c >= 0}[op]
}

func (w *world) comparison(tb testing.TB) modelPred {
	fields := w.fields()
	f := fields[w.rng.IntN(len(fields))]
	o := namedOperand(f.name)
	v, v2 := w.valueLike(f), w.valueLike(f)
	get := f.get
	if f.typ.Kind() == reflect.Pointer && !v.IsNil() && !v2.IsNil() && w.rng.IntN(2) == 0 {
		o.Deref, v, v2 = true, v.Elem(), v2.Elem()
	}
	is := func(test func(x reflect.Value) bool) func(modelRecord) bool {
		return func(rec modelRecord) bool {
			x := get(rec.val)
			if o.Deref {
				if x.IsNil() {
					return false
				}
				x = x.Elem()
			}
			return test(x)
		}
	}
	switch w.rng.IntN(6) {
	case 0:
		list := []reflect.Value{v, v2, w.valueLike(f)}[:w.rng.IntN(3)]
		in := In{Field: o}
		for _, x := range list {
			in.Values = append(in.Values, literal(tb, x))
		}
		return modelPred{in, is(func(x reflect.Value) bool {
			return slices.ContainsFunc(list, func(y reflect.Value) bool { return modelCompare(x, y) == 0 })
		})}
	case 1:
		half := w.rng.IntN(2) == 0
		return modelPred{Between{o, literal(tb, v), literal(tb, v2), half}, is(func(x reflect.Value) bool {
			c := modelCompare(x, v2)
			return modelCompare(x, v) >= 0 && (c < 0 || c == 0 && !half)
		})}
	case 2:
		if f.typ.Kind() == reflect.Pointer && !o.Deref {
			return modelPred{IsNil{o}, is(func(x reflect.Value) bool { return x.IsNil() })}
		}
	}
	op := Op(w.rng.IntN(6))
	if w.rng.IntN(2) == 0 {
		op = Eq
	}
	return modelPred{Cmp{op, o, literal(tb, v)}, is(func(x reflect.Value) bool { return holdsOp(op, modelCompare(x, v)) })}
}

func (w *world) elementPred(tb testing.TB) modelPred {
	name := []string{"Tags", "Nums", "M"}[w.rng.IntN(3)]
	elems := func(rec modelRecord) []reflect.Value {
		list := rec.val.FieldByName(name)
		if name == "M" {
			return list.MapKeys()
		}
		var out []reflect.Value
		for i := range list.Len() {
			out = append(out, list.Index(i))
		}
		return out
	}
	v := reflect.New(reflect.TypeFor[string]()).Elem()
	if name == "Nums" {
		v = reflect.New(reflect.TypeFor[int]()).Elem()
	}
	v2 := reflect.New(v.Type()).Elem()
	w.randomValue(v)
	w.randomValue(v2)
	anyElem := func(test func(x reflect.Value) bool) func(modelRecord) bool {
		return func(rec modelRecord) bool { return slices.ContainsFunc(elems(rec), test) }
	}
	o := namedOperand(name)
	if w.rng.IntN(2) == 0 {
		return modelPred{Contains{o, literal(tb, v)}, anyElem(func(x reflect.Value) bool { return modelCompare(x, v) == 0 })}
	}
	o.Each = true
	switch w.rng.IntN(4) {
	case 0:
		return modelPred{In{o, []Literal{literal(tb, v), literal(tb, v2)}}, anyElem(func(x reflect.Value) bool {
			return modelCompare(x, v) == 0 || modelCompare(x, v2) == 0
		})}
	case 1:
		if name != "Nums" {
			return modelPred{EqualFold{o, literal(tb, v)}, anyElem(func(x reflect.Value) bool { return strings.EqualFold(x.String(), v.String()) })}
		}
	}
	op := []Op{Eq, Lt, Le, Gt, Ge}[w.rng.IntN(5)]
	return modelPred{Cmp{op, o, literal(tb, v)}, anyElem(func(x reflect.Value) bool { return holdsOp(op, modelCompare(x, v)) })}
}

func (w *world) textPred(tb testing.TB) modelPred {
	name := []string{"S", "T", "PS", "N.City", "Raw"}[w.rng.IntN(5)]
	var v reflect.Value
	text := ""
	{
		s := reflect.New(reflect.TypeFor[string]()).Elem()
		w.randomValue(s)
		text = s.String()
		v = s
		if name == "Raw" {
			v = reflect.ValueOf([]byte(text))
		}
	}
	o := namedOperand(name)
	o.Deref = name == "PS"
	get := func(rec modelRecord) (string, bool) {
		switch name {
		case "PS":
			p := rec.val.FieldByName("PS").Interface().(*string)
			if p == nil {
				return "", false
			}
			return *p, true
		case "N.City":
			return rec.val.FieldByName("N").FieldByName("City").String(), true
		case "Raw":
			return string(rec.val.FieldByName("Raw").Bytes()), true
		}
		return rec.val.FieldByName(name).String(), true
	}
	is := func(test func(s string) bool) func(modelRecord) bool {
		return func(rec modelRecord) bool {
			s, ok := get(rec)
			return ok && test(s)
		}
	}
	n := w.rng.IntN(4)
	if name == "Raw" {
		n = 2 + w.rng.IntN(2)
	}
	switch n {
	case 0:
		return modelPred{EqualFold{o, literal(tb, v)}, is(func(s string) bool { return strings.EqualFold(s, text) })}
	case 1:
		return modelPred{Prefix{o, literal(tb, v), true}, is(func(s string) bool {
			return bytes.HasPrefix(codec.Fold(nil, s), codec.Fold(nil, text))
		})}
	case 2:
		return modelPred{Prefix{o, literal(tb, v), false}, is(func(s string) bool { return strings.HasPrefix(s, text) })}
	}
	return modelPred{Substring{o, literal(tb, v)}, is(func(s string) bool { return strings.Contains(s, text) })}
}

// keyValue returns a record's key as the values of its parts.
func (w *world) keyValue(rec modelRecord) []reflect.Value {
	var out []reflect.Value
	for _, p := range w.table.Key.Parts {
		out = append(out, rec.val.FieldByName(p.Name))
	}
	return out
}

func (w *world) keyPred(tb testing.TB) modelPred {
	if len(w.recs) == 0 {
		return modelPred{And{}, func(modelRecord) bool { return true }}
	}
	at := w.recs[w.rng.IntN(len(w.recs))]
	exact, err := w.table.Key.Tuple.AppendExact(nil, at.key)
	if err != nil {
		tb.Fatal(err)
	}
	kt := w.table.Key.Tuple.Base()
	if len(kt.Parts) == 1 {
		kt = kt.Parts[0]
	}
	op := Op(w.rng.IntN(6))
	want := w.keyValue(at)
	return modelPred{Cmp{op, namedOperand("key()"), Literal{Type: &kt, Exact: exact}}, func(rec modelRecord) bool {
		return holdsOp(op, slices.CompareFunc(w.keyValue(rec), want, modelCompare))
	}}
}

// A modelQuery is a random query and its naive answer, in order.
type modelQuery struct {
	q       *Query
	ordered bool
	all     []modelRecord // before limit and offset
}

func (w *world) query(tb testing.TB) modelQuery {
	m := modelQuery{q: &Query{Limit: -1, ByKey: w.rng.IntN(3) == 0}}
	p := modelPred{And{}, func(modelRecord) bool { return true }}
	if w.rng.IntN(10) > 0 {
		p = w.pred(tb, 3)
	}
	m.q.Where = p.expr
	m.ordered = m.q.ByKey
	for _, r := range w.recs {
		if p.ok(r) {
			m.all = append(m.all, r)
		}
	}
	fields := w.fields()
	type modelTerm struct {
		get  func(modelRecord) []reflect.Value
		desc bool
	}
	var terms []modelTerm
	for range max(0, w.rng.IntN(6)-2) {
		f := fields[w.rng.IntN(len(fields))]
		if k := w.table.Key.Parts; w.rng.IntN(4) == 0 {
			name := k[w.rng.IntN(len(k))].Name
			i := slices.IndexFunc(fields, func(f modelField) bool { return f.name == name })
			f = fields[i]
		}
		o, desc := namedOperand(f.name), w.rng.IntN(2) == 0
		get := func(r modelRecord) []reflect.Value { return []reflect.Value{f.get(r.val)} }
		if w.rng.IntN(8) == 0 {
			o, get = namedOperand("key()"), w.keyValue
		}
		m.q.Order = append(m.q.Order, Order{o, desc})
		terms = append(terms, modelTerm{get, desc})
	}
	m.ordered = m.ordered || len(terms) > 0
	sort.SliceStable(m.all, func(i, j int) bool {
		for _, t := range terms {
			if c := slices.CompareFunc(t.get(m.all[i]), t.get(m.all[j]), modelCompare); c != 0 {
				return (c < 0) != t.desc
			}
		}
		return false
	})
	return m
}

// answer runs a query and returns the keys found.
func (w *world) answer(q *Query, want Want) (keys []string, plan *Plan, err error) {
	plan, err = Make(w.table, q, want)
	if err != nil {
		return nil, nil, err
	}
	tx, err := w.kv.Begin(context.Background(), false)
	if err != nil {
		return nil, plan, err
	}
	defer tx.Discard()
	rows := plan.Run(context.Background(), tx)
	defer rows.Close()
	for rows.Next() {
		keys = append(keys, string(rows.Row().Key))
	}
	return keys, plan, rows.Err()
}

func keysOf(recs []modelRecord) []string {
	var out []string
	for _, r := range recs {
		out = append(out, string(r.key))
	}
	return out
}

// window returns what limit and offset leave.
func window(keys []string, limit, offset int) []string {
	keys = keys[min(offset, len(keys)):]
	if limit >= 0 {
		keys = keys[:min(limit, len(keys))]
	}
	return keys
}

// check runs one random query in all ways and compares.
func (w *world) check(t *testing.T) {
	m := w.query(t)
	want := keysOf(m.all)
	fail := func(how string, plan *Plan, got []string, err error) {
		t.Fatalf("%s: %v\ntable\n%v\nquery %v order %v bykey %v limit %d offset %d using %q\nplan\n%v\ngot  %x\nwant %x",
			how, err, w.table, m.q.Where, m.q.Order, m.q.ByKey, m.q.Limit, m.q.Offset, m.q.Using, plan, got, want)
	}
	if w.rng.IntN(2) == 0 {
		m.q.Limit = w.rng.IntN(6)
	}
	if w.rng.IntN(3) == 0 {
		m.q.Offset = w.rng.IntN(4)
	}
	if n := len(w.table.Indexes); n > 0 && w.rng.IntN(4) == 0 {
		m.q.Using = w.table.Indexes[w.rng.IntN(n)].Name
	}
	kind := []WantKind{Records, Records, Keys}[w.rng.IntN(3)]
	got, plan, err := w.answer(m.q, Want{Kind: kind})
	if err != nil {
		if m.q.Using != "" && strings.Contains(err.Error(), "elements") {
			return
		}
		fail("run", plan, got, err)
	}
	expect := window(want, m.q.Limit, m.q.Offset)
	if m.ordered && !slices.Equal(got, expect) || !m.ordered && !subsetOf(got, want, len(expect)) {
		fail("rows", plan, got, nil)
	}
	if again, _, _ := w.answer(m.q, Want{Kind: kind}); !slices.Equal(got, again) {
		fail("not the same again", plan, again, nil)
	}
	w.checkCount(t, m, len(expect), fail)
	w.checkPages(t, m, want, fail)
	w.checkValues(t, m, fail)
	for _, word := range planWords {
		if strings.Contains(plan.String(), word) {
			planSeen[word]++
		}
	}
	if w.rng.IntN(4) == 0 {
		w.checkText(t, m.q, plan)
	}
}

// subsetOf reports whether got is n of the keys in want, each once.
func subsetOf(got, want []string, n int) bool {
	seen := map[string]bool{}
	for _, k := range got {
		if seen[k] || !slices.Contains(want, k) {
			return false
		}
		seen[k] = true
	}
	return len(got) == n
}

func (w *world) checkCount(t *testing.T, m modelQuery, want int, fail func(string, *Plan, []string, error)) {
	plan, err := Make(w.table, m.q, Want{Kind: Count})
	if err != nil {
		fail("count", plan, nil, err)
	}
	tx, err := w.kv.Begin(context.Background(), false)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Discard()
	n, _, err := plan.Count(context.Background(), tx)
	if err != nil || n != want {
		fail(fmt.Sprintf("count is %d", n), plan, nil, err)
	}
}

// planWords are what the plans of the model test should have among them, and
// planSeen how often they had.
var (
	planWords = []string{"get of", "unique get", "key range", "index range", "covering", "union", "one after the other", "merged by",
		"intersection", "full scan", "backwards", "turned round", "sorted by key", "by the entries", "once", "sort", "top", "nothing"}
	planSeen = map[string]int{}
)

// checkValues asks for a field of each record, and compares the parts.
func (w *world) checkValues(t *testing.T, m modelQuery, fail func(string, *Plan, []string, error)) {
	fields := w.fields()
	f := fields[w.rng.IntN(len(fields))]
	o := namedOperand(f.name)
	values := func(rec modelRecord) []string { return []string{string(literal(t, f.get(rec.val)).Exact)} }
	if w.rng.IntN(4) == 0 {
		o = Operand{Field: &Field{Name: "Tags"}, Each: true}
		values = func(rec modelRecord) []string {
			var out []string
			list := rec.val.FieldByName("Tags")
			for i := range list.Len() {
				out = append(out, string(literal(t, list.Index(i)).Exact))
			}
			slices.Sort(out)
			return slices.Compact(out)
		}
	}
	plan, err := Make(w.table, m.q, Want{Values, o})
	if err != nil {
		fail("values", plan, nil, err)
	}
	tx, err := w.kv.Begin(context.Background(), false)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Discard()
	rows := plan.Run(context.Background(), tx)
	defer rows.Close()
	var got, want []string
	for rows.Next() {
		got = append(got, string(rows.Row().Part))
	}
	if !m.ordered && (m.q.Limit >= 0 || m.q.Offset > 0) {
		return // which records, the plan decides
	}
	recs := m.all[min(m.q.Offset, len(m.all)):]
	if m.q.Limit >= 0 {
		recs = recs[:min(m.q.Limit, len(recs))]
	}
	for _, rec := range recs {
		want = append(want, values(rec)...)
	}
	if !m.ordered {
		slices.Sort(got)
		slices.Sort(want)
	}
	if !slices.Equal(got, want) || rows.Err() != nil {
		fail(fmt.Sprintf("values of %v: %x want %x", o, got, want), plan, got, rows.Err())
	}
}

// checkPages pages through a query, forward and then back.
func (w *world) checkPages(t *testing.T, m modelQuery, want []string, fail func(string, *Plan, []string, error)) {
	q := *m.q
	q.Limit, q.Offset = -1, 0
	if !m.ordered {
		q.ByKey = true
		sorted := slices.Clone(want)
		slices.Sort(sorted)
		want = sorted
	}
	size := []int{1, 2, 7}[w.rng.IntN(3)]
	if len(want) > 20*size {
		return
	}
	var got []string
	var last *Position
	q.Limit = size
	for {
		page, _, end := w.page(t, &q, fail)
		got = append(got, page...)
		if end == nil {
			break
		}
		if last, q.After = end, end; len(got) > len(want) {
			break
		}
	}
	if !slices.Equal(got, want) {
		plan, _ := Make(w.table, &q, Want{})
		fail(fmt.Sprintf("pages of %d", size), plan, got, nil)
	}
	q.Backward, q.After = true, last
	got = nil
	for last != nil {
		page, start, _ := w.page(t, &q, fail)
		got = append(got, page...)
		if start == nil {
			break
		}
		start.After = false
		if q.After = start; len(got) > len(want) {
			break
		}
	}
	slices.Reverse(got)
	if last != nil && !slices.Equal(got, want) {
		plan, _ := Make(w.table, &q, Want{})
		fail(fmt.Sprintf("pages of %d backwards", size), plan, got, nil)
	}
}

// page reads one page and returns the positions behind its first and last
// record. It reads backwards in the order of reading.
func (w *world) page(t *testing.T, q *Query, fail func(string, *Plan, []string, error)) (keys []string, start, end *Position) {
	plan, err := Make(w.table, q, Want{})
	if err != nil && q.Using != "" {
		q.Using = "" // it cannot serve the query
		plan, err = Make(w.table, q, Want{})
	}
	if err != nil {
		fail("page", plan, nil, err)
	}
	tx, err := w.kv.Begin(context.Background(), false)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Discard()
	rows := plan.Run(context.Background(), tx)
	defer rows.Close()
	for rows.Next() {
		keys = append(keys, string(rows.Row().Key))
		pos, err := rows.Position()
		if err != nil {
			fail("position", plan, keys, err)
		}
		if pos, err = ParsePosition(AppendPosition(nil, pos)); err != nil {
			t.Fatal(err)
		}
		end = pos
	}
	if rows.Err() != nil {
		fail("page", plan, keys, rows.Err())
	}
	return keys, end, end
}

// checkText prints the predicate and parses it: it must be the same.
func (w *world) checkText(t *testing.T, q *Query, plan *Plan) {
	if strings.Contains(q.Where.String(), "func()") {
		return
	}
	e, err := Parse(q.Where.String(), nil)
	if err != nil {
		t.Fatalf("%v does not parse: %v", q.Where, err)
	}
	again := *q
	again.Where = e
	same, err := Make(w.table, &again, Want{Kind: plan.want.Kind})
	if err != nil {
		t.Fatalf("%v parsed: %v", q.Where, err)
	}
	if same.Shape() != plan.Shape() {
		t.Fatalf("%v parses to another predicate:\n%v\nnot\n%v", q.Where, same.root, plan.root)
	}
}

// rounds multiplies the rounds of random tests.
var theSeed = flag.Uint64("seed", 0, "the only seed of random tests")

var rounds = flag.Int("rounds", 1, "how many times the usual rounds")

func TestModel(t *testing.T) {
	tables, queries := 60, 150
	if testing.Short() {
		tables = 10
	}
	stores := map[string]func(t *testing.T) store.Store{
		"memstore": func(t *testing.T) store.Store { return memstore.New() },
		"badgerstore": func(t *testing.T) store.Store {
			s, err := badgerstore.Open(t.TempDir(), &badgerstore.Options{NoSync: true})
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
	}
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			n := tables
			if name == "badgerstore" {
				n /= 6
			}
			for range n * *rounds {
				seed := rand.Uint64()
				if *theSeed != 0 {
					seed = *theSeed
				}
				t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { modelRound(t, open(t), seed, queries) })
			}
		})
	}
	t.Logf("plans with %v", planSeen)
	for _, word := range planWords {
		if *theSeed == 0 && !testing.Short() && planSeen[word] == 0 {
			t.Errorf("no plan had %q: the test has lost its reach", word)
		}
	}
}

func modelRound(t *testing.T, kv store.Store, seed uint64, queries int) {
	defer kv.Close()
	rng := rand.New(rand.NewPCG(seed, 0))
	w := newWorld(t, rng, kv, []int{0, 1, 5, 40, 300}[rng.IntN(5)])
	for range queries {
		w.check(t)
	}
}
