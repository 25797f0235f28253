package live

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// apply makes the steps, as a reader does, and checks what they promise.
func apply(t *testing.T, was, is []string, steps []Step) []string {
	t.Helper()
	list := slices.Clone(was)
	for _, s := range steps {
		key := ""
		if s.Kind == Deleted {
			key = was[s.Item]
		} else {
			key = is[s.Item]
		}
		if s.Kind != Inserted {
			if list[s.From] != key {
				t.Fatalf("%v: at %d is %s, not %s", s, s.From, list[s.From], key)
			}
			list = slices.Delete(list, s.From, s.From+1)
		}
		if s.Kind != Deleted {
			if s.To != s.Item {
				t.Fatalf("%v: it goes to %d and its place is %d", s, s.To, s.Item)
			}
			list = slices.Insert(list, s.To, key)
		}
	}
	return list
}

func TestSteps(t *testing.T) {
	tests := []struct {
		was, is string
		changed string // those of the new list that have changed
		want    string
	}{
		{"", "", "", "[]"},
		{"", "ab", "", "[{inserted 0 -1 0} {inserted 1 -1 1}]"},
		{"ab", "", "", "[{deleted 1 1 -1} {deleted 0 0 -1}]"},
		{"abc", "abc", "", "[]"},
		{"abc", "abc", "b", "[{updated 1 1 1}]"},
		{"abcd", "bcda", "", "[{updated 3 0 3}]"}, // to the end: one step
		{"abcd", "dabc", "", "[{updated 0 3 0}]"}, // to the beginning
		{"abcd", "bcda", "a", "[{updated 3 0 3}]"},
		{"abcd", "xabc", "", "[{deleted 3 3 -1} {inserted 0 -1 0}]"}, // a window that slides
		{"abc", "bxc", "b", "[{deleted 0 0 -1} {updated 0 0 0} {inserted 1 -1 1}]"},
	}
	split := func(s string) (keys []string) {
		for _, r := range s {
			keys = append(keys, string(r))
		}
		return keys
	}
	for _, test := range tests {
		was, is := split(test.was), split(test.is)
		steps := Steps(was, is, func(_, at int) bool { return slices.Contains(split(test.changed), is[at]) })
		if got := fmt.Sprint(steps); got != test.want {
			t.Errorf("%q to %q: %s, want %s", test.was, test.is, got, test.want)
		}
		if got := apply(t, was, is, steps); !slices.Equal(got, is) {
			t.Errorf("%q to %q gives %v", test.was, test.is, got)
		}
	}
}

func TestRandomSteps(t *testing.T) {
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 1))
	list := func() []string {
		keys := make([]string, 0, 20)
		for _, k := range rnd.Perm(20)[:rnd.IntN(20)] {
			keys = append(keys, fmt.Sprint(k))
		}
		return keys
	}
	for range 20_000 {
		was, is := list(), list()
		changed := map[string]bool{}
		for range rnd.IntN(4) {
			changed[fmt.Sprint(rnd.IntN(20))] = true
		}
		steps := Steps(was, is, func(_, at int) bool { return changed[is[at]] })
		if got := apply(t, was, is, steps); !slices.Equal(got, is) {
			t.Fatalf("seed %d: %v to %v gives %v by %v", seed, was, is, got, steps)
		}
		for _, key := range is {
			if changed[key] && !slices.ContainsFunc(steps, func(s Step) bool { return s.Kind != Deleted && is[s.Item] == key }) {
				t.Fatalf("seed %d: %s has changed, and no step says so: %v", seed, key, steps)
			}
		}
	}
}

func BenchmarkSteps(b *testing.B) {
	for _, n := range []int{20, 1000} {
		was := make([]string, n)
		for i := range was {
			was[i] = fmt.Sprintf("key%05d", i)
		}
		is := append(slices.Clone(was[1:]), was[0])
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				Steps(was, is, func(_, at int) bool { return at == 3 })
			}
		})
	}
}
