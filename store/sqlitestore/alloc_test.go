package sqlitestore_test

import (
	"testing"

	"github.com/kivisdb/kivis/internal/benchtest"
)

// The store allocates hardly more often than SQLite by hand.
func TestAllocs(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	p := openPair(t, true)
	p.load(t, 1000)
	value := benchtest.Value(500)
	key := benchtest.Key(500)
	next := 1000
	for _, test := range []struct {
		name      string
		more      float64 // than by hand
		raw, ours func()
	}{
		{"get", 6, func() { check(t, p.raw.read(key)) }, func() { check(t, p.getOurs(key)) }},
		{"scan", 16, func() { check(t, p.raw.scan100(500, false)) }, func() { check(t, p.scanOurs(500, false)) }},
		{"reverse scan", 16, func() { check(t, p.raw.scan100(500, true)) }, func() { check(t, p.scanOurs(500, true)) }},
		{"insert", 40, func() { next++; check(t, p.raw.insert(next, value)) }, func() { next++; check(t, p.setOurs(next, value)) }},
	} {
		r, o := testing.AllocsPerRun(300, test.raw), testing.AllocsPerRun(300, test.ours)
		t.Logf("%s: %.0f, SQLite by hand %.0f", test.name, o, r)
		if o > r+test.more {
			t.Errorf("%s allocates %.0f times, SQLite by hand %.0f; want at most %.0f more", test.name, o, r, test.more)
		}
	}
}
