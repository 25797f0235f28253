package migrate_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store/memstore"
)

// Two versions of a program: stations have ids, and then codes; lines refer to them,
// and stations to each other.
type (
	station1 struct {
		_ struct{} `kivis:"table=stations"`
		kivis.Auto[station1]
		Code string             `kivis:"unique"`
		Next kivis.ID[station1] `kivis:"ref=stations,optional,ondelete=setnull"`
		Name string             `kivis:"index"`
	}
	line1 struct {
		_    struct{} `kivis:"table=lines"`
		ID   kivis.ID[line1]
		From kivis.ID[station1]  `kivis:"ref=stations,ondelete=cascade"`
		To   *kivis.ID[station1] `kivis:"ref=stations"`
		Seat int                 `kivis:"index"`
	}
	ticket1 struct {
		_    struct{}        `kivis:"table=tickets"`
		ID   int             `kivis:"key"`
		Line kivis.ID[line1] `kivis:"ref=lines"`
	}
	ticket2 struct {
		_    struct{}        `kivis:"table=tickets"`
		ID   int             `kivis:"key"`
		Line kivis.ID[line2] `kivis:"ref=lines"`
	}
	ticket3 struct {
		_    struct{}        `kivis:"table=tickets"`
		ID   int             `kivis:"key"`
		Line kivis.ID[line3] `kivis:"ref=lines"`
	}
	station2 struct {
		_    struct{} `kivis:"table=stations"`
		Code string   `kivis:"key"`
		Next string   `kivis:"ref=stations,optional,ondelete=setnull"`
		Name string   `kivis:"index"`
	}
	line2 struct {
		_    struct{} `kivis:"table=lines"`
		ID   kivis.ID[line2]
		From string  `kivis:"ref=stations,ondelete=cascade"`
		To   *string `kivis:"ref=stations"`
		Seat int     `kivis:"index"`
	}
	station3 struct {
		_ struct{} `kivis:"table=stations"`
		kivis.Auto[station3]
		Code string             `kivis:"unique"`
		Next kivis.ID[station3] `kivis:"ref=stations,optional,ondelete=setnull"`
	}
	line3 struct {
		_    struct{} `kivis:"table=lines"`
		ID   kivis.ID[line3]
		From kivis.ID[station3]  `kivis:"ref=stations,ondelete=cascade"`
		To   *kivis.ID[station3] `kivis:"ref=stations"`
		Seat int                 `kivis:"index"`
	}
)

func toCodes(o station1) (station2, error) {
	if strings.HasPrefix(o.Code, "bad") {
		return station2{}, fmt.Errorf("the code %s is no code", o.Code)
	}
	return station2{Code: o.Code[1:], Name: o.Name}, nil
}

func toIDs(o station2) (station3, error) { return station3{Code: o.Code}, nil }

// network writes n stations, of which each leads to the next and the last to the
// first, and lines between them, with tickets.
func network(t *testing.T, st kept, n int) {
	t.Helper()
	ctx := t.Context()
	db := open(t, st, nil, &station1{}, &line1{}, &ticket1{})
	defer db.Close()
	stations, lines := kivis.TableOf[station1](db), kivis.TableByID[line1](db)
	for i := range n {
		must(stations.Insert(ctx, &station1{Code: fmt.Sprintf("x%03d", i), Name: fmt.Sprint("name", i%7)}))(t)
	}
	for i := range n {
		next := kivis.ID[station1]((i+1)%n + 1)
		check(t, second(stations.Modify(ctx, kivis.ID[station1](i+1), func(s *station1) error { s.Next = next; return nil })))
		l := line1{From: kivis.ID[station1](i + 1), Seat: i % 9}
		if i%3 > 0 {
			l.To = &next
		}
		id := must(lines.Insert(ctx, &l))(t)
		must(kivis.TableBy[ticket1, int](db).Insert(ctx, &ticket1{ID: i, Line: id}))(t)
	}
	must(lines.Insert(ctx, &line1{From: 1}))(t)
	check(t, lines.Delete(ctx, kivis.ID[line1](n+1))) // its id is never given again
}

