package query

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/internal/testform"
	"github.com/kivisdb/kivis/reflectx"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/memstore"
)

// TestSiftModel asks random queries that bound two indexes or more, and compares
// with a naive filter.
func TestSiftModel(t *testing.T) {
	tables := testform.Of(20, 20, 60)
	clear(lookSeen[:])
	for range tables * *rounds {
		seed := rand.Uint64()
		if *theSeed != 0 {
			seed = *theSeed
		}
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			rng, kv := rand.New(rand.NewPCG(seed, 0)), memstore.New()
			defer kv.Close()
			w := newWorld(t, rng, kv, 300)
			w.ranged = true
			w.checkAll(t, 100)
		})
	}
	t.Logf("looks chose %v", lookSeen)
	for choice, n := range lookSeen {
		if *theSeed == 0 && n == 0 {
			t.Errorf("no look chose %d: the test has lost its reach", choice)
		}
	}
}

// A tPair has two fields in an order of their own each, and one that puts it in a
// group of twice as many as the one before.
type tPair struct {
	_   struct{} `kivis:"table=pairs,index=ac(A,C),index=eca(E,C,A)"`
	ID  uint64   `kivis:"key"`
	Sub int      `kivis:"key"`
	A   int      `kivis:"index"`
	B   int      `kivis:"index,desc"`
	C   int
	E   int  `kivis:"index"`
	F   *int `kivis:"index"`
}

// pairStore returns a store in memory with n pairs.
func pairStore(tb testing.TB, n int) (*schema.Set, store.Store) {
	kv := memstore.New()
	return fillPairs(tb, kv, n), kv
}

// fillPairs stores n pairs: A and B are permutations of the numbers below n, E has
// 2^k pairs with the value k, F is a tenth of B, or nil where C is 0.
func fillPairs(tb testing.TB, kv store.Store, n int) *schema.Set {
	set := testTables(tb, reflect.TypeFor[tPair]())
	table := set.ByName("pairs")
	a, b := rand.New(rand.NewPCG(1, 2)).Perm(n), rand.New(rand.NewPCG(3, 4)).Perm(n)
	e := rand.New(rand.NewPCG(5, 6)).Perm(n)
	var tx store.Tx
	for i := range n {
		if i%10_000 == 0 {
			tx = begin(tb, kv, true)
		}
		rec := tPair{ID: uint64(i + 1), Sub: i % 3, A: a[i], B: b[i], C: i % 10, E: bits.Len(uint(e[i]+1)) - 1}
		if tenth := b[i] / 10; rec.C > 0 {
			rec.F = &tenth
		}
		key, err := table.AppendKey(nil, reflectx.To(&rec))
		if err != nil {
			tb.Fatal(err)
		}
		storeRecord(tb, tx, table, reflectx.To(&rec), key)
		if i%10_000 != 9_999 && i != n-1 {
			continue
		}
		if _, err := tx.Commit(); err != nil {
			tb.Fatal(err)
		}
	}
	return set
}

// costs runs a query, by the index named where there is one, and returns what it
// has read and its rows, having compared the one with what the store was asked.
func costs(t *testing.T, set *schema.Set, kv store.Store, text, using string) (Stats, []string) {
	t.Helper()
	table, q, want, err := parseQuery(set, text)
	if err != nil {
		t.Fatal(err)
	}
	q.Using = using
	plan, err := Compile(table, q, want)
	if err != nil {
		t.Fatal(err)
	}
	tx, err := kv.Begin(context.Background(), false)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Discard()
	c := &countTx{Tx: tx}
	rows := plan.Run(context.Background(), c)
	var out []string
	for rows.Next() {
		out = append(out, rowText(rows.Row()))
	}
	if rows.Err() != nil {
		t.Fatalf("%s: %v", text, rows.Err())
	}
	s := rows.Stats()
	rows.Release()
	if s.Entries > c.nexts+c.seeks || s.Entries < c.nexts || s.Records != c.gets {
		t.Errorf("%s: %+v, but %d steps, %d seeks and %d gets", text, s, c.nexts, c.seeks, c.gets)
	}
	return s, out
}

