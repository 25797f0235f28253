package movein

import (
	"fmt"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/kivistest"
)

// crowd returns the people that each library is given: some have a boss who comes
// later, none of them tags that are empty.
func crowd() []Person {
	list := make([]Person, 270)
	for i := range list {
		id := kivis.ID[Person](i*3 + 7)
		list[i] = Person{ID: id, Email: fmt.Sprintf("P%d@example.com", i), Name: fmt.Sprint("name", i), Age: i % 90,
			Tags: []string{fmt.Sprint("tag", i%5), "all"}, Created: time.Date(2020, 1, 1, 0, i, 0, 0, time.UTC)}
		if i%4 == 0 {
			boss := kivis.ID[Person]((len(list)-1-i)*3 + 7)
			list[i].Boss = &boss
		}
	}
	return list
}

// empty returns a database for people.
func empty(t *testing.T) *kivis.DB { return kivistest.New(t, &Person{}) }

// compare holds what is in the database against the crowd, and asks it something.
func compare(t *testing.T, db *kivis.DB) {
	t.Helper()
	ctx := t.Context()
	for _, want := range crowd() {
		got, err := people.With(db).Get(ctx, want.ID)
		if err != nil {
			t.Fatal(err)
		}
		got.Created = got.Created.UTC()
		if fmt.Sprintf("%+v", plain(got)) != fmt.Sprintf("%+v", plain(want)) {
			t.Fatalf("%+v became %+v", plain(want), plain(got))
		}
	}
	if n, err := people.With(db).Where(personAge.Ge(60)).Count(ctx); n != 90 || err != nil {
		t.Errorf("%d people are 60, %v", n, err)
	}
	if _, err := people.With(db).Insert(ctx, &Person{Email: "new@example.com"}); err != nil {
		t.Errorf("a new person: %v", err)
	}
	if n, err := people.With(db).Count(ctx); n != 271 || err != nil {
		t.Errorf("there are %d people, %v", n, err)
	}
}

// plain returns a person whose pointer prints as what it points to.
func plain(p Person) any {
	boss := kivis.ID[Person](0)
	if p.Boss != nil {
		boss = *p.Boss
	}
	p.Boss = nil
	return struct {
		Person
		BossID kivis.ID[Person]
	}{p, boss}
}
