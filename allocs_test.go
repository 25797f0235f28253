package kivis_test

import (
	"testing"

	"github.com/kivisdb/kivis"
)

// TestAllocs bounds what hot calls allocate: at most a few times more often
// than the same work done by hand on the same engine.
func TestAllocs(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates too")
	}
	const n = 500
	for i, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			db := openDB(t, stores[i].open(t), &Member{})
			members, hand := kivis.TableOf[Member](db), e.hand(t)
			for i := range n {
				m := memberOf(i)
				must(members.Insert(bg, &m))(t)
				m = memberOf(i)
				hand.insert(&m)
			}
			next := n
			var m Member
			calls := []struct {
				name  string
				more  float64 // what Kivis may allocate beyond the work by hand
				kivis func() error
				hand  func()
			}{
				{"get", 3, func() error { _, err := members.Get(bg, 7); return err }, func() { hand.get(7, &m) }},
				{"has", 3, func() error { _, err := members.Has(bg, 7); return err }, func() { hand.get(7, &m) }},
				{"get by key", 4, func() error {
					_, err := members.Where(members.Key().Eq(7)).One(bg)
					return err
				}, func() { hand.get(7, &m) }},
				{"get by unique", 3, func() error {
					_, err := members.Where(memberEmail.Eq("member0000007@example.com")).One(bg)
					return err
				}, func() { hand.getByEmail("member0000007@example.com", &m) }},
				{"insert", 3, func() error {
					next++
					m := memberOf(next)
					_, err := members.Insert(bg, &m)
					return err
				}, func() { next++; m := memberOf(next); hand.insert(&m) }},
				{"range of 100", 0, func() error {
					for _, err := range members.Where(memberAge.Ge(3)).OrderBy(memberAge.Asc()).Limit(100).All(bg) {
						if err != nil {
							return err
						}
					}
					return nil
				}, func() { hand.rangeByAge(3, 100) }},
			}
			for _, c := range calls {
				var err error
				got := testing.AllocsPerRun(100, func() {
					if e := c.kivis(); e != nil {
						err = e
					}
				})
				check(t, err)
				raw := testing.AllocsPerRun(100, c.hand)
				if got > raw+c.more {
					t.Errorf("%s allocates %.0f times, by hand %.0f", c.name, got, raw)
				}
				t.Logf("%s: %.0f, by hand %.0f", c.name, got, raw)
			}
		})
	}
}