// TestKeyChange gives stations their codes as keys, and then ids again: what refers
// to them refers to the same ones, and every rule holds.
func TestKeyChange(t *testing.T) {
	const n = 300
	ctx := t.Context()
	st := kept{memstore.New()}
	network(t, st, n)
	db := open(t, st, nil)
	diff, err := db.Diff(ctx, &station2{}, &line2{}, &ticket2{}, kivis.Migrate(toCodes))
	check(t, err)
	if text := diff.String(); diff.Class() != schema.Rewrite || !strings.Contains(text, "changed key: auto (ID uint) to plain (Code string); references to it are carried along (rewrite, 300 records)") {
		t.Errorf("Diff:\n%s", text)
	}
	check(t, db.Register(&station2{}, &line2{}, &ticket2{}, kivis.Migrate(toCodes)))
	checkNetwork(t, db, n)
	stations, lines := kivis.TableBy[station2, string](db), kivis.TableByID[line2](db)
	code := func(i int) string { return fmt.Sprintf("%03d", i%n) }
	if got := must(lines.Insert(ctx, &line2{From: "000"}))(t); got <= n+1 {
		t.Errorf("a new line has the id %d, which was given before", got)
	}
	var ref *kivis.ReferenceError
	if _, err := lines.Insert(ctx, &line2{From: "nowhere"}); !errors.As(err, &ref) {
		t.Errorf("a line from nowhere: %v", err)
	}
	if err := stations.Delete(ctx, "005"); !errors.As(err, &ref) {
		t.Errorf("a station to which lines lead is deleted: %v", err)
	}
	clean(t, db)
	if names := len(db.Tables()); names != 3 {
		t.Errorf("there are %d tables: %v", names, db.Tables())
	}
	check(t, db.Close())

	db = open(t, st, nil, &station2{}, &line2{}, &ticket2{}, kivis.Migrate(toCodes)) // nothing is left to do
	check(t, db.Close())
	db = open(t, st, nil, &station3{}, &line3{}, &ticket3{}, kivis.Migrate(toCodes), kivis.Migrate(toIDs))
	third := kivis.TableOf[station3](db)
	by := map[kivis.ID[station3]]string{}
	for s, err := range third.All(ctx) {
		check(t, err)
		by[s.ID] = s.Code
	}
	for s, err := range third.All(ctx) {
		check(t, err)
		var i int
		fmt.Sscanf(s.Code, "%d", &i)
		if by[s.Next] != code(i+1) {
			t.Fatalf("%s leads to %s", s.Code, by[s.Next])
		}
	}
	for l, err := range kivis.TableByID[line3](db).Range(1, n+1).All(ctx) {
		check(t, err)
		if i := int(l.ID) - 1; by[l.From] != code(i) || l.To != nil && by[*l.To] != code(i+1) {
			t.Fatalf("line %d is %+v", i, l)
		}
	}
	clean(t, db)
	check(t, db.Close())
}

// TestKeyChangeRefused names all that is in the way, and changes nothing.
func TestKeyChangeRefused(t *testing.T) {
	ctx := t.Context()
	st := kept{memstore.New()}
	network(t, st, 40)
	db := open(t, st, nil, &station1{}, &line1{}, &ticket1{})
	for _, c := range []string{"bad1", "bad2", "y001", "z001", "bad3"} {
		must(kivis.TableOf[station1](db).Insert(ctx, &station1{Code: c}))(t)
	}
	check(t, db.Close())
	db = open(t, st, nil)
	before := db.Tables()
	for name, test := range map[string]struct {
		records []any
		want    []string
	}{
		"failures and collisions": {[]any{&station2{}, &line2{}, &ticket2{}, kivis.Migrate(toCodes)},
			[]string{"record 41: migration: the code bad1", "record 42", "record 43", `2 gets the key "001" too`, "record 44", "record 45"}},
		"no function":           {[]any{&station2{}, &line2{}, &ticket2{}}, []string{"changed key", "pass Register a migration"}},
		"a referrer is missing": {[]any{&station2{}, kivis.Migrate(toCodes)}, []string{"lines refers to it", "register the newest record of lines"}},
	} {
		err := db.Register(test.records...)
		for _, want := range test.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q in it", name, err, want)
			}
		}
		if after := db.Tables(); len(after) != len(before) {
			t.Errorf("%s: tables were %v, and are %v", name, before, after)
		}
	}
	check(t, db.Register(&station1{}, &line1{}, &ticket1{}))
	stations := kivis.TableOf[station1](db)
	if got := must(stations.Count(ctx))(t); got != 45 {
		t.Errorf("%d stations, want 45", got)
	}
	for id := range 5 { // mended, it completes
		check(t, second(stations.Modify(ctx, kivis.ID[station1](41+id), func(s *station1) error { s.Code = fmt.Sprint("x9", id); return nil })))
	}
	clean(t, db)
	check(t, db.Close())
	db = open(t, st, nil, &station2{}, &line2{}, &ticket2{}, kivis.Migrate(toCodes))
	if got := must(kivis.TableBy[station2, string](db).Count(ctx))(t); got != 45 {
		t.Errorf("%d stations, want 45", got)
	}
	clean(t, db)
	check(t, db.Close())
}

