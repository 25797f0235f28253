package query

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/reflectx"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// mustPlan plans a query of the golden files' language.
func mustPlan(tb testing.TB, set *schema.Set, text string) *Plan {
	tb.Helper()
	table, q, want, err := parseQuery(set, text)
	if err != nil {
		tb.Fatal(err)
	}
	plan, err := Compile(table, q, want)
	if err != nil {
		tb.Fatal(err)
	}
	return plan
}

func begin(tb testing.TB, kv store.Store, write bool) store.Tx {
	tb.Helper()
	tx, err := kv.Begin(context.Background(), write)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(tx.Discard)
	return tx
}

// TestComplexity shows that what is too much to plan is refused, and soon.
func TestComplexity(t *testing.T) {
	set := exampleTables(t)
	table := set.ByName("flights")
	kt := codec.KeyType{Kind: codec.Int}
	cmp := func(i int) Expr {
		return Cmp{Eq, namedOperand([]string{"Delay", "Distance"}[i%2]), Literal{Type: &kt, Exact: codec.AppendInt(nil, int64(i))}}
	}
	var many, deep, wide Expr
	var list And
	for i := range maxExprs + 1 {
		list = append(list, cmp(i))
	}
	many, deep = list, cmp(0)
	for range maxDepth + 1 {
		deep = Not{deep}
	}
	var both And
	for i := range 40 {
		both = append(both, Or{cmp(2 * i), cmp(2*i + 1)})
	}
	wide = both // 2^40 alternatives
	values := In{Field: namedOperand("Delay")}
	for i := range maxValues + 1 {
		values.Values = append(values.Values, Literal{Type: &kt, Exact: codec.AppendInt(nil, int64(i))})
	}
	for name, test := range map[string]struct {
		where Expr
		err   error
	}{
		"many": {many, ErrTooComplex}, "deep": {deep, ErrTooComplex}, "wide": {wide, nil}, "values": {values, ErrTooComplex},
		"not too many": {list[:maxExprs-1], nil},
	} {
		began := time.Now()
		_, err := Compile(table, &Query{Where: test.where, Limit: -1}, Want{})
		if !errors.Is(err, test.err) || (err != nil) != (test.err != nil) {
			t.Errorf("%s: %v, want %v", name, err, test.err)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("%s: planning took %v", name, took)
		}
	}
}

// TestPlanIsPure plans and runs without a change of the query, and the same
// each time.
func TestPlanIsPure(t *testing.T) {
	set := exampleTables(t)
	for _, text := range []string{
		"flights | Origin in ('ORD', 'JFK') and Destination = 'LAX' or Delay > 5 | order -Departs, ID | limit 10",
		"posts | any(Tags) in ('b', 'a') | order key()", "users | key() in (('b', 1), ('a', 2))",
	} {
		table, q, want, err := parseQuery(set, text)
		if err != nil {
			t.Fatal(err)
		}
		before := fmt.Sprint(q.Where, q.Order)
		first, err := Compile(table, q, want)
		if err != nil {
			t.Fatal(err)
		}
		for range 10 {
			again, err := Compile(table, q, want)
			if err != nil || again.String() != first.String() || again.Shape() != first.Shape() {
				t.Errorf("%s is planned otherwise: %v (%v)", text, again, err)
			}
		}
		if after := fmt.Sprint(q.Where, q.Order); after != before {
			t.Errorf("planning changed the query to %s", after)
		}
	}
}

// TestShapes tells queries apart, and not by what does not count.
func TestShapes(t *testing.T) {
	set := exampleTables(t)
	same := [][]string{
		{"flights | Delay > 5", "flights | Delay > 5 | limit 3 | offset 2", "flights | delay > 5 | using Carrier", "flights | not (Delay <= 5)", "flights | Delay > 5 | keys"},
		{"flights | Delay > 6"}, {"flights | Delay >= 5"}, {"flights | Distance > 5"}, {"users | Number > 5"}, {"flights"}, {"users"},
		{"flights | Delay > 5 | order Departs"}, {"flights | Delay > 5 | order -Departs"},
		{"flights | Delay > 5 | order Departs, Delay"}, {"flights | Origin = 'a' and Carrier = 'b'"}, {"flights | Origin = 'a' or Carrier = 'b'"},
		{"airports | Name prefix 'a'"}, {"airports | fold(Name) prefix 'A'"}, {"airports | Name contains 'a'"},
	}
	seen := map[[32]byte]string{}
	for _, group := range same {
		shape := mustPlan(t, set, group[0]).Shape()
		if other := seen[shape]; other != "" {
			t.Errorf("%s has the shape of %s", group[0], other)
		}
		seen[shape] = group[0]
		for _, text := range group[1:] {
			if mustPlan(t, set, text).Shape() != shape {
				t.Errorf("%s has another shape than %s", text, group[0])
			}
		}
	}
}

