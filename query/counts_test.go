package query

import (
	"context"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/reflectx"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/memstore"
)

// countTx counts what is asked of a transaction.
type countTx struct {
	store.Tx
	gets, scans, seeks, nexts int
	records                   int // values of records read
}

func (c *countTx) Get(key []byte) ([]byte, error) {
	c.gets++
	return c.Tx.Get(key)
}

func (c *countTx) GetMany(keys, values [][]byte) error {
	c.gets += len(keys)
	return c.Tx.GetMany(keys, values)
}

func (c *countTx) Scan(r store.Range) (store.Cursor, error) {
	c.scans++
	cur, err := c.Tx.Scan(r)
	return &countCursor{cur, c}, err
}

type countCursor struct {
	store.Cursor
	of *countTx
}

func (c *countCursor) Next() bool {
	ok := c.Cursor.Next()
	if ok {
		c.of.nexts++
	}
	return ok
}

func (c *countCursor) Seek(key []byte) bool {
	c.of.seeks++
	return c.Cursor.Seek(key)
}

func (c *countCursor) Value() []byte {
	c.of.records++
	return c.Cursor.Value()
}

func (c *countCursor) Keep() []byte {
	c.of.records++
	return c.Cursor.Keep()
}

// flightStore holds n flights: of origin O0 to O9, delays 0 to 99, carriers C0
// to C4, one departing each minute.
func flightStore(tb testing.TB, set *schema.Set, n int) store.Store {
	kv := memstore.New()
	tx, err := kv.Begin(context.Background(), true)
	if err != nil {
		tb.Fatal(err)
	}
	table := set.ByType(reflect.TypeFor[tFlight]())
	began := time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range n {
		f := tFlight{
			ID: uint64(i + 1), Departs: began.Add(time.Duration(i) * time.Minute), Delay: i * 7 % 100, Distance: i % 1000,
			Origin: fmt.Sprint("O", i%10), Destination: fmt.Sprint("D", i%7), Carrier: fmt.Sprint("C", i%5),
		}
		key, err := table.AppendKey(nil, reflectx.To(&f))
		if err != nil {
			tb.Fatal(err)
		}
		storeRecord(tb, tx, table, reflectx.To(&f), key)
	}
	users := set.ByType(reflect.TypeFor[tUser]())
	for i := range n / 10 {
		u := tUser{Tenant: fmt.Sprint("T", i%3), Number: i, Email: fmt.Sprint("u", i), Slug: fmt.Sprint("s", i)}
		key, err := users.AppendKey(nil, reflectx.To(&u))
		if err != nil {
			tb.Fatal(err)
		}
		storeRecord(tb, tx, users, reflectx.To(&u), key)
	}
	if _, err := tx.Commit(); err != nil {
		tb.Fatal(err)
	}
	return kv
}

// TestCounts counts the operations on the store that queries take.
func TestCounts(t *testing.T) {
	set := exampleTables(t)
	kv := flightStore(t, set, 20_000)
	defer kv.Close()
	for _, test := range []struct {
		query                                   string
		rows, scans, nexts, gets, seeks, values int
	}{
		{query: "flights | ID = 7", rows: 1, gets: 1},
		{query: "flights | ID = 7777777", rows: 0, gets: 1},
		{query: "flights | ID in (1, 2, 3)", rows: 3, gets: 3},
		{query: "users | Email = 'u7'", rows: 1, gets: 2},
		{query: "users | Email = 'u7' | keys", rows: 1, gets: 1},
		{query: "users | Tenant = 'T1' and Number = 7", rows: 1, gets: 1},
		{query: "users | key() = ('T1', 7)", rows: 1, gets: 1},
		{query: "flights | Departs = 2001-01-01T01:00:00Z", rows: 1, scans: 1, nexts: 1, gets: 1},
		{query: "flights | Departs = 2000-01-01T01:00:00Z", rows: 0, scans: 1},
		{query: "flights | Delay > 5 and Delay < 3"},
		{query: "flights | Delay > 5 and Delay < 6", rows: 0},
		{query: "flights | Origin = 'O3' | limit 0"},
		{query: "flights | Origin = 'O3' | keys | limit 10", rows: 10, scans: 1, nexts: 10},
		{query: "flights | order Departs | limit 10", rows: 10, scans: 1, nexts: 10, gets: 10},
		{query: "flights | order -Departs | limit 10", rows: 10, scans: 1, nexts: 11, gets: 10},
		{query: "flights | order -Departs, -ID | limit 10", rows: 10, scans: 1, nexts: 10, gets: 10},
		{query: "flights | order -ID | limit 10", rows: 10, scans: 1, nexts: 10, values: 10},
		{query: "flights | order Departs | limit 10 | offset 5", rows: 10, scans: 1, nexts: 15, gets: 10},
		{query: "flights | order -Delay | limit 10", rows: 10, scans: 3, nexts: 129 + 10, gets: 10},
		{query: "flights | Origin = 'O3' and Destination = 'D3' | order Departs | limit 10", rows: 10, scans: 1, nexts: 11, gets: 10},
		{query: "flights | Origin in ('O1', 'O2') | bykey | limit 4", rows: 4, scans: 2, nexts: 5, gets: 4},
		{query: "flights | Origin = 'O3' and ID > 100 and ID < 200 | keys", rows: 10, scans: 1, nexts: 10},
		{query: "flights | Delay = 7 | values Delay", rows: 200, scans: 1, nexts: 200},
		{query: "flights | Delay >= 98 | bykey | limit 10", rows: 10, scans: 1, nexts: 400, gets: 10},
		{query: "flights | Origin = 'O3' or Carrier = 'C1' | keys | limit 10", rows: 10, scans: 2, nexts: 11},
	} {
		tx, err := kv.Begin(context.Background(), false)
		if err != nil {
			t.Fatal(err)
		}
		c := &countTx{Tx: tx}
		table, q, want, err := parseQuery(set, test.query)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := Compile(table, q, want)
		if err != nil {
			t.Fatal(err)
		}
		rows := plan.Run(context.Background(), c)
		n := 0
		for rows.Next() {
			n++
		}
		rows.Close()
		tx.Discard()
		got := [6]int{n, c.scans, c.nexts, c.gets, c.seeks, c.records}
		if want := [6]int{test.rows, test.scans, test.nexts, test.gets, test.seeks, test.values}; got != want || rows.Err() != nil {
			t.Errorf("%s: rows, scans, nexts, gets, seeks, values = %v, want %v (%v)\n%v", test.query, got, want, rows.Err(), plan)
		}
	}
}

