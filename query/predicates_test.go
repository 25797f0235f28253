package query

import (
	"bytes"
	"cmp"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/reflectx"
	"github.com/kivisdb/kivis/schema"
)

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
		modelField{"N.Deep", func(rec reflect.Value) reflect.Value { return rec.FieldByName("N").FieldByName("Deep") }, reflect.TypeFor[modelNested]().Field(3).Type},
		modelField{"N.Street", func(rec reflect.Value) reflect.Value { return rec.FieldByName("N").FieldByName("Street") }, reflect.TypeFor[string]()},
		modelField{"N.Deep.N", func(rec reflect.Value) reflect.Value {
			return rec.FieldByName("N").FieldByName("Deep").FieldByName("N")
		}, reflect.TypeFor[int16]()},
		modelField{"N.Deep.M", func(rec reflect.Value) reflect.Value {
			return rec.FieldByName("N").FieldByName("Deep").FieldByName("M")
		}, reflect.TypeFor[*string]()})
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
	behind("PN.Street", reflect.TypeFor[string](), func(n *modelNested) any { return n.Street })
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
	case 10:
		return w.nilPred()
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

// twoIndexes returns predicates on the leading parts of two indexes, or the key,
// ranges among them.
func (w *world) twoIndexes(tb testing.TB) modelPred {
	var kids []modelPred
	for range 2 + w.rng.IntN(2) {
		if len(w.recs) == 0 || len(w.table.Indexes) == 0 {
			kids = append(kids, w.indexPred(tb))
			continue
		}
		rec := w.recs[w.rng.IntN(len(w.recs))]
		parts := w.table.Indexes[w.rng.IntN(len(w.table.Indexes))].Parts
		last := 0
		for ; last < len(parts)-1 && w.rng.IntN(2) == 0; last++ {
			kids = append(kids, w.partPred(tb, rec, &parts[last]))
		}
		kids = append(kids, w.rangePred(tb, rec, &parts[last]))
	}
	if w.rng.IntN(4) == 0 {
		kids = append(kids, w.pred(tb, 1))
	}
	var exprs And
	for _, k := range kids {
		exprs = append(exprs, k.expr)
	}
	return modelPred{exprs, func(rec modelRecord) bool {
		return !slices.ContainsFunc(kids, func(k modelPred) bool { return !k.ok(rec) })
	}}
}

// rangePred returns a predicate that bounds one part of an index on one side, or
// on both, to values that the record has or more.
func (w *world) rangePred(tb testing.TB, rec modelRecord, part *schema.Part) modelPred {
	if part.Each || part.Key.Fold || w.rng.IntN(4) == 0 {
		return w.partPred(tb, rec, part)
	}
	fields := w.fields()
	f := fields[slices.IndexFunc(fields, func(f modelField) bool { return f.name == part.Name })]
	v, o := f.get(rec.val), namedOperand(f.name)
	if w.rng.IntN(3) == 0 {
		v2 := w.valueLike(f)
		return modelPred{Between{o, literal(tb, v), literal(tb, v2), false}, func(rec modelRecord) bool {
			return modelCompare(f.get(rec.val), v) >= 0 && modelCompare(f.get(rec.val), v2) <= 0
		}}
	}
	op := []Op{Lt, Le, Gt, Ge}[w.rng.IntN(4)]
	return modelPred{Cmp{op, o, literal(tb, v)}, func(rec modelRecord) bool { return holdsOp(op, modelCompare(f.get(rec.val), v)) }}
}