func TestPositionBytes(t *testing.T) {
	for _, p := range []*Position{
		{}, {After: true, Key: []byte("k")}, {Parts: [][]byte{{}, []byte("abc")}, Key: []byte("key")},
	} {
		b := AppendPosition([]byte("x"), p)[1:]
		got, err := ParsePosition(b)
		if err != nil || got.After != p.After || string(got.Key) != string(p.Key) || len(got.Parts) != len(p.Parts) {
			t.Errorf("%v comes back as %v (%v)", p, got, err)
		}
	}
	for _, bad := range []string{"", "\x00", "\x02\x00", "\x00\x01", "\x00\x01\x05abc", "\x00\xff\x00"} {
		if _, err := ParsePosition([]byte(bad)); err == nil {
			t.Errorf("%q is a position", bad)
		}
	}
}

// TestContext ends a query soon after its context has ended.
func TestContext(t *testing.T) {
	set := exampleTables(t)
	kv := flightStore(t, set, 5000)
	defer kv.Close()
	for _, text := range []string{
		"flights | Distance = -1", "flights | order Distance", "flights | Delay >= 0 | keys", "flights | Origin = 'O1' or Carrier = 'C1' | order Distance",
		"flights | Origin = 'O1' and Carrier = 'C1' | keys", "flights | order -Delay",
		"flights | Delay > 20 and Departs > 2001-01-01",
	} {
		ctx, cancel := context.WithCancel(context.Background())
		rows := mustPlan(t, set, text).Run(ctx, begin(t, kv, false))
		cancel()
		n := 0
		for rows.Next() {
			n++
		}
		if !errors.Is(rows.Err(), context.Canceled) || rows.Stats().Entries+rows.Stats().Records > 300 {
			t.Errorf("%s: %d rows, %+v read after the end of the context, %v", text, n, rows.Stats(), rows.Err())
		}
	}
}

// TestSortLimit fails a query that would sort too much, and not one with a
// limit.
func TestSortLimit(t *testing.T) {
	type big struct {
		ID   int `kivis:"key"`
		N    int
		Data string
	}
	set := testTables(t, reflect.TypeFor[big]())
	table := set.ByType(reflect.TypeFor[big]())
	kv := flightStore(t, exampleTables(t), 0)
	defer kv.Close()
	tx := begin(t, kv, true)
	data := strings.Repeat("x", 1<<20)
	for i := range 130 {
		rec := big{i, i * 37 % 130, data}
		key, err := table.AppendKey(nil, reflectx.To(&rec))
		if err != nil {
			t.Fatal(err)
		}
		storeRecord(t, tx, table, reflectx.To(&rec), key)
	}
	for _, test := range []struct {
		text string
		err  error
		rows int
	}{
		{"big | order N", ErrSortTooLarge, 0}, {"big | order N | limit 20", nil, 20}, {"big | order N | limit 130", nil, 130},
		{"big | order N | limit 2000000", ErrSortTooLarge, 0}, {"big | order N | keys", nil, 130}, {"big | order ID", nil, 130},
	} {
		rows := mustPlan(t, set, test.text).Run(context.Background(), tx)
		n := 0
		for rows.Next() {
			n++
		}
		if !errors.Is(rows.Err(), test.err) || n != test.rows {
			t.Errorf("%s: %d rows, %v; want %d, %v", test.text, n, rows.Err(), test.rows, test.err)
		}
	}
}

// TestFreeze writes while rows are read: they go on as they were.
func TestFreeze(t *testing.T) {
	set := exampleTables(t)
	for _, text := range []string{
		"flights | Origin = 'O1'", "flights | Origin in ('O1', 'O2') | order Delay", "flights | order -Delay", "flights | Delay > 20",
		"flights | Origin = 'O1' or Carrier = 'C2'", "flights | Origin = 'O1' | keys", "flights | ID in (1, 5, 9, 11)", "flights | Origin = 'O1' | values Delay",
		"flights | Delay > 20 and Departs > 2001-01-01T01:00:00Z", "flights | Delay > 20 and Departs > 2001-01-01T08:00:00Z", "flights | Delay > 20 and Origin = 'O1'",
	} {
		kv := flightStore(t, set, 500)
		plan := mustPlan(t, set, text)
		var want, got []string
		rows := plan.Run(context.Background(), begin(t, kv, false))
		for rows.Next() {
			want = append(want, rowText(rows.Row()))
		}
		tx := begin(t, kv, true)
		rows = plan.Run(context.Background(), tx)
		for rows.Next() {
			got = append(got, rowText(rows.Row()))
			if len(got) == 2 {
				rows.Freeze()
				for _, space := range append([]uint32{0}, indexIDs(plan.table)...) {
					emptySpace(t, tx, plan.table.Prefix(space))
				}
			}
		}
		if rows.Err() != nil || !slices.Equal(got, want) || len(want) < 3 {
			t.Errorf("%s: %d rows where all was deleted after two, %d where not (%v)", text, len(got), len(want), rows.Err())
		}
		kv.Close()
	}
}

func rowText(r *Row) string { return fmt.Sprintf("%x %x %x", r.Key, r.Body, r.Part) }

func indexIDs(table *schema.Table) (ids []uint32) {
	for _, x := range table.Indexes {
		ids = append(ids, x.ID)
	}
	return ids
}

