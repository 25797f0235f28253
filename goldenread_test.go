package kivis_test

import (
	"crypto/sha256"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/kivisdb/kivis"
)

var (
	goldenUUID  = [16]byte{1, 0x90, 0xA1, 0xB2, 0xC3, 0xD4, 0x70, 1, 0x80, 2, 3, 4, 5, 6, 7, 8}
	goldenEmail = kivis.FieldOf(func(p *goldenPerson) *string { return &p.Email })
	goldenAge   = kivis.FieldOf(func(p *goldenPerson) *int64 { return &p.Age })
	goldenNick  = kivis.FieldOf(func(p *goldenPerson) **string { return &p.Nick })
	goldenTags  = kivis.FieldOf(func(p *goldenPerson) *[]string { return &p.Tags })
	goldenCity  = kivis.FieldOf(func(p *goldenPerson) *string { return &p.Home.City })
	goldenWhat  = kivis.FieldOf(func(e *goldenEvent) *string { return &e.What })
	goldenUser  = kivis.FieldOf(func(s *goldenSession) *kivis.ID[goldenPerson] { return &s.User })
)

// wantAll fails the test unless a query finds exactly the wanted records.
func wantAll[R any, K comparable](t *testing.T, name string, q kivis.Query[R, K], want ...R) {
	t.Helper()
	got := must(q.Collect(bg))(t)
	if len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
		t.Errorf("%s = %+v, want %+v", name, got, want)
	}
}

// readFull reads every record, from the tables themselves.
func readFull(t *testing.T, db *kivis.DB) {
	t.Helper()
	wantAll(t, "people", kivis.TableByID[goldenPerson](db).Query(), goldenPeople()...)
	lead := kivis.ID[goldenPerson](1)
	wantAll(t, "teams", kivis.TableBy[goldenTeam, string](db).Query(), goldenTeam{Name: "blue", Lead: &lead}, goldenTeam{Name: "red"})
	wantAll(t, "members", kivis.TableBy[goldenMember, goldenMemberKey](db).Query(),
		goldenMember{Team: "blue", Number: 300, Person: 4}, goldenMember{Team: "blue", Number: 1, Person: 2}, goldenMember{Team: "red", Number: 1, Person: 4})
	wantAll(t, "shirts", kivis.TableBy[goldenShirt, int32](db).Query(), goldenShirt{ID: 2}, goldenShirt{ID: 1, Team: "blue", Number: 300})
	wantAll(t, "sessions", kivis.TableBy[goldenSession, [16]byte](db).Query(), goldenSession{ID: goldenUUID, User: 5})
	blobs := kivis.TableBy[goldenBlob, [32]byte](db)
	sum := sha256.Sum256([]byte("\x81\xa4Data\xc4\x04data"))
	wantAll(t, "blobs", blobs.Query(), goldenBlob{Sum: sum, Data: []byte("data")})
	if key := must(blobs.Put(bg, &goldenBlob{Data: []byte("data")}))(t); key != sum {
		t.Errorf("the same content has the address %x, want %x", key, sum)
	}
	place := must(kivis.TableOf[goldenPlace](db).Get(bg, "IT/Rome"))(t)
	if want := (goldenPlace{Country: "IT", City: "Rome"}); place != want {
		t.Errorf("place = %+v, want %+v", place, want)
	}
	wantAll(t, "values", kivis.TableByID[goldenValues](db).Query(), goldenValue())
}

// queryFull asks each index of the people, and the one whose build was stopped.
func queryFull(t *testing.T, db *kivis.DB) {
	t.Helper()
	p := goldenPeople()
	people := kivis.TableByID[goldenPerson](db)
	wantAll(t, "unique, folded", people.Where(kivis.EqualFold(goldenEmail, "d@EXAMPLE.com")).Using("Email"), p[2])
	wantAll(t, "descending", people.Query().OrderBy(goldenAge.Desc()).Using("Age"), p[4], p[1], p[0], p[2], p[3])
	wantAll(t, "range of a widened field", people.Where(goldenAge.Between(-10, 36)).OrderBy(goldenAge.Asc()).Using("Age"), p[3], p[0], p[2])
	ada := "ada"
	wantAll(t, "unique, nilable", people.Where(goldenNick.Eq(&ada)).Using("Nick"), p[2])
	wantAll(t, "unique, nil", people.Where(kivis.IsNil(goldenNick)).Using("Nick"), p[0], p[1], p[3], p[4])
	wantAll(t, "each element", people.Where(kivis.Contains(goldenTags, "y")).Using("Tags"), p[3], p[4])
	wantAll(t, "nested", people.Where(goldenCity.Eq("Rome")).Using("home"), p[4], p[3])
	wantAll(t, "nested zero of older versions", people.Where(goldenCity.Eq("")).Using("home"), p[1], p[0], p[2])
	wantAll(t, "a reference", kivis.TableBy[goldenSession, [16]byte](db).Where(goldenUser.Eq(5)).Using("User"),
		goldenSession{ID: goldenUUID, User: 5})
	wantAll(t, "half built", kivis.TableByID[goldenEvent](db).Where(goldenWhat.Eq("b")).Using("What"),
		goldenEvent{ID: 1, What: "b"}, goldenEvent{ID: 3, What: "b"})
}

