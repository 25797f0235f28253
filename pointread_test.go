package kivis_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store/memstore"
)

// pointCalls are the calls that ask for one member by its email or key, typed and
// by name. Each returns whether it was found.
var pointCalls = map[string]func(conn kivis.Conn, m Member) (bool, error){
	"One":        func(c kivis.Conn, m Member) (bool, error) { return isMember(byEmail(c, m).One(bg))(m) },
	"First":      func(c kivis.Conn, m Member) (bool, error) { return isMember(byEmail(c, m).First(bg))(m) },
	"First text": func(c kivis.Conn, m Member) (bool, error) { return isMember(byText(c, m).First(bg))(m) },
	"Collect": func(c kivis.Conn, m Member) (bool, error) {
		list, err := byEmail(c, m).Collect(bg)
		if err != nil || len(list) == 0 {
			return false, err
		}
		return isMember(list[0], nil)(m)
	},
	"Exists": func(c kivis.Conn, m Member) (bool, error) { return byEmail(c, m).Exists(bg) },
	"Count": func(c kivis.Conn, m Member) (bool, error) {
		n, err := byEmail(c, m).Count(bg)
		return n == 1, err
	},
	"One by key": func(c kivis.Conn, m Member) (bool, error) { return isMember(byID(c, m).One(bg))(m) },
	"Exists by key": func(c kivis.Conn, m Member) (bool, error) {
		return byID(c, m).Exists(bg)
	},
	"named One": func(c kivis.Conn, m Member) (bool, error) {
		rec, err := namedMember(c, m).One(bg)
		return found(err, err == nil && strings.Contains(fmt.Sprint(must2(rec.Get("Email"))), m.Email))
	},
	"named Exists": func(c kivis.Conn, m Member) (bool, error) { return namedMember(c, m).Exists(bg) },
	"named Count": func(c kivis.Conn, m Member) (bool, error) {
		n, err := namedMember(c, m).Count(bg)
		return n == 1, err
	},
}

func byEmail(c kivis.Conn, m Member) kivis.Query[Member, kivis.ID[Member]] {
	return kivis.TableOf[Member](c).Where(memberEmail.Eq(m.Email))
}

func byText(c kivis.Conn, m Member) kivis.Query[Member, kivis.ID[Member]] {
	return kivis.TableOf[Member](c).WhereText("Email = ?", m.Email)
}

func byID(c kivis.Conn, m Member) kivis.Query[Member, kivis.ID[Member]] {
	t := kivis.TableOf[Member](c)
	return t.Where(t.Key().Eq(m.ID))
}

func namedMember(c kivis.Conn, m Member) kivis.NamedQuery {
	return kivis.TableNamed(c, "Member").Where("Email = ?", m.Email)
}

func must2[T any](v T, _ error) T { return v }

// found makes ErrNotFound an answer.
func found(err error, is bool) (bool, error) {
	if errors.Is(err, kivis.ErrNotFound) {
		return false, nil
	}
	return is, err
}

// isMember compares the answer with the member.
func isMember(got Member, err error) func(want Member) (bool, error) {
	return func(want Member) (bool, error) {
		if err == nil && got.Email != want.Email {
			return false, fmt.Errorf("found %q, asked for %q", got.Email, want.Email)
		}
		return found(err, true)
	}
}

// TestPointAcrossRegister has the schema change while a point is read without a
// transaction.
func TestPointAcrossRegister(t *testing.T) {
	type Late struct {
		ID int `kivis:"key"`
	}
	for name, call := range pointCalls {
		t.Run(name, func(t *testing.T) {
			s := &interrupted{Store: memstore.New()}
			db := openDB(t, s, &Member{})
			m := memberOf(1)
			m.ID = must(kivis.TableOf[Member](db).Insert(bg, &m))(t)
			check2(t, call, db, m, true)
			alone := s.reads
			s.reads, s.before = 0, func() { check(t, db.Register(&Late{})) }
			check2(t, call, db, m, true)
			if alone == 0 || s.reads != 2*alone {
				t.Errorf("%d keys were read, want %d twice", s.reads, alone)
			}
		})
	}
}