// TestCountCounts counts what a covering count reads: entries, and no record.
func TestCountCounts(t *testing.T) {
	set := exampleTables(t)
	kv := flightStore(t, set, 20_000)
	defer kv.Close()
	for _, test := range []struct {
		query string
		want  int
	}{
		{"flights | Origin = 'O3' | count", 2000},
		{"flights | Delay < 50 | count", 10_000},
		{"flights | count", 20_000},
		{"flights | Origin = 'O3' and Carrier = 'C3' | count", 2000},
		{"flights | Origin = 'O3' and Destination = 'D3' | count", 286},
		{"flights | Destination = 'D3' | count", 2857},
		{"flights | Origin = 'O3' or Carrier = 'C4' | count", 6000},
	} {
		tx, err := kv.Begin(context.Background(), false)
		if err != nil {
			t.Fatal(err)
		}
		c := &countTx{Tx: tx}
		table, q, want, err := parseQuery(set, test.query)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := Compile(table, q, want)
		if err != nil {
			t.Fatal(err)
		}
		n, stats, err := plan.Count(context.Background(), c)
		tx.Discard()
		if n != test.want || err != nil || c.gets+c.records > 0 {
			t.Errorf("%s = %d (%v), want %d; %d gets and %d values of records, want none (%+v)\n%v", test.query, n, err, test.want, c.gets, c.records, stats, plan)
		}
	}
}

// TestIntersectionSeeks shows that an intersection leaps over what the other
// index does not have.
func TestIntersectionSeeks(t *testing.T) {
	set := exampleTables(t)
	kv := flightStore(t, set, 20_000)
	defer kv.Close()
	tx, err := kv.Begin(context.Background(), false)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Discard()
	c := &countTx{Tx: tx}
	table, q, want, err := parseQuery(set, "flights | Delay = 7 and Origin = 'O1' | keys")
	if err != nil {
		t.Fatal(err)
	}
	plan, err := Compile(table, q, want)
	if err != nil {
		t.Fatal(err)
	}
	rows := plan.Run(context.Background(), c)
	n := 0
	for rows.Next() {
		n++
	}
	if n != 200 || c.seeks+c.nexts > 1700 {
		t.Errorf("%d rows by %d seeks and %d steps, want 200 rows by no more than 1,700\n%v", n, c.seeks, c.nexts, plan)
	}
}

// TestLimitInIndexOrder takes ten out of a million entries of an index, and
// reads about ten.
func TestLimitInIndexOrder(t *testing.T) {
	if testing.Short() {
		t.Skip("a million entries take a while")
	}
	set := exampleTables(t)
	kv := flightStore(t, set, 20)
	defer kv.Close()
	tx := begin(t, kv, true)
	table := set.ByName("flights")
	departs := table.Index("Departs")
	began := time.Date(2002, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 1_000_000 {
		key, err := codec.AppendTime(table.Prefix(departs.ID), began.Add(time.Duration(i)*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		if err := tx.Set(codec.AppendUint(key, uint64(100+i)), nil); err != nil {
			t.Fatal(err)
		}
	}
	for text, most := range map[string]int{
		"flights | order Departs | limit 10":                                     10,
		"flights | Departs >= 2001-01-01 | order Departs | limit 10":             10,
		"flights | order -Departs | keys | limit 10":                             11,
		"flights | Departs > 2002-01-03 | order -Departs | keys | limit 10":      11,
		"flights | Departs > 2002-01-03 | order -Departs, -ID | keys | limit 10": 10,
	} {
		rows := mustPlan(t, set, text).Run(context.Background(), tx)
		n := 0
		for rows.Next() {
			n++
		}
		if s := rows.Stats(); n != 10 || rows.Err() != nil || s.Entries > most || s.Records > 10 {
			t.Errorf("%s: %d rows (%v), %+v read", text, n, rows.Err(), s)
		}
	}
}
