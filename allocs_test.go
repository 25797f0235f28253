package kivis_test

import (
	"cmp"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store/memstore"
)

// filled returns the table of members, with n in it.
func filled(t *testing.T, db *kivis.DB, n int) kivis.Table[Member, kivis.ID[Member]] {
	t.Helper()
	members := kivis.TableOf[Member](db)
	for i := range n {
		m := memberOf(i)
		must(members.Insert(bg, &m))(t)
	}
	return members
}

// TestScanAllocs: what a scan in memory allocates does not grow with what it
// passes over.
func TestScanAllocs(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates too")
	}
	db := openDB(t, memstore.New(), &Member{})
	members := filled(t, db, 2000)
	name := kivis.FieldOf(func(m *Member) *string { return &m.Name })
	for _, c := range []struct {
		name string
		max  float64
		call func() (int, error)
		want int
	}{
		{"filter", 14, func() (int, error) {
			m, err := members.Where(name.Eq("nobody")).Collect(bg)
			return len(m), err
		}, 0},
		{"count by an index", 10, func() (int, error) { return members.Where(memberAge.Ge(0)).Count(bg) }, 2000},
		{"count by a filter", 14, func() (int, error) { return members.Where(name.Ne("nobody")).Count(bg) }, 2000},
		{"count of all", 10, func() (int, error) { return members.Count(bg) }, 2000},
	} {
		got := testing.AllocsPerRun(20, func() {
			if n, err := c.call(); n != c.want || err != nil {
				t.Errorf("%s: %d, %v; want %d", c.name, n, err, c.want)
			}
		})
		if got > c.max {
			t.Errorf("%s of 2,000 records allocates %.0f times, want at most %.0f", c.name, got, c.max)
		}
	}
}

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
			bios := [2]string{bio, bio[1:]}
			kivisGone, handGone := kivis.ID[Member](100), uint64(100)
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
				{"update of a plain field", 3, func() error {
					next++
					_, err := members.Modify(bg, 7, func(m *Member) error { m.Bio = bios[next%2]; return nil })
					return err
				}, func() { next++; hand.change(7, func(m *Member) { m.Bio = bios[next%2] }) }},
				{"update of an indexed field", 3, func() error {
					next++
					_, err := members.Modify(bg, 7, func(m *Member) error { m.Age = next; return nil })
					return err
				}, func() { next++; hand.change(7, func(m *Member) { m.Age = next }) }},
				{"delete", 3, func() error {
					kivisGone++
					return members.Delete(bg, kivisGone)
				}, func() { handGone++; hand.remove(handGone) }},
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

// TestFuncAllocs bounds what a Func costs: the record that it sees, and nothing
// else beyond a scan without one.
func TestFuncAllocs(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates too")
	}
	const n = 500
	for i, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			db := openDB(t, stores[i].open(t), &Member{})
			members := filled(t, db, n)
			scan := func(q kivis.Query[Member, kivis.ID[Member]]) float64 {
				var err error
				got := testing.AllocsPerRun(10, func() {
					for _, e := range q.All(bg) {
						err = cmp.Or(err, e)
					}
				})
				check(t, err)
				return got
			}
			all := scan(members.Query())
			none := scan(members.Where(kivis.Func(func(m *Member) bool { return m.Age < 0 })))
			if none > all+n+10 {
				t.Errorf("a scan of %d records with a Func allocates %.0f times, without %.0f", n, none, all)
			}
		})
	}
}