// TestSiftBound holds that a look at two indexes costs little, whatever the sizes
// of their ranges: no more records than the better one by itself, and no more
// entries than that needs of both, a record counting as ten entries.
func TestSiftBound(t *testing.T) {
	n, queries := testform.Of(8_000, 15_000, 30_000), testform.Of(120, 250, 600)
	set, kv := pairStore(t, n)
	defer kv.Close()
	defer func(was siftLimits) { sifting = was }(sifting)
	seed := rand.Uint64()
	if *theSeed != 0 {
		seed = *theSeed
	}
	rng := rand.New(rand.NewPCG(seed, 0))
	size := func() int { return int(math.Exp(rng.Float64() * math.Log(float64(n)))) }
	var worst, gain float64
	var seen [BothIndexes + 1]int
	for range queries {
		first, index := fmt.Sprintf("A < %d", size()), "A"
		if rng.IntN(2) == 0 {
			first, index = fmt.Sprintf("E = %d", rng.IntN(bits.Len(uint(n)))), "E"
		}
		second, other := fmt.Sprintf("B >= %d", n-size()), "B"
		if rng.IntN(4) == 0 {
			second, other = fmt.Sprintf("F > %d", (n-size())/10), "F"
		}
		text := fmt.Sprintf("pairs | %s and %s", first, second)
		third := "F"
		text += []string{"", "", " and C < 9", " and Sub != 1"}[rng.IntN(4)]
		if third != other && rng.IntN(3) == 0 {
			text += fmt.Sprintf(" and F > %d", (n-size())/10)
		} else {
			third = other
		}
		text += []string{"", " | keys", " | count", " | bykey", " | bykey | back", " | order A", " | order -B", " | order -A", " | order Sub, -A"}[rng.IntN(9)]
		limited := strings.Contains(text, "order") && rng.IntN(3) == 0
		if sifting.few = 1024; limited {
			sifting.few = 0
			text += fmt.Sprintf(" | limit %d | offset %d", 1+rng.IntN(300), rng.IntN(3))
		}
		one, want := costs(t, set, kv, text, index)
		two, _ := costs(t, set, kv, text, other)
		got, rows := costs(t, set, kv, text, "")
		if !strings.Contains(text, "order") && !strings.Contains(text, "bykey") {
			slices.Sort(want)
			slices.Sort(rows)
		}
		if !slices.Equal(rows, want) {
			t.Fatalf("seed %d: %s: %d rows, want %d", seed, text, len(rows), len(want))
		}
		if limited {
			continue // one index may end soon
		}
		three, _ := costs(t, set, kv, text, third)
		better := slices.MinFunc([]Stats{one, two, three}, func(a, b Stats) int { return costOf(a) - costOf(b) })
		few := sifting.alone + 2*fetchCost
		if got.Records > better.Records+sifting.alone || got.Entries > costOf(better)+few {
			t.Errorf("seed %d: %s: %+v, the better index alone %+v", seed, text, got, better)
		}
		if cost := costOf(better); cost > 20*few {
			worst = max(worst, float64(costOf(got))/float64(cost))
			gain = max(gain, float64(cost)/float64(costOf(got)))
		}
		seen[got.Look.Choice]++
	}
	t.Logf("looks chose %v; they cost at most %.2f of the better index, at least %.2f", seen, worst, 1/gain)
	if worst > 1.4 {
		t.Errorf("seed %d: a look made a query cost %.2f times as much", seed, worst)
	}
	for choice, n := range seen {
		if n == 0 && testform.Of(false, true, true) {
			t.Errorf("seed %d: no look chose %d: the test has lost its reach", seed, choice)
		}
	}
}

// costOf is what is read, in entries.
func costOf(s Stats) int { return s.Entries + fetchCost*s.Records }