// pageFull goes on from the golden page cursors.
func pageFull(t *testing.T, db *kivis.DB, facts map[string]string) {
	t.Helper()
	people := kivis.TableByID[goldenPerson](db)
	for _, test := range []struct {
		name  string
		query kivis.Query[goldenPerson, kivis.ID[goldenPerson]]
		want  []kivis.ID[goldenPerson]
	}{
		{"age", people.Query().OrderBy(goldenAge.Desc()), []kivis.ID[goldenPerson]{1, 4, 5}},
		{"key", people.Where(goldenAge.Gt(0)), []kivis.ID[goldenPerson]{4, 6}},
	} {
		page, err := test.query.Page(bg, 10, facts[test.name])
		if err != nil || facts[test.name] == "" {
			t.Fatalf("page by %s from %q: %v", test.name, facts[test.name], err)
		}
		var got []kivis.ID[goldenPerson]
		for _, p := range page.Records {
			got = append(got, p.ID)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("page by %s = %v, want %v", test.name, got, test.want)
		}
		back := must(test.query.Page(bg, 10, page.Prev))(t)
		if len(back.Records) != 2 {
			t.Errorf("the page before by %s has %d records, want 2", test.name, len(back.Records))
		}
	}
}

// changeFull writes into the golden database: its sequences go on, and its
// rules hold.
func changeFull(t *testing.T, db *kivis.DB) {
	t.Helper()
	people := kivis.TableByID[goldenPerson](db)
	for _, next := range []struct {
		name   string
		insert func() (string, error)
		want   string
	}{
		{"people", func() (string, error) {
			k, err := people.Insert(bg, &goldenPerson{Email: "new"})
			return fmt.Sprint(k), err
		}, "7"},
		{"events", func() (string, error) {
			k, err := kivis.TableByID[goldenEvent](db).Insert(bg, &goldenEvent{What: "b"})
			return fmt.Sprint(k), err
		}, "4"},
		{"shirts", func() (string, error) {
			k, err := kivis.TableBy[goldenShirt, int32](db).Insert(bg, &goldenShirt{})
			return fmt.Sprint(k), err
		}, "3"},
	} {
		if got, err := next.insert(); err != nil || got != next.want {
			t.Errorf("the next id of %s is %s, %v, want %s", next.name, got, err, next.want)
		}
	}
	_, err := people.Insert(bg, &goldenPerson{Email: "A@Example.com"})
	wantErr(t, err, kivis.ErrExists)
	wantErr(t, people.Delete(bg, 2), kivis.ErrReference) // members restrict
	wantErr(t, people.Delete(bg, 5), kivis.ErrReference) // sessions do
	_, err = kivis.TableBy[goldenTeam, string](db).Insert(bg, &goldenTeam{Name: "green", Lead: new(kivis.ID[goldenPerson](9))})
	wantErr(t, err, kivis.ErrReference)
	check(t, people.Delete(bg, 1))
	wantAll(t, "teams after a delete that sets null", kivis.TableBy[goldenTeam, string](db).Query(), goldenTeam{Name: "blue"}, goldenTeam{Name: "red"})
	check(t, kivis.TableBy[goldenShirt, int32](db).Delete(bg, 1)) // or it would dangle, as its rule has it
	check(t, kivis.TableBy[goldenTeam, string](db).Delete(bg, "blue"))
	wantAll(t, "members after a delete that cascades", kivis.TableBy[goldenMember, goldenMemberKey](db).Query(), goldenMember{Team: "red", Number: 1, Person: 4})
}
