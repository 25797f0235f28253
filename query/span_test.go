package query

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kivisdb/kivis/codec"
)

// TestSpans compares sets of spans with sets of a few values, through all their
// operations, as ascending parts and complemented ones.
func TestSpans(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	words := []string{"", "\x00", "\x00\x01", "a", "a\x00", "a\xff", "ab", "abc", "b", "\xfe", "\xff", "\xff\xff"}
	var values [][]byte
	for _, w := range words {
		values = append(values, codec.AppendString(nil, w))
	}
	slices.SortFunc(values, func(a, b []byte) int { return slices.Compare(a, b) })
	holds := func(s spans) (in []bool) {
		ranges := s.ranges()
		for _, v := range values {
			in = append(in, within(ranges, v))
		}
		return in
	}
	random := func() (spans, []bool) {
		v, w := values[rng.IntN(len(values))], values[rng.IntN(len(values))]
		var s spans
		switch rng.IntN(5) {
		case 0:
			s = points([][]byte{v, w})
		case 1:
			s = one(span{endpoint{v: v, after: rng.IntN(2) == 0}, endpoint{v: w, after: rng.IntN(2) == 0}})
		case 2:
			s = spans{beginning(v[:len(v)-2])}
		case 3:
			s = one(span{everything.lo, endpoint{v: v, after: rng.IntN(2) == 0}})
		default:
			s = one(span{endpoint{v: v}, everything.hi})
		}
		return s, holds(s)
	}
	for range 20_000 {
		s, inS := random()
		u, inU := random()
		for range rng.IntN(3) {
			x, inX := random()
			s = s.union(x)
			for i := range inS {
				inS[i] = inS[i] || inX[i]
			}
		}
		check := func(what string, got spans, want func(i int) bool) {
			for i, in := range holds(got) {
				if in != want(i) {
					t.Fatalf("seed %d: %s of %v and %v: %v has %x: %t", seed, what, s, u, got, values[i], in)
				}
			}
			for i := range got {
				if got[i].empty() || i > 0 && got[i-1].hi.compare(got[i].lo) > 0 {
					t.Fatalf("seed %d: %s of %v and %v: %v is not in order", seed, what, s, u, got)
				}
			}
		}
		check("union", s.union(u), func(i int) bool { return inS[i] || inU[i] })
		check("intersection", s.intersect(u), func(i int) bool { return inS[i] && inU[i] })
		check("complement", s.complement(everything), func(i int) bool { return !inS[i] })
		check("flip twice", s.flip().flip(), func(i int) bool { return inS[i] })
		flipped := s.flip().ranges()
		for i, v := range values {
			if within(flipped, appendPart(nil, v, true)) != inS[i] {
				t.Fatalf("seed %d: flip of %v has %x: %t", seed, s, v, !inS[i])
			}
		}
	}
}

func TestContainsText(t *testing.T) {
	for _, test := range []struct {
		s, text string
		want    bool
	}{
		{"", "", true}, {"a", "", true}, {"abc", "bc", true}, {"abc", "d", false},
		{"a\x00b", "\x00", true}, {"a\x00b", "\x00b", true}, {"\x00", "\xff", false}, {"\x00\xff", "\xff", true},
		{"\x00\x00", "\x00\x00", true}, {"\x00", "\x00\x00", false}, {"\x00a\xff", "\xff", true},
	} {
		s, text := codec.AppendString(nil, test.s), codec.AppendString(nil, test.text)
		if got := containsText(s[:len(s)-2], text[:len(text)-2]); got != test.want {
			t.Errorf("%q in %q: %t, want %t", test.text, test.s, got, test.want)
		}
	}
}
