package badgerstore_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kivisdb/kivis/internal/benchtest"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
)

// A scan shows of each key the entry of its version, however many others there
// are: few, so that it passes over them itself, or so many that Badger is to.
func TestScanOfVersions(t *testing.T) {
	for _, test := range []struct {
		name           string
		rounds, hot    int // how often, and how many of the keys
		size           int
		deleteOneIn, n int
	}{
		{"one version", 0, 0, 100, 1, 300},
		{"few versions", 1, 100, 100, 3, 300},
		{"many at the front", 30, 20, 10, 4, 300},
		{"many versions", 20, 300, 10, 2, 300},
		{"big versions", 4, 100, 8000, 5, 100},
		{"all deleted", 1, 300, 10, 1, 300},
	} {
		t.Run(test.name, func(t *testing.T) {
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			rng := rand.New(rand.NewPCG(seed, 0))
			s := open(t, t.TempDir(), &badgerstore.Options{NoSync: true, NoTidy: true})
			var snapshots []store.Tx
			var states []map[string]string
			state := map[string]string{}
			for round := range test.rounds + 1 {
				keys := test.hot
				if round == 0 {
					keys = test.n
				}
				check(t, update(s, func(tx store.Tx) error {
					for i := range keys {
						key := benchtest.Key(i)
						if round > 0 && rng.IntN(test.deleteOneIn) == 0 {
							delete(state, string(key))
							check(t, tx.Delete(key))
							continue
						}
						value := append(make([]byte, test.size), fmt.Sprint(round, i)...)
						state[string(key)] = string(value)
						check(t, tx.Set(key, value))
					}
					return nil
				}))
				if round%7 == 0 || round == test.rounds {
					tx, err := s.Begin(context.Background(), false)
					check(t, err)
					defer tx.Discard()
					snapshots, states = append(snapshots, tx), append(states, maps.Clone(state))
				}
			}
			for i, tx := range snapshots {
				scanVersions(t, tx, states[i], store.Range{})
				scanVersions(t, tx, states[i], store.Range{Reverse: true})
				scanVersions(t, tx, states[i], store.Range{Lo: benchtest.Key(7), Hi: benchtest.Key(test.n / 2), KeysOnly: true})
				seekVersions(t, tx, states[i], test.n, rng)
			}
		})
	}
}

// scanVersions compares a scan and a count of a range with what is there.
func scanVersions(t *testing.T, tx store.Tx, state map[string]string, r store.Range) {
	t.Helper()
	keys := slices.DeleteFunc(slices.Sorted(maps.Keys(state)), func(k string) bool {
		return k < string(r.Lo) || r.Hi != nil && k >= string(r.Hi)
	})
	if n, err := store.Count(tx, r); n != len(keys) || err != nil {
		t.Errorf("Count = %d, %v, want %d", n, err, len(keys))
	}
	if r.Reverse {
		slices.Reverse(keys)
	}
	c, err := tx.Scan(r)
	check(t, err)
	defer c.Close()
	for _, want := range keys {
		if !c.Next() || string(c.Key()) != want {
			t.Fatalf("the scan is at %q, %v, want %q", c.Key(), c.Err(), want)
		}
		if !r.KeysOnly && string(c.Value()) != state[want] {
			t.Fatalf("%q has %.20q, want %.20q", want, c.Value(), state[want])
		}
	}
	if c.Next() || c.Err() != nil {
		t.Errorf("the scan ends at %q, %v, want its end", c.Key(), c.Err())
	}
}

// seekVersions compares a scan that steps and jumps at random with what is there.
func seekVersions(t *testing.T, tx store.Tx, state map[string]string, n int, rng *rand.Rand) {
	t.Helper()
	keys := slices.Sorted(maps.Keys(state))
	c, err := tx.Scan(store.Range{})
	check(t, err)
	defer c.Close()
	for at := 0; ; {
		ok := false
		if rng.IntN(3) > 0 {
			ok = c.Next()
		} else {
			key := benchtest.Key(rng.IntN(n))
			i, _ := slices.BinarySearch(keys, string(key))
			at = max(at, i)
			ok = c.Seek(key)
		}
		if ok != (at < len(keys)) {
			t.Fatalf("moving to entry %d of %d is %v, %v", at, len(keys), ok, c.Err())
		}
		if !ok {
			return
		}
		if want := keys[at]; string(c.Key()) != want || !bytes.Equal(c.Keep(), []byte(state[want])) {
			t.Fatalf("the scan is at %q with %.20q, want %q with %.20q", c.Key(), c.Value(), want, state[want])
		}
		at++
	}
}
