package codec

import (
	"reflect"
	"testing"
	"time"
)

// benchKey is a tuple as an index may have it.
type benchKey struct {
	Origin  string
	Departs time.Time
	ID      uint64
	Note    *string
	Score   float64
	UUID    [16]byte
}

// A bench is what the benchmarks and the bounds of allocations start from.
type bench struct {
	name  string
	k     KeyType
	plan  *KeyPlan
	v     reflect.Value
	value []byte // the msgpack value
	part  []byte
}

func benches(t testing.TB) []bench {
	note := "on time"
	v := benchKey{"JFK", time.Unix(1_700_000_000, 5), 123456, &note, 1.5, [16]byte{1}}
	var list []bench
	add := func(name string, v reflect.Value, k KeyType) {
		p := mustPlan(t, v.Type(), k)
		list = append(list, bench{name, k, p, v, encodeWith(t, v.Interface(), true), mustAppend(t, p, v)})
	}
	for _, mods := range [][]string{nil, {"desc"}} {
		name := "tuple"
		if mods != nil {
			name = "tuple desc"
		}
		add(name, reflect.ValueOf(v), mustKeyType(t, reflect.TypeOf(v), mods...))
	}
	add("uint64", reflect.ValueOf(v.ID), KeyType{Kind: Uint})
	add("string", reflect.ValueOf("somebody@example.com"), KeyType{Kind: String})
	add("string with NUL", reflect.ValueOf("some\x00body"), KeyType{Kind: String})
	add("string fold", reflect.ValueOf("Größe, Straße"), KeyType{Kind: String, Fold: true})
	add("time", reflect.ValueOf(v.Departs), KeyType{Kind: Time})
	return list
}

// TestKeyAllocs bounds allocations: with room in dst, there are none.
func TestKeyAllocs(t *testing.T) {
	buf := make([]byte, 0, 512)
	for _, b := range benches(t) {
		v := pointerTo(b.v)
		var err error
		check := func(call string, f func()) {
			if n := testing.AllocsPerRun(100, f); n != 0 || err != nil {
				t.Errorf("%s of a %s: %v allocations, error %v, want none", call, b.name, n, err)
			}
		}
		check("Append", func() { _, err = b.plan.Append(buf, v) })
		check("Transcode", func() { _, err = b.k.Transcode(buf, b.value) })
		check("Skip", func() { _, err = b.k.Skip(b.part) })
		if !b.k.Fold {
			base := b.k.Base()
			exact := mustAppend(t, mustPlan(t, b.v.Type(), base), b.v)
			check("AppendLiteral", func() { _, err = b.k.AppendLiteral(buf, exact) })
		}
	}
	var x int64
	if n := testing.AllocsPerRun(100, func() { x, _, _ = ConsumeInt(AppendInt(buf, x+1000)) }); n != 0 {
		t.Errorf("AppendInt and ConsumeInt: %v allocations", n)
	}
}

func BenchmarkKeyAppend(b *testing.B) {
	for _, bench := range benches(b) {
		b.Run(bench.name, func(b *testing.B) {
			buf, v := make([]byte, 0, 512), pointerTo(bench.v)
			b.ReportAllocs()
			for b.Loop() {
				buf, _ = bench.plan.Append(buf[:0], v)
			}
		})
	}
}

func BenchmarkKeyTranscode(b *testing.B) {
	for _, bench := range benches(b) {
		b.Run(bench.name, func(b *testing.B) {
			buf := make([]byte, 0, 512)
			b.ReportAllocs()
			for b.Loop() {
				buf, _ = bench.k.Transcode(buf[:0], bench.value)
			}
		})
	}
}

func BenchmarkKeySkip(b *testing.B) {
	for _, bench := range benches(b) {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = bench.k.Skip(bench.part)
			}
		})
	}
}

func BenchmarkKeyDecode(b *testing.B) {
	for _, bench := range benches(b) {
		b.Run(bench.name, func(b *testing.B) {
			v := pointerTo(bench.v)
			b.ReportAllocs()
			for b.Loop() {
				_, _ = bench.plan.Decode(bench.part, v)
			}
		})
	}
}
