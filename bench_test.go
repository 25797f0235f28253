package kivis_test

import (
	"context"
	"testing"

	"github.com/kivisdb/kivis"
)

// benchSize is the number of records in the benchmarks' tables.
const benchSize = 20_000

// engines pairs each store with the same work done by hand on its engine.
var engines = []struct {
	name string
	hand func(testing.TB) kvHand
}{
	{"mem", newHandTree},
	{"badger", newHandBadger},
}

var (
	memberEmail = kivis.FieldOf(func(m *Member) *string { return &m.Email })
	memberAge   = kivis.FieldOf(func(m *Member) *int { return &m.Age })
)

// contest runs a benchmark on Kivis and by hand over each engine, in turn, so
// that the ratio of the two is from one run.
func contest(b *testing.B, kivisWork func(b *testing.B, members kivis.Table[Member, kivis.ID[Member]]), handWork func(b *testing.B, h kvHand)) {
	for i, e := range engines {
		b.Run(e.name+"/kivis", func(b *testing.B) {
			db := openDB(b, stores[i].open(b), &Member{})
			members := kivis.TableOf[Member](db)
			err := db.Bulk(bg, nil, func(ctx context.Context, bulk *kivis.Bulk) error {
				for i := range benchSize {
					m := memberOf(i)
					if _, err := members.With(bulk).Insert(ctx, &m); err != nil {
						return err
					}
				}
				return nil
			})
			check(b, err)
			b.ReportAllocs()
			b.ResetTimer()
			kivisWork(b, members)
		})
		b.Run(e.name+"/hand", func(b *testing.B) {
			h := e.hand(b)
			for i := range benchSize {
				m := memberOf(i)
				h.insert(&m)
			}
			b.ReportAllocs()
			b.ResetTimer()
			handWork(b, h)
		})
	}
}

func BenchmarkGet(b *testing.B) {
	contest(b, func(b *testing.B, members kivis.Table[Member, kivis.ID[Member]]) {
		for i := range b.N {
			if _, err := members.Get(bg, kivis.ID[Member](i*7919%benchSize+1)); err != nil {
				b.Fatal(err)
			}
		}
	}, func(b *testing.B, h kvHand) {
		var m Member
		for i := range b.N {
			if !h.get(uint64(i*7919%benchSize+1), &m) {
				b.Fatal("absent")
			}
		}
	})
}

func BenchmarkGetByUnique(b *testing.B) {
	mails := make([]string, benchSize)
	for i := range mails {
		mails[i] = memberOf(i).Email
	}
	contest(b, func(b *testing.B, members kivis.Table[Member, kivis.ID[Member]]) {
		for i := range b.N {
			if _, err := members.Where(memberEmail.Eq(mails[i*7919%benchSize])).One(bg); err != nil {
				b.Fatal(err)
			}
		}
	}, func(b *testing.B, h kvHand) {
		var m Member
		for i := range b.N {
			if !h.getByEmail(mails[i*7919%benchSize], &m) {
				b.Fatal("absent")
			}
		}
	})
}

func BenchmarkInsert(b *testing.B) {
	contest(b, func(b *testing.B, members kivis.Table[Member, kivis.ID[Member]]) {
		for i := range b.N {
			m := memberOf(benchSize + i)
			if _, err := members.Insert(bg, &m); err != nil {
				b.Fatal(err)
			}
		}
	}, func(b *testing.B, h kvHand) {
		for i := range b.N {
			m := memberOf(benchSize + i)
			h.insert(&m)
		}
	})
}

func BenchmarkModify(b *testing.B) {
	contest(b, func(b *testing.B, members kivis.Table[Member, kivis.ID[Member]]) {
		for i := range b.N {
			_, err := members.Modify(bg, kivis.ID[Member](i*7919%benchSize+1), func(m *Member) error { m.Age = i % 997; return nil })
			if err != nil {
				b.Fatal(err)
			}
		}
	}, func(b *testing.B, h kvHand) {
		for i := range b.N {
			h.change(uint64(i*7919%benchSize+1), func(m *Member) { m.Age = i % 997 })
		}
	})
}

func BenchmarkIndexRange100(b *testing.B) {
	contest(b, func(b *testing.B, members kivis.Table[Member, kivis.ID[Member]]) {
		for i := range b.N {
			n := 0
			for _, err := range members.Where(memberAge.Ge(i * 7919 % 900)).OrderBy(memberAge.Asc()).Limit(100).All(bg) {
				if err != nil {
					b.Fatal(err)
				}
				n++
			}
			if n != 100 {
				b.Fatal(n)
			}
		}
	}, func(b *testing.B, h kvHand) {
		for i := range b.N {
			if n := h.rangeByAge(i*7919%900, 100); n != 100 {
				b.Fatal(n)
			}
		}
	})
}