func check2(t *testing.T, call func(kivis.Conn, Member) (bool, error), c kivis.Conn, m Member, want bool) {
	t.Helper()
	if ok, err := call(c, m); err != nil || ok != want {
		t.Errorf("found %t, %v; want %t", ok, err, want)
	}
}

// TestPointBetweenReads changes, between the read of an entry and that of its
// record, who has the value.
func TestPointBetweenReads(t *testing.T) {
	for name, call := range pointCalls {
		for _, c := range []struct {
			what   string
			change func(t *testing.T, db *kivis.DB, m Member)
			want   bool
		}{
			{"changed in another field", func(t *testing.T, db *kivis.DB, m Member) {
				must(kivis.TableOf[Member](db).Modify(bg, m.ID, func(m *Member) error { m.Age = 5; return nil }))(t)
			}, true},
			{"given up", func(t *testing.T, db *kivis.DB, m Member) {
				must(kivis.TableOf[Member](db).Modify(bg, m.ID, func(m *Member) error { m.Email = "other"; return nil }))(t)
			}, false},
			{"taken by another", func(t *testing.T, db *kivis.DB, m Member) {
				check(t, db.Update(bg, func(ctx context.Context, tx *kivis.Tx) error {
					members := kivis.TableOf[Member](tx)
					if _, err := members.Modify(ctx, m.ID, func(m *Member) error { m.Email = "other"; return nil }); err != nil {
						return err
					}
					n := memberOf(2)
					n.Email = m.Email
					_, err := members.Insert(ctx, &n)
					return err
				}))
			}, true},
			{"deleted", func(t *testing.T, db *kivis.DB, m Member) { check(t, kivis.TableOf[Member](db).Delete(bg, m.ID)) }, false},
		} {
			if strings.Contains(name, "key") {
				continue // there is one read
			}
			t.Run(name+", "+c.what, func(t *testing.T) {
				s := &interrupted{Store: memstore.New()}
				db := openDB(t, s, &Member{})
				m := memberOf(1)
				m.ID = must(kivis.TableOf[Member](db).Insert(bg, &m))(t)
				s.before = func() { s.before = func() { c.change(t, db, m) } } // before the second read
				ok, err := call(db, m)
				switch once := s.before != nil; {
				case once && (err != nil || !ok):
					t.Errorf("one read: found %t, %v", ok, err)
				case !once && (err != nil || ok != c.want):
					t.Errorf("found %t, %v; want %t", ok, err, c.want)
				}
			})
		}
	}
}

// TestPointsConcurrently has emails change hands while they are asked for: each has
// one holder at any moment.
func TestPointsConcurrently(t *testing.T) {
	for _, s := range stores {
		t.Run(s.name, func(t *testing.T) {
			db := openDB(t, s.open(t), &Member{})
			list := make([]Member, 4)
			for i := range list {
				list[i] = memberOf(i)
				list[i].ID = must(kivis.TableOf[Member](db).Insert(bg, &list[i]))(t)
			}
			stop := make(chan struct{})
			var wg sync.WaitGroup
			wg.Go(func() {
				for i := 0; ; i++ {
					select {
					case <-stop:
						return
					default:
					}
					a, b := list[i%4].ID, list[(i+1)%4].ID
					check(t, swapEmails(db, a, b))
				}
			})
			for i := range 300 {
				for name, call := range pointCalls {
					if ok, err := call(db, list[i%4]); !strings.Contains(name, "key") && (err != nil || !ok) {
						t.Errorf("%s: found %t, %v", name, ok, err)
					}
				}
			}
			close(stop)
			wg.Wait()
		})
	}
}