// partPred returns a predicate on one part of an index, that the record has.
func (w *world) partPred(tb testing.TB, rec modelRecord, part *schema.Part) modelPred {
	if part.Each {
		list := listNamed(part.Name)
		elems := list.elems(rec.val)
		if len(elems) == 0 {
			return w.elementPred(tb)
		}
		v := elems[w.rng.IntN(len(elems))]
		if v.Kind() == reflect.String && w.rng.IntN(3) == 0 {
			o, text := namedOperand(part.Name), w.beginningOf(v.String())
			o.Each = true
			return modelPred{Prefix{o, literal(tb, reflect.ValueOf(text)), false}, func(rec modelRecord) bool {
				return slices.ContainsFunc(list.elems(rec.val), func(x reflect.Value) bool { return strings.HasPrefix(x.String(), text) })
			}}
		}
		return modelPred{Contains{namedOperand(part.Name), literal(tb, v)}, func(rec modelRecord) bool {
			return slices.ContainsFunc(list.elems(rec.val), func(x reflect.Value) bool { return modelCompare(x, v) == 0 })
		}}
	}
	fields := w.fields()
	f := fields[slices.IndexFunc(fields, func(f modelField) bool { return f.name == part.Name })]
	v, o := f.get(rec.val), namedOperand(f.name)
	if f.typ.Kind() == reflect.String && w.rng.IntN(4) == 0 {
		text := w.beginningOf(v.String())
		return modelPred{Prefix{o, literal(tb, reflect.ValueOf(text)), false}, func(rec modelRecord) bool {
			return strings.HasPrefix(f.get(rec.val).String(), text)
		}}
	}
	if part.Key.Fold && f.typ.Kind() == reflect.String && w.rng.IntN(2) == 0 {
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

// beginningOf returns a prefix of s, which may end within a rune, or be all of s.
func (w *world) beginningOf(s string) string { return s[:len(s)-w.rng.IntN(min(len(s), 2)+1)] }

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
	if (o.Deref || canFold(f.typ)) && canFold(v.Type()) && w.rng.IntN(3) == 0 {
		o.Fold = true
	}
	compare := func(x, y reflect.Value) int {
		if o.Fold {
			return modelCompare(foldValue(x), foldValue(y))
		}
		return modelCompare(x, y)
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
			return slices.ContainsFunc(list, func(y reflect.Value) bool { return compare(x, y) == 0 })
		})}
	case 1:
		half := w.rng.IntN(2) == 0
		return modelPred{Between{o, literal(tb, v), literal(tb, v2), half}, is(func(x reflect.Value) bool {
			c := compare(x, v2)
			return compare(x, v) >= 0 && (c < 0 || c == 0 && !half)
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
	return modelPred{Cmp{op, o, literal(tb, v)}, is(func(x reflect.Value) bool { return holdsOp(op, compare(x, v)) })}
}

// canFold reports whether fields of a type have a view without case.
func canFold(t reflect.Type) bool {
	return t == reflect.TypeFor[string]() || t == reflect.TypeFor[*string]()
}

// foldValue returns a string, or what points to one, with its case set aside.
func foldValue(v reflect.Value) reflect.Value {
	if v.Kind() == reflect.String {
		return reflect.ValueOf(string(codec.Fold(nil, v.String())))
	}
	if v.IsNil() {
		return v
	}
	s := string(codec.Fold(nil, v.Elem().String()))
	return reflect.ValueOf(&s)
}

// nilPred returns a predicate that a field, whether or not it has an order, is
// nil or not.
func (w *world) nilPred() modelPred {
	name := []string{"Tags", "Nums", "M", "PN", "PI", "Raw"}[w.rng.IntN(6)]
	is := func(rec modelRecord) bool { return rec.val.FieldByName(name).IsNil() }
	if w.rng.IntN(2) == 0 {
		return modelPred{Not{IsNil{namedOperand(name)}}, func(rec modelRecord) bool { return !is(rec) }}
	}
	return modelPred{IsNil{namedOperand(name)}, is}
}

func (w *world) elementPred(tb testing.TB) modelPred {
	list := modelLists[w.rng.IntN(len(modelLists))]
	v, v2 := reflect.New(list.typ).Elem(), reflect.New(list.typ).Elem()
	w.randomValue(v)
	w.randomValue(v2)
	anyElem := func(test func(x reflect.Value) bool) func(modelRecord) bool {
		return func(rec modelRecord) bool { return slices.ContainsFunc(list.elems(rec.val), test) }
	}
	o := namedOperand(list.name)
	if w.rng.IntN(3) == 0 {
		return modelPred{Contains{o, literal(tb, v)}, anyElem(func(x reflect.Value) bool { return modelCompare(x, v) == 0 })}
	}
	o.Each = true
	pointers := list.typ.Kind() == reflect.Pointer
	if pointers && w.rng.IntN(4) == 0 {
		return modelPred{IsNil{o}, anyElem(reflect.Value.IsNil)}
	}
	deref := pointers && !v.IsNil() && !v2.IsNil() && w.rng.IntN(2) == 0
	if deref {
		o.Deref, v, v2 = true, v.Elem(), v2.Elem()
	}
	is := func(test func(x reflect.Value) bool) func(modelRecord) bool {
		return anyElem(func(x reflect.Value) bool {
			if deref {
				if x.IsNil() {
					return false
				}
				x = x.Elem()
			}
			return test(x)
		})
	}
	switch w.rng.IntN(4) {
	case 0:
		return modelPred{In{o, []Literal{literal(tb, v), literal(tb, v2)}}, is(func(x reflect.Value) bool {
			return modelCompare(x, v) == 0 || modelCompare(x, v2) == 0
		})}
	case 1:
		if v.Kind() == reflect.String {
			return modelPred{EqualFold{o, literal(tb, v)}, is(func(x reflect.Value) bool { return strings.EqualFold(x.String(), v.String()) })}
		}
	}
	op := []Op{Eq, Lt, Le, Gt, Ge}[w.rng.IntN(5)]
	return modelPred{Cmp{op, o, literal(tb, v)}, is(func(x reflect.Value) bool { return holdsOp(op, modelCompare(x, v)) })}
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
