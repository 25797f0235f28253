package kivis_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
)

// model is what a database of users and posts should hold, kept naively.
type model struct {
	users map[kivis.ID[User]]User
	posts map[kivis.ID[Post]]Post
}

func newModel() *model {
	return &model{map[kivis.ID[User]]User{}, map[kivis.ID[Post]]Post{}}
}

func (m *model) clone() *model {
	c := newModel()
	for k, v := range m.users {
		c.users[k] = v
	}
	for k, v := range m.posts {
		c.posts[k] = v
	}
	return c
}

// putUser returns the error that writing u should have.
func (m *model) putUser(u User) error {
	if u.Name == "invalid" {
		return errInvalid
	}
	for id, other := range m.users {
		if id == u.ID {
			continue
		}
		if other.Email == u.Email || other.Nick != nil && u.Nick != nil && *other.Nick == *u.Nick {
			return kivis.ErrExists
		}
	}
	if _, ok := m.users[u.Boss]; u.Boss != 0 && !ok && u.Boss != u.ID {
		return kivis.ErrReference
	}
	m.users[u.ID] = u
	return nil
}

func (m *model) deleteUser(id kivis.ID[User]) error {
	if _, ok := m.users[id]; !ok {
		return kivis.ErrNotFound
	}
	delete(m.users, id)
	for pid, p := range m.posts {
		if p.Author == id {
			delete(m.posts, pid)
		}
	}
	for uid, u := range m.users {
		if u.Boss == id {
			u.Boss = 0
			m.users[uid] = u
		}
	}
	return nil
}

func (m *model) putPost(p Post) error {
	if _, ok := m.users[p.Author]; !ok {
		return kivis.ErrReference
	}
	m.posts[p.ID] = p
	return nil
}

// step is one random call on the database and on the model.
type stepper struct {
	t   *testing.T
	rng *rand.Rand
	m   *model
}

func (s *stepper) user() User {
	u := User{Email: fmt.Sprint(s.rng.IntN(12)), Name: []string{"Ada", "ada", "Bob", "", "invalid"}[s.rng.IntN(5)]}
	if s.rng.IntN(2) == 0 {
		nick := fmt.Sprint(s.rng.IntN(5))
		u.Nick = &nick
	}
	for range s.rng.IntN(3) {
		u.Tags = append(u.Tags, string(rune('a'+s.rng.IntN(3))))
	}
	if s.rng.IntN(3) == 0 {
		u.Boss = kivis.ID[User](s.rng.IntN(20))
	}
	return u
}

func (s *stepper) someUser() kivis.ID[User] {
	for id := range s.m.users {
		if s.rng.IntN(3) == 0 {
			return id
		}
	}
	return kivis.ID[User](s.rng.IntN(30))
}

func (s *stepper) step(ctx context.Context, conn kivis.Conn) {
	users, posts := kivis.TableOf[User](conn), kivis.TableOf[Post](conn)
	var got, want error
	op := s.rng.IntN(8)
	switch op {
	case 0, 1:
		u := s.user()
		_, got = users.Insert(ctx, &u)
		if got != nil {
			u.ID = 1 << 40 // no id was drawn
		}
		want = s.m.putUser(u)
		if got != nil {
			delete(s.m.users, 1<<40)
		}
	case 2:
		u := s.user()
		u.ID = s.someUser()
		if u.ID == 0 {
			return
		}
		_, got = users.Put(ctx, &u)
		want = s.m.putUser(u)
	case 3:
		u := s.user()
		u.ID = s.someUser()
		got = users.Replace(ctx, &u)
		if _, ok := s.m.users[u.ID]; ok || u.Name == "invalid" {
			want = s.m.putUser(u)
		} else {
			want = kivis.ErrNotFound
		}
	case 4:
		id := s.someUser()
		got, want = users.Delete(ctx, id), s.m.deleteUser(id)
	case 5:
		p := Post{Author: s.someUser(), Title: fmt.Sprint(s.rng.IntN(100))}
		_, got = posts.Insert(ctx, &p)
		if got != nil {
			p.ID = 1 << 40
		}
		want = s.m.putPost(p)
		if got != nil {
			delete(s.m.posts, 1<<40)
		}
	case 6:
		id := s.someUser()
		fresh := s.user()
		_, got = users.Modify(ctx, id, func(u *User) error { u.Email, u.Tags = fresh.Email, fresh.Tags; return nil })
		if u, ok := s.m.users[id]; ok {
			u.Email, u.Tags = fresh.Email, fresh.Tags
			want = s.m.putUser(u)
		} else {
			want = kivis.ErrNotFound
		}
	case 7:
		s.nested(ctx, conn)
	}
	if !errors.Is(got, want) {
		s.t.Fatalf("operation %d: error = %v, want %v", op, got, want)
	}
}

// nested runs a few steps in a transaction or nested step that may be undone.
func (s *stepper) nested(ctx context.Context, conn kivis.Conn) {
	undo := s.rng.IntN(2) == 0
	before := s.m.clone()
	err := conn.Update(ctx, func(ctx context.Context, tx *kivis.Tx) error {
		s.m = before.clone()
		for range s.rng.IntN(4) {
			s.step(ctx, tx)
		}
		if undo {
			return errUndo
		}
		return nil
	})
	switch {
	case undo && errors.Is(err, errUndo):
		s.m = before
	case err != nil || undo:
		s.t.Fatalf("nested: %v", err)
	}
}

var errUndo = errors.New("undo this")

// compare holds the database against the model.
func (s *stepper) compare(db *kivis.DB) {
	s.t.Helper()
	users := map[kivis.ID[User]]User{}
	for u, err := range kivis.TableOf[User](db).All(bg) {
		check(s.t, err)
		users[u.ID] = u
	}
	posts := map[kivis.ID[Post]]Post{}
	for p, err := range kivis.TableOf[Post](db).All(bg) {
		check(s.t, err)
		posts[p.ID] = p
	}
	if !reflect.DeepEqual(users, s.m.users) || !reflect.DeepEqual(posts, s.m.posts) {
		s.t.Fatalf("the database holds\n%v\n%v\nwant\n%v\n%v", users, posts, s.m.users, s.m.posts)
	}
	for mail := range 12 {
		n := must(kivis.TableOf[User](db).Where(email.Eq(fmt.Sprint(mail))).Count(bg))(s.t)
		want := 0
		for _, u := range s.m.users {
			if u.Email == fmt.Sprint(mail) {
				want++
			}
		}
		if n != want {
			s.t.Fatalf("%d users with Email %d by the index, want %d", n, mail, want)
		}
	}
}

// TestModel makes random calls on a database and on a naive model of it, and
// compares the two and the database with itself all the time.
func TestModel(t *testing.T) {
	rounds, steps := 30, 200
	if testing.Short() {
		rounds = 5
	}
	onStores(t, []any{&User{}, &Post{}}, func(t *testing.T, _ *kivis.DB) {
		for range rounds {
			seed := uint64(time.Now().UnixNano())
			ok := t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
				store := stores[0]
				if strings.Contains(t.Name(), "badger") {
					store = stores[1]
				}
				db := openDB(t, store.open(t), &User{}, &Post{})
				s := &stepper{t: t, rng: rand.New(rand.NewPCG(seed, 0)), m: newModel()}
				for i := range steps {
					s.step(bg, db)
					if i%20 == 0 {
						s.compare(db)
					}
				}
				s.compare(db)
			})
			if !ok {
				t.Logf("failed with seed %d", seed)
				return
			}
		}
	})
}
