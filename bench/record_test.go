package main

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

func TestHandCodec(t *testing.T) {
	d := newData(1, 1000)
	total := 0
	for id := uint64(1); id <= 1000; id++ {
		want := d.Record(id)
		b := encodeRecord(nil, &want)
		total += len(b)
		var got Record
		if err := decodeRecord(b, &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("decodeRecord(%x) = %+v, %v; want %+v", b, got, err, want)
		}
		if name, err := nameIn(b); err != nil || name != want.Name {
			t.Errorf("nameIn(%x) = %q, %v; want %q", b, name, err, want.Name)
		}
		for n := range len(b) {
			if err := decodeRecord(b[:n], new(Record)); err == nil {
				t.Errorf("decodeRecord of %d bytes of %d: no error", n, len(b))
			}
		}
	}
	if mean := total / 1000; mean < 290 || mean > 320 {
		t.Errorf("a record takes %d bytes, want about 303", mean)
	}
}

func TestHandKeysAreOrdered(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var keys []string
	for range 1000 {
		keys = append(keys, string(appendAgePrefix(nil, rng.IntN(1<<20))))
	}
	sorted := slices.Sorted(slices.Values(keys))
	decode := func(k string) int { return int(k[1])<<24 | int(k[2])<<16 | int(k[3])<<8 | int(k[4]) }
	if !slices.IsSortedFunc(sorted, func(a, b string) int { return decode(a) - decode(b) }) {
		t.Error("the keys are not in the order of the ages")
	}
	r := newData(1, 1000).Record(77)
	k := keysOf(&r)
	for name, key := range map[string][]byte{"city": k.city, "age": k.age, "team": k.team, "record": k.record} {
		if idOf(key) != 77 {
			t.Errorf("idOf(the %s's key) = %d, want 77", name, idOf(key))
		}
	}
}

func TestDataIsTheSameEachTime(t *testing.T) {
	a, b := newData(5, 300), newData(5, 300)
	emails := map[string]bool{}
	for id := uint64(1); id <= 300; id++ {
		ra, rb := a.Record(id), b.Record(id)
		if !reflect.DeepEqual(ra, rb) {
			t.Fatalf("record %d differs: %+v and %+v", id, ra, rb)
		}
		emails[ra.Email] = true
	}
	if len(emails) != 300 {
		t.Errorf("%d different emails, want 300", len(emails))
	}
}

func TestZipf(t *testing.T) {
	const n, draws = 1000, 100_000
	z, rng := newZipf(n), rand.New(rand.NewPCG(1, 1))
	counts := make([]int, n+1)
	for range draws {
		id := z.draw(rng)
		if id < 1 || id > n {
			t.Fatalf("draw() = %d, want 1 to %d", id, n)
		}
		counts[id]++
	}
	slices.Sort(counts)
	slices.Reverse(counts)
	// The first of a Zipf distribution of 1,000 with this exponent has an
	// eighth, the second half of that.
	if counts[0] < draws/10 || counts[0] > draws/6 || counts[1] < counts[0]/3 || counts[1] > counts[0]*2/3 {
		t.Errorf("the most popular ids were drawn %v times", counts[:5])
	}
}