func emptySpace(t *testing.T, tx store.Tx, prefix []byte) {
	c, err := tx.Scan(store.Range{Lo: prefix, Hi: codec.PrefixEnd(prefix), KeysOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	var keys [][]byte
	for c.Next() {
		keys = append(keys, slices.Clone(c.Key()))
	}
	c.Close()
	for _, k := range keys {
		if err := tx.Delete(k); err != nil {
			t.Fatal(err)
		}
	}
}

// TestDamage damages records and entries: queries report it, and name what is
// damaged.
func TestDamage(t *testing.T) {
	set := exampleTables(t)
	table := set.ByName("flights")
	recordKey := func(id uint64) []byte { return codec.AppendUint(slices.Clone(table.Prefix(0)), id) }
	origin := table.Index("Origin")
	entry := func(tail string) []byte {
		return append(codec.AppendString(slices.Clone(table.Prefix(origin.ID)), "O1"), tail...)
	}
	for name, test := range map[string]struct {
		key, value []byte
		text       string
	}{
		"a record's byte":          {recordKey(2), []byte{1, 1, 0xc0, 1, 2, 3, 4}, "flights | Origin = 'O1'"},
		"in a scan":                {recordKey(2), []byte{}, "flights"},
		"behind a filter":          {recordKey(2), []byte{1, 1}, "flights | Distance > 5"},
		"in a sort":                {recordKey(2), []byte{1, 1}, "flights | order Distance | keys"},
		"by key":                   {recordKey(2), []byte{9}, "flights | ID = 2"},
		"an entry of no record":    {entry("\xf1\xff\xff\x01"), []byte{}, "flights | Origin = 'O1'"},
		"an entry that is cut off": {append(slices.Clone(table.Prefix(table.Index("Delay").ID)), 0xf5), []byte{}, "flights | Delay > 5 | keys"},
	} {
		kv := flightStore(t, set, 100)
		tx := begin(t, kv, true)
		if err := tx.Set(test.key, test.value); err != nil {
			t.Fatal(err)
		}
		rows := mustPlan(t, set, test.text).Run(context.Background(), tx)
		for rows.Next() {
			continue
		}
		var d *record.CorruptError
		if !errors.As(rows.Err(), &d) || !errors.Is(rows.Err(), codec.ErrCorrupt) || d.Table != table {
			t.Errorf("%s: %v", name, rows.Err())
		}
		kv.Close()
	}
}

// TestValuesOfPointers asks for what pointers point to: nils are left out, by
// the entries of an index, by records, and before a limit.
func TestValuesOfPointers(t *testing.T) {
	type rec struct {
		ID   int  `kivis:"key"`
		Gate *int `kivis:"index"`
		Row  *int
		List []*int
	}
	set := testTables(t, reflect.TypeFor[rec]())
	table := set.ByType(reflect.TypeFor[rec]())
	kv := flightStore(t, exampleTables(t), 0)
	defer kv.Close()
	tx := begin(t, kv, true)
	one, two := 1, 2
	for i, r := range []rec{{List: []*int{nil, &two, &one}}, {Gate: &two, Row: &one}, {List: []*int{nil}}, {Gate: &one, Row: &two}, {Gate: &one}} {
		r.ID = i
		key, err := table.AppendKey(nil, reflectx.To(&r))
		if err != nil {
			t.Fatal(err)
		}
		storeRecord(t, tx, table, reflectx.To(&r), key)
	}
	int1, int2 := string(codec.AppendInt(nil, 1)), string(codec.AppendInt(nil, 2))
	tests := []struct {
		name string
		of   Operand
		q    Query
		want []string
	}{
		{"through the index", Operand{Field: &Field{Name: "Gate"}, Deref: true}, Query{Limit: -1}, []string{int1, int1, int2}},
		{"in key order", Operand{Field: &Field{Name: "Gate"}, Deref: true}, Query{ByKey: true, Limit: -1}, []string{int2, int1, int1}},
		{"of records", Operand{Field: &Field{Name: "Row"}, Deref: true}, Query{ByKey: true, Limit: -1}, []string{int1, int2}},
		{"before a limit", Operand{Field: &Field{Name: "Row"}, Deref: true}, Query{ByKey: true, Limit: 1}, []string{int1}},
		{"of elements", Operand{Field: &Field{Name: "List"}, Deref: true, Each: true}, Query{ByKey: true, Limit: -1}, []string{int1, int2}},
		{"with nils", Operand{Field: &Field{Name: "Row"}}, Query{ByKey: true, Limit: 2}, []string{"\x00", "\x01" + int1}},
	}
	for _, tt := range tests {
		plan, err := Compile(table, &tt.q, Want{Kind: Values, Value: tt.of})
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		var got []string
		rows := plan.Run(context.Background(), tx)
		for rows.Next() {
			got = append(got, string(rows.Row().Part))
		}
		if !slices.Equal(got, tt.want) || rows.Err() != nil {
			t.Errorf("%s: %q, %v, want %q", tt.name, got, rows.Err(), tt.want)
		}
		rows.Release()
	}
	if _, err := Compile(table, &Query{Limit: -1}, Want{Kind: Values, Value: Operand{Field: &Field{Name: "List"}}}); err == nil {
		t.Error("the values of a field without an order have no error")
	}
}