// TestSiftChoices shows which way is taken for ranges of several sizes, and how many
// records are read by it.
func TestSiftChoices(t *testing.T) {
	set, kv := pairStore(t, 20_000)
	defer kv.Close()
	for _, test := range []struct {
		query            string
		bytes            int // may be held; 0: as always
		choice           LookChoice
		entries, records int // at most
	}{
		{"A < 250 and B >= 100 | count", 0, NotLooked, 250, 250},
		{"A < 2500 and B >= 18000 | limit 10", 0, NotLooked, 300, 300},
		{"A < 2500 and B >= 18000 | bykey | limit 10", 0, BothIndexes, 5000, 350},
		{"A < 2500 and B >= 18000 | count", 0, BothIndexes, 5000, 0},
		{"A < 2500 and B >= 18000 | keys", 0, BothIndexes, 5000, 0},
		{"A < 2500 and B >= 18000 | values A", 0, BothIndexes, 5000, 0},
		{"A < 2500 and B >= 18000 | values B", 0, BothIndexes, 5000, 350},
		{"A < 2500 and B >= 18000 and ID != 7 | count", 0, BothIndexes, 5000, 0},
		{"A < 2500 and B >= 18000 and C < 4 | count", 0, BothIndexes, 5000, 350},
		{"A < 2500 and B >= 18000 | order -A", 0, BothIndexes, 5000, 350},
		{"A < 2500 and B >= 18000 | order C, B", 0, BothIndexes, 5000, 350},
		{"A < 2500 and B >= 18000 | count", 10_000, FirstAlone, 3700, 3000},
		{"A < 18000 and B >= 19900 | count", 0, OtherAlone, 500, 100},
		{"A < 18000 and B >= 19900 | order A, B", 0, OtherAlone, 500, 100},
		{"A < 18000 and B >= 19900 | order -A | limit 2000", 0, OtherAlone, 500, 100},
		{"A < 18000 and B >= 19900 | values A", 0, OtherAlone, 500, 100},
		{"A < 300 and B >= 1000 | count", 0, FirstAlone, 1000, 300},
		{"A < 18000 and B >= 19900 | order A | limit 20", 0, NotLooked, 5000, 5000},
		{"E = 13 and B >= 19900 | count", 0, BothIndexes, 460, 0},
		{"E = 13 and B >= 15000 | count", 0, BothIndexes, 14_000, 0},
		{"E = 13 and B >= 15000", 0, BothIndexes, 14_000, 2200},
		{"E = 10 and B >= 200", 0, FirstAlone, 3100, 1024},
		{"E = 13 and F >= 1990 | count", 0, BothIndexes, 460, 0},
		{"E = 13 and F = nil | keys", 0, NotLooked, 10_200, 0}, // both have one value: they are in key order
		{"E = 13 and F = nil and A < 100 | keys", 0, OtherAlone, 1500, 100},
		{"E = 13 and F = nil and A < 2000", 0, BothIndexes, 15_000, 100},
		{"E = 13 and B >= 15000 | bykey | back", 0, BothIndexes, 14_000, 2200},
		{"E = 13 and Sub = 1 and B >= 19000 | count", 0, BothIndexes, 3000, 0},
		{"E = 13 and C < 9 and B >= 15000 | order A | keys", 0, BothIndexes, 17_000, 0},
		{"E = 13 and B >= 30000", 0, BothIndexes, 256, 0},
		{"E = 13 and B >= 19800 and C < 5 | count", 0, OtherAlone, 900, 200},
		{"E = 10 and B >= 19200 and C < 5 | count", 0, BothIndexes, 3000, 0},
	} {
		text := "pairs | " + test.query
		was := sifting
		if test.bytes > 0 {
			sifting.bytes = test.bytes
		}
		s, _ := costs(t, set, kv, text, "")
		sifting = was
		if s.Look.Choice != test.choice || s.Entries > test.entries || s.Records > test.records {
			t.Errorf("%s: %+v; want choice %d, %d entries and %d records at most\n%v", text, s, test.choice, test.entries, test.records, mustPlan(t, set, text))
		}
	}
}

// failTx fails some step of a cursor, or a read.
type failTx struct {
	store.Tx
	left int
}

var errFail = errors.New("on purpose")

func (f *failTx) fails() bool {
	f.left--
	return f.left < 0
}

func (f *failTx) GetMany(keys, values [][]byte) error {
	if f.fails() {
		return errFail
	}
	return f.Tx.GetMany(keys, values)
}

func (f *failTx) Scan(r store.Range) (store.Cursor, error) {
	if f.fails() {
		return nil, errFail
	}
	cur, err := f.Tx.Scan(r)
	return &failCursor{cur, f, nil}, err
}

