package histories

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func read(key int, list ...int) Op { return Op{Key: key, Read: list} }

func put(key, value int) Op { return Op{Key: key, Append: value} }

// txn is a transaction without times of its own: all overlap.
func txn(name string, ops ...Op) Txn { return Txn{Name: name, Start: 1, End: 100, Ops: ops} }

func at(start, end int64, t Txn) Txn {
	t.Start, t.End = start, end
	return t
}

func aborted(t Txn) Txn {
	t.Aborted = true
	return t
}

// TestAnomalies feeds the checker one bad history of each kind, and good ones
// that are close to them.
func TestAnomalies(t *testing.T) {
	tests := []struct {
		name  string
		txns  []Txn
		final map[int][]int
		want  []Kind // of StrictlySerializable
	}{
		{"nothing", nil, nil, nil},
		{"one after the other", []Txn{
			at(1, 2, txn("a", read(1), put(1, 1))), at(3, 4, txn("b", read(1, 1), put(1, 2), read(1, 1, 2))), at(5, 6, txn("c", read(1, 1, 2)))},
			map[int][]int{1: {1, 2}}, nil},
		{"reads of different moments", []Txn{
			txn("a", put(1, 1)), txn("b", put(1, 2)), txn("c", read(1)), txn("d", read(1, 1)), txn("e", read(1, 1, 2))},
			map[int][]int{1: {1, 2}}, nil},
		{"an append without a read, then a read", []Txn{txn("a", put(1, 1)), txn("b", put(1, 2), read(1, 1, 2))},
			map[int][]int{1: {1, 2}}, nil},
		{"an aborted transaction that nobody saw", []Txn{aborted(txn("a", put(1, 1))), txn("b", read(1))}, nil, nil},
		{"a bad read in an aborted transaction", []Txn{txn("a", put(1, 1)), aborted(txn("b", read(1, 7)))}, map[int][]int{1: {1}}, nil},

		{"the same value twice", []Txn{txn("a", put(1, 1)), txn("b", put(1, 1))}, map[int][]int{1: {1}}, []Kind{Malformed}},
		{"a value from nowhere", []Txn{txn("a", read(1, 7))}, map[int][]int{1: {7}}, []Kind{Unwritten, Unwritten}},
		{"a value from nowhere at the end", nil, map[int][]int{1: {7}}, []Kind{Unwritten}},
		{"an aborted append is seen, then gone", []Txn{aborted(txn("a", put(1, 1))), txn("b", read(1, 1))}, nil, []Kind{AbortedRead, Incompatible}},
		{"an aborted append stays", []Txn{aborted(txn("a", put(1, 1)))}, map[int][]int{1: {1}}, []Kind{AbortedRead}},
		{"half of a transaction is seen", []Txn{txn("a", put(1, 1), put(1, 2)), txn("b", read(1, 1))},
			map[int][]int{1: {1, 2}}, []Kind{Intermediate, GSingle}},
		{"an append is done twice", []Txn{txn("a", put(1, 1))}, map[int][]int{1: {1, 1}}, []Kind{Duplicate}},
		{"own append not seen", []Txn{txn("a", put(1, 1), read(1))}, map[int][]int{1: {1}}, []Kind{Internal}},
		{"own append seen early", []Txn{txn("a", read(1, 1), put(1, 1))}, map[int][]int{1: {1}}, []Kind{Internal}},
		{"a read that cannot be repeated", []Txn{txn("a", put(1, 1)), txn("b", read(1), read(1, 1))}, map[int][]int{1: {1}}, []Kind{Internal}},
		{"reads of two orders", []Txn{txn("a", put(1, 1)), txn("b", put(1, 2)), txn("c", read(1, 2))},
			map[int][]int{1: {1, 2}}, []Kind{Incompatible}},
		{"a read of more than was kept", []Txn{txn("a", put(1, 1)), txn("b", read(1, 1))}, nil, []Kind{Lost, Incompatible}},
		{"an append is lost", []Txn{txn("a", read(1), put(1, 1)), txn("b", read(1), put(1, 2))}, map[int][]int{1: {2}}, []Kind{Lost}},
		{"an append is lost between others", []Txn{txn("a", put(1, 1)), txn("b", put(1, 2)), txn("c", put(1, 3))},
			map[int][]int{1: {1, 3}}, []Kind{Lost}},

		{"writes in two orders", []Txn{txn("a", put(1, 1), put(2, 1)), txn("b", put(1, 2), put(2, 2))},
			map[int][]int{1: {1, 2}, 2: {2, 1}}, []Kind{G0}},
		{"appends of a transaction torn apart", []Txn{txn("a", put(1, 1), put(1, 3)), txn("b", put(1, 2))},
			map[int][]int{1: {1, 2, 3}}, []Kind{G0}},
		{"each sees the other", []Txn{txn("a", put(1, 1), read(2, 1)), txn("b", put(2, 1), read(1, 1))},
			map[int][]int{1: {1}, 2: {1}}, []Kind{G1c}},
		{"one half of two lists", []Txn{txn("a", put(1, 1), put(2, 1)), txn("b", read(1, 1), read(2))},
			map[int][]int{1: {1}, 2: {1}}, []Kind{GSingle}},
		{"an update on a stale read", []Txn{txn("a", read(1), put(1, 1)), txn("b", read(1), put(1, 2))},
			map[int][]int{1: {1, 2}}, []Kind{GSingle}},
		{"write skew", []Txn{txn("a", read(2), put(1, 1)), txn("b", read(1), put(2, 1))},
			map[int][]int{1: {1}, 2: {1}}, []Kind{G2}},
		{"two readers that disagree", []Txn{txn("a", put(1, 1)), txn("b", put(2, 1)), txn("c", read(1, 1), read(2)), txn("d", read(1), read(2, 1))},
			map[int][]int{1: {1}, 2: {1}}, []Kind{G2}},

		{"a read of the past", []Txn{at(1, 2, txn("a", put(1, 1))), at(3, 4, txn("b", read(1)))}, map[int][]int{1: {1}}, []Kind{RealTime}},
		{"an append before one that had ended", []Txn{at(1, 2, txn("a", put(1, 1))), at(5, 6, txn("x")), at(7, 8, txn("b", put(1, 2)))},
			map[int][]int{1: {2, 1}}, []Kind{RealTime}},
		{"the past of what still runs", []Txn{at(1, 4, txn("a", put(1, 1))), at(3, 4, txn("b", read(1)))}, map[int][]int{1: {1}}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := kinds(StrictlySerializable(tt.txns, tt.final)); !slices.Equal(got, tt.want) {
				t.Errorf("StrictlySerializable = %v, want %v", got, tt.want)
			}
			want := slices.DeleteFunc(slices.Clone(tt.want), func(k Kind) bool { return k == RealTime })
			if got := kinds(Serializable(tt.txns, tt.final)); !slices.Equal(got, want) {
				t.Errorf("Serializable = %v, want %v", got, want)
			}
		})
	}
}