// swapEmails has two members change their emails.
func swapEmails(db *kivis.DB, a, b kivis.ID[Member]) error {
	members := kivis.TableOf[Member](db)
	got, err := members.GetMany(bg, a, b)
	if err != nil {
		return err
	}
	other := map[kivis.ID[Member]]string{a: got[b].Email, b: got[a].Email}
	_, err = members.Where(members.Key().In(a, b)).Modify(bg, func(m *Member) error { m.Email = other[m.ID]; return nil })
	return err
}

// TestPointInTransaction: what a transaction reads so is in its footprint, and it
// sees its own writes.
func TestPointInTransaction(t *testing.T) {
	for name, call := range pointCalls {
		for _, was := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, there %t", name, was), func(t *testing.T) {
				db := openDB(t, memstore.New(), &Member{})
				members := kivis.TableOf[Member](db)
				m := memberOf(1)
				if m.ID = 1; was {
					m.ID = must(members.Put(bg, &m))(t)
				}
				tx := must(db.Begin(bg, true))(t)
				defer tx.Discard()
				check2(t, call, tx, m, was)
				if was {
					check(t, members.Delete(bg, m.ID))
				} else {
					must(members.Put(bg, &m))(t)
				}
				check2(t, call, tx, m, was) // as of its snapshot
				n := memberOf(2)
				must(kivis.TableOf[Member](tx).Insert(bg, &n))(t)
				check2(t, call, tx, n, true) // its own
				if err := tx.Commit(); !errors.Is(err, kivis.ErrConflict) {
					t.Errorf("Commit = %v, want ErrConflict", err)
				}
			})
		}
	}
}

// TestPointIsTraced: the tracer gets the plan and what was read, once for each call.
func TestPointIsTraced(t *testing.T) {
	var got []string
	tracer := &traced{end: func(r kivis.Outcome) {
		got = append(got, fmt.Sprintf("%d rows, %d entries, %s", r.Rows, r.Entries, r.Plan))
	}}
	db, err := kivis.Open(memstore.New(), &kivis.Options{Tracer: tracer})
	check(t, err)
	defer db.Close()
	check(t, db.Register(&Member{}))
	m, gone := memberOf(1), memberOf(2)
	m.ID = must(kivis.TableOf[Member](db).Insert(bg, &m))(t)
	for _, c := range []struct {
		call string
		m    Member
		want string
	}{
		{"One", m, "1 rows, 2 entries, unique get on Member.Email"},
		{"One", gone, "0 rows, 0 entries, unique get on Member.Email"},
		{"Count", m, "1 rows, 1 entries, covering unique get on Member.Email"},
		{"One by key", m, "1 rows, 1 entries, get of Member"},
	} {
		got = nil
		if _, err := pointCalls[c.call](db, c.m); err != nil || len(got) != 1 || !strings.HasPrefix(got[0], c.want) {
			t.Errorf("%s: %v, traced %q; want one that begins with %q", c.call, err, got, c.want)
		}
	}
}

// traced is a tracer that hands on how calls have ended.
type traced struct{ end func(kivis.Outcome) }

func (t *traced) Start(ctx context.Context, _ kivis.Op) context.Context { return ctx }

func (t *traced) End(_ context.Context, r kivis.Outcome) { t.end(r) }

// TestPointAllocs bounds what a point allocates in memory: the predicate, its value,
// the record and what it points to.
func TestPointAllocs(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates too")
	}
	db := openDB(t, memstore.New(), &Member{})
	m := memberOf(1)
	m.ID = must(kivis.TableOf[Member](db).Insert(bg, &m))(t)
	for call, most := range map[string]float64{"One": 4, "First": 4, "Exists": 3, "Count": 3, "One by key": 5, "Exists by key": 4} {
		fn := pointCalls[call]
		got := testing.AllocsPerRun(200, func() { must2(fn(db, m)) })
		if t.Logf("%s: %.0f", call, got); got > most {
			t.Errorf("%s allocates %.0f times, want at most %.0f", call, got, most)
		}
	}
}
