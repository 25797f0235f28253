package query

import (
	"context"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/kivisdb/kivis/reflectx"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/memstore"
)

// TestSiftModel asks random queries that bound two indexes or more, and compares
// with a naive filter.
func TestSiftModel(t *testing.T) {
	tables := 60
	if testing.Short() {
		tables = 20
	}
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
		if *theSeed == 0 && n < 10 {
			t.Errorf("%d looks chose %d: the test has lost its reach", n, choice)
		}
	}
}

// A tPair has two fields in an order of their own each, and one that puts it in a
// group of twice as many as the one before.
type tPair struct {
	_  struct{} `kivis:"table=pairs,index=ac(A,C),index=ec(E,C)"`
	ID uint64   `kivis:"key,auto"`
	A  int      `kivis:"index"`
	B  int      `kivis:"index,desc"`
	C  int
	E  int  `kivis:"index"`
	F  *int `kivis:"index"`
}

// pairStore holds n pairs: A and B are permutations of the numbers below n, E has
// 2^k pairs with the value k, F is a tenth of B, or nil where C is 0.
func pairStore(tb testing.TB, n int) (*schema.Set, store.Store) {
	set, kv := testTables(tb, reflect.TypeFor[tPair]()), memstore.New()
	table := set.ByName("pairs")
	tx := begin(tb, kv, true)
	a, b := rand.New(rand.NewPCG(1, 2)).Perm(n), rand.New(rand.NewPCG(3, 4)).Perm(n)
	e := rand.New(rand.NewPCG(5, 6)).Perm(n)
	for i := range n {
		rec := tPair{ID: uint64(i + 1), A: a[i], B: b[i], C: i % 10, E: bits.Len(uint(e[i]+1)) - 1}
		if tenth := b[i] / 10; rec.C > 0 {
			rec.F = &tenth
		}
		key, err := table.AppendKey(nil, reflectx.To(&rec))
		if err != nil {
			tb.Fatal(err)
		}
		storeRecord(tb, tx, table, reflectx.To(&rec), key)
	}
	if _, err := tx.Commit(); err != nil {
		tb.Fatal(err)
	}
	return set, kv
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
	n, queries := 30_000, 600
	if testing.Short() {
		n, queries = 8_000, 120
	}
	set, kv := pairStore(t, n)
	defer kv.Close()
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
		if rng.IntN(3) == 0 {
			text += " and C < 9"
		}
		text += []string{"", " | keys", " | count", " | bykey", " | order A", " | order -B"}[rng.IntN(6)]
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
		better := one
		if costOf(two) < costOf(one) {
			better = two
		}
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
	if worst > 1.5 {
		t.Errorf("seed %d: a look made a query cost %.2f times as much", seed, worst)
	}
	for choice, n := range seen {
		if n == 0 {
			t.Errorf("seed %d: no look chose %d: the test has lost its reach", seed, choice)
		}
	}
}

// costOf is what is read, in entries.
func costOf(s Stats) int { return s.Entries + fetchCost*s.Records }