// checkNetwork holds the database of the second version against what network wrote.
func checkNetwork(t *testing.T, db *kivis.DB, n int) {
	t.Helper()
	ctx := t.Context()
	stations, lines := kivis.TableBy[station2, string](db), kivis.TableByID[line2](db)
	code := func(i int) string { return fmt.Sprintf("%03d", i%n) }
	for i := range n {
		if got, want := must(stations.Get(ctx, code(i)))(t), (station2{Code: code(i), Next: code(i + 1), Name: fmt.Sprint("name", i%7)}); got != want {
			t.Fatalf("station %d is %+v, want %+v", i, got, want)
		}
		l := must(lines.Get(ctx, kivis.ID[line2](i+1)))(t)
		if l.From != code(i) || (l.To != nil) != (i%3 > 0) || l.To != nil && *l.To != code(i+1) || l.Seat != i%9 {
			t.Fatalf("line %d is %+v", i, l)
		}
	}
	if got := must(stations.Count(ctx))(t); got != n {
		t.Errorf("%d stations, want %d", got, n)
	}
	clean(t, db)
}

// Versions of a room, whose key becomes one of two parts, and a digest, and a
// computed one.
type (
	room1 struct {
		_    struct{} `kivis:"table=rooms"`
		ID   kivis.ID[room1]
		Hall string
		No   int
		Twin *kivis.ID[room1] `kivis:"ref=rooms"`
	}
	guest1 struct {
		_    struct{}         `kivis:"table=guests"`
		Name string           `kivis:"key"`
		Room *kivis.ID[room1] `kivis:"ref=rooms,ondelete=setnull"`
	}
	room2 struct {
		_        struct{} `kivis:"table=rooms,ref=rooms(TwinHall,TwinNo)"`
		Hall     string   `kivis:"key"`
		No       int      `kivis:"key"`
		TwinHall *string
		TwinNo   *int
	}
	guest2 struct {
		_    struct{} `kivis:"table=guests,ref=rooms(Hall,No)"`
		Name string   `kivis:"key"`
		Hall *string
		No   *int
	}
	room3 struct {
		_    struct{} `kivis:"table=rooms"`
		Hall string
		No   int
	}
	guest3 struct {
		_    struct{} `kivis:"table=guests"`
		Name string   `kivis:"key"`
		Room string   `kivis:"ref=rooms,optional"`
	}
)

// PrimaryKey computes the key.
func (r *room3) PrimaryKey() string { return fmt.Sprintf("%s/%d", r.Hall, r.No) }

// TestKeyChangeToParts gives rooms a key of two parts, which two fields refer to.
func TestKeyChangeToParts(t *testing.T) {
	ctx := t.Context()
	st := kept{memstore.New()}
	db := open(t, st, nil, &room1{}, &guest1{})
	a := must(kivis.TableByID[room1](db).Insert(ctx, &room1{Hall: "a", No: 1}))(t)
	b := must(kivis.TableByID[room1](db).Insert(ctx, &room1{Hall: "b", No: 2, Twin: &a}))(t)
	must(kivis.TableBy[guest1, string](db).Insert(ctx, &guest1{Name: "x", Room: &b}))(t)
	must(kivis.TableBy[guest1, string](db).Insert(ctx, &guest1{Name: "y"}))(t)
	check(t, db.Close())
	split := kivis.Migrate(func(r room1) (room2, error) { return room2{Hall: r.Hall, No: r.No}, nil })
	db = open(t, st, nil, &room2{}, &guest2{}, split)
	type key struct {
		Hall string
		No   int
	}
	room := must(kivis.TableBy[room2, key](db).Get(ctx, key{"b", 2}))(t)
	if room.TwinHall == nil || *room.TwinHall != "a" || *room.TwinNo != 1 {
		t.Errorf("room b is %+v", room)
	}
	x, y := must(kivis.TableBy[guest2, string](db).Get(ctx, "x"))(t), must(kivis.TableBy[guest2, string](db).Get(ctx, "y"))(t)
	if x.Hall == nil || *x.Hall != "b" || *x.No != 2 || y.Hall != nil || y.No != nil {
		t.Errorf("guests are %+v and %+v", x, y)
	}
	clean(t, db)
	check(t, db.Close())

	join := kivis.Migrate(func(r room2) (room3, error) { return room3{Hall: r.Hall, No: r.No}, nil })
	db = open(t, st, nil)
	if err := db.Register(&room3{}, &guest3{}, join); err == nil || !strings.Contains(err.Error(), "computed") {
		t.Errorf("references to a computed key: %v", err)
	}
	rooms := must(kivis.TableNamed(db, "rooms").Count(ctx))(t)
	clean(t, db)
	if names := db.Tables(); rooms != 2 || len(names) != 2 {
		t.Errorf("after a failure there are %d rooms, in %d tables", rooms, len(names))
	}
	check(t, db.Close())
}