type failCursor struct {
	store.Cursor
	of  *failTx
	err error
}

func (c *failCursor) Next() bool {
	if c.of.fails() {
		c.err = errFail
		return false
	}
	return c.Cursor.Next()
}

func (c *failCursor) Seek(key []byte) bool {
	if c.of.fails() {
		c.err = errFail
		return false
	}
	return c.Cursor.Seek(key)
}

func (c *failCursor) Err() error {
	if c.err != nil {
		return c.err
	}
	return c.Cursor.Err()
}

// TestSiftFaults fails each operation of the store: what is found then ends in the
// error, and is never taken for all there is.
func TestSiftFaults(t *testing.T) {
	set, kv := pairStore(t, 500)
	defer kv.Close()
	defer func(was siftLimits) { sifting = was }(sifting)
	sifting.alone = 5
	for _, text := range []string{
		"pairs | A < 60 and B >= 450 | keys", "pairs | A < 400 and B >= 480", "pairs | A < 20 and B >= 10", "pairs | E = 7 and B >= 480 | keys",
		"pairs | E = 7 and B >= 400 | bykey",
	} {
		plan, tx := mustPlan(t, set, text), begin(t, kv, false)
		for n := 0; ; n++ {
			f := &failTx{tx, n}
			rows := plan.Run(context.Background(), f)
			for rows.Next() {
				continue
			}
			if f.left >= 0 {
				if rows.Err() != nil || n < 50 {
					t.Errorf("%s: %v after %d operations", text, rows.Err(), n)
				}
				break
			}
			if !errors.Is(rows.Err(), errFail) {
				t.Fatalf("%s: %v where operation %d fails", text, rows.Err(), n)
			}
		}
	}
}

// TestSiftDamage says which index has an entry of a record that is not there.
func TestSiftDamage(t *testing.T) {
	set, kv := pairStore(t, 2000)
	defer kv.Close()
	tx := begin(t, kv, true)
	table := set.ByName("pairs")
	rows := mustPlan(t, set, "pairs | B >= 1990 and A < 1900 | keys").Run(context.Background(), tx)
	if !rows.Next() {
		t.Fatal(rows.Err())
	}
	key := slices.Concat(table.Prefix(0), rows.Row().Key)
	rows.Close()
	if err := tx.Delete(key); err != nil {
		t.Fatal(err)
	}
	for index, text := range map[string]string{"B": "pairs | A < 1900 and B >= 1990", "A": "pairs | A < 1900 and B >= 500"} {
		rows := mustPlan(t, set, text).Run(context.Background(), tx)
		for rows.Next() {
			continue
		}
		var corrupt *record.CorruptError
		if !errors.As(rows.Err(), &corrupt) || corrupt.Index != index {
			t.Errorf("%s: %v (%+v), want an error of the index %s", text, rows.Err(), rows.Stats(), index)
		}
	}
}

// TestSiftText shows what Explain and Analyze say.
func TestSiftText(t *testing.T) {
	set, kv := pairStore(t, 2000)
	defer kv.Close()
	for text, want := range map[string][]string{
		"pairs | A < 300 and B >= 1800 | count": {
			"sieve   index range on pairs.B(-B) where B >= 1800, if a look says so", "looked  at 300 entries of pairs.A, 200 of pairs.B(-B): what pairs.A and pairs.B(-B) have"},
		"pairs | A < 1900 and B >= 1990":            {"of pairs.A, 10 of pairs.B(-B): pairs.B(-B) alone"},
		"pairs | A < 290 and B >= 10":               {"looked  at 290 entries of pairs.A, ", ": pairs.A alone"},
		"pairs | A < 300 and B >= 1800 | limit 100": {},
	} {
		p, err := mustPlan(t, set, text).Analyze(context.Background(), begin(t, kv, false))
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range want {
			if !strings.Contains(p.String(), line) {
				t.Errorf("%s: no %q in\n%v", text, line, p)
			}
		}
		if len(want) == 0 && strings.Contains(p.String(), "sieve") {
			t.Errorf("%s: a sieve in\n%v", text, p)
		}
	}
}