func kinds(as []Anomaly) (ks []Kind) {
	for _, a := range as {
		ks = append(ks, a.Kind)
	}
	return ks
}

func TestCycleText(t *testing.T) {
	got := StrictlySerializable([]Txn{at(1, 2, txn("a", put(1, 1))), at(3, 4, txn("b", read(1)))}, map[int][]int{1: {1}})
	if want := "real-time violation: b -rw-> a -rt-> b"; len(got) != 1 || got[0].String() != want && got[0].String() != "real-time violation: a -rt-> b -rw-> a" {
		t.Errorf("got %v, want %s, or the same from a", got, want)
	}
}

// TestSerialHistories makes histories that are serial, which must pass, and takes
// one value out of a read or the final state of each, which must not.
func TestSerialHistories(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 200 {
		txns, final := serial(rng)
		if got := StrictlySerializable(txns, final); got != nil {
			t.Fatalf("seed %d: %v", seed, got)
		}
		if spoil(rng, txns) && StrictlySerializable(txns, final) == nil {
			t.Fatalf("seed %d: a value was taken out of a read, and nothing was found", seed)
		}
	}
}

// serial returns the history of transactions that ran one after the other.
func serial(rng *rand.Rand) (txns []Txn, final map[int][]int) {
	final = map[int][]int{}
	value := 0
	for i := range 30 {
		var ops []Op
		for range 1 + rng.IntN(4) {
			key := rng.IntN(3)
			if rng.IntN(2) == 0 {
				ops = append(ops, read(key, slices.Clone(final[key])...))
				continue
			}
			value++
			final[key] = append(final[key], value)
			ops = append(ops, put(key, value))
		}
		txns = append(txns, at(int64(2*i), int64(2*i+1), txn("t", ops...)))
	}
	return txns, final
}

// spoil takes a value out of a read, and reports whether there was any.
func spoil(rng *rand.Rand, txns []Txn) bool {
	for range 100 {
		ops := txns[rng.IntN(len(txns))].Ops
		op := &ops[rng.IntN(len(ops))]
		if n := len(op.Read); n > 0 {
			at := rng.IntN(n)
			op.Read = slices.Delete(slices.Clone(op.Read), at, at+1)
			return true
		}
	}
	return false
}
