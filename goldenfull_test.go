package kivis_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/faultstore"
	"github.com/kivisdb/kivis/store/memstore"
)

// fullFile holds a database of format 1 with everything that one can hold: a
// table of three versions and one that was taken back, keys, indexes and
// references of every kind, values of every kind, an index that is half built,
// sequences, and the secret of page cursors with two cursors. It was written
// when format 1 was the newest, and is never written anew: -update writes it
// only where it is missing.
var fullFile = filepath.Join("testdata", "format1-full.golden")

// goldenPeople returns the people as they are read in the end.
func goldenPeople() []goldenPerson {
	ada, zip := "ada", "1000"
	return []goldenPerson{
		{ID: 1, Email: "a@example.com", Age: 36},
		{ID: 2, Email: "b@example.com", Age: 41},
		{ID: 4, Email: "D@example.com", Age: 36, Nick: &ada},
		{ID: 5, Email: "e\x00@example.com", Age: -7, Tags: []string{"x", "y", "x"}, Home: goldenHome{"Rome", &zip}},
		{ID: 6, Email: "Straße@example.com", Age: 1 << 40, Tags: []string{"y"}, Home: goldenHome{City: "Rome"}},
	}
}

func goldenValue() goldenValues {
	five := 5
	v := goldenValues{ID: 1, Bool: true, Int8: math.MinInt8, Int16: math.MinInt16, Int32: math.MinInt32, Int64: math.MinInt64,
		Uint8: math.MaxUint8, Uint16: math.MaxUint16, Uint32: math.MaxUint32, Uint64: math.MaxUint64,
		Float32: 1.5, Float64: -math.MaxFloat64, String: "s\x00ü", Bytes: []byte{}, Array: [4]byte{1, 2, 3, 4},
		Time: time.Date(1969, 12, 31, 23, 59, 59, 999999999, time.UTC), Wait: -time.Hour, Pointer: &five,
		Slice: []int16{-1, 0, 1}, Numbers: [2]float32{0, -2}, Map: map[string]int{"a": 1, "b": -1},
		Keyed: map[time.Duration]bool{time.Second: true},
		Tree:  goldenTree{Label: "root", Kids: []goldenTree{{Label: "kid"}}, Left: &goldenTree{Label: "left"}},
		URL:   &url.URL{Scheme: "https", Host: "example.com", Path: "/a"}, Couple: goldenCouple{"one", "two"},
		Any: "text"}
	v.Big.Lsh(big.NewInt(-3), 70)
	return v
}

// TestFullGoldenDatabase opens the golden database on each store and compares
// everything in it with what was put in.
func TestFullGoldenDatabase(t *testing.T) {
	text, err := os.ReadFile(fullFile)
	if errors.Is(err, os.ErrNotExist) && *update {
		text = []byte(writeFull(t))
		check(t, os.WriteFile(fullFile, text, 0o666))
		err = nil
	}
	check(t, err)
	for _, s := range stores {
		t.Run(s.name, func(t *testing.T) {
			st := s.open(t)
			facts := loadGolden(t, st, string(text))
			db := openDB(t, st, goldenFull()...)
			readFull(t, db)
			queryFull(t, db)
			pageFull(t, db, facts)
			changeFull(t, db)
		})
	}
}

// loadGolden puts the keys and values of a golden file into a store, and
// returns its facts: lines "# NAME VALUE".
func loadGolden(t *testing.T, st store.Store, text string) map[string]string {
	t.Helper()
	facts := make(map[string]string)
	tx := must(st.Begin(bg, true))(t)
	defer tx.Discard()
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if fact, ok := strings.CutPrefix(line, "# "); ok {
			name, value, _ := strings.Cut(fact, " ")
			facts[name] = value
			continue
		}
		key, value, _ := strings.Cut(line, "=")
		check(t, tx.Set(must(hex.DecodeString(key))(t), must(hex.DecodeString(value))(t)))
	}
	must(tx.Commit())(t)
	return facts
}

// openGolden opens a database over st, which stays open when it is closed.
func openGolden(t *testing.T, st store.Store, inject faultstore.Inject) *kivis.DB {
	t.Helper()
	db, err := kivis.Open(faultstore.Wrap(kept{st}, inject), nil)
	check(t, err)
	return db
}

// writeFull returns the text of a golden file.
func writeFull(t *testing.T) string {
	st := memstore.New()
	defer st.Close()
	never := faultstore.Nth(0, nil)

	db := openGolden(t, st, never)
	check(t, db.Register(&goldenPerson1{}))
	must(kivis.TableByID[goldenPerson1](db).InsertMany(bg, []goldenPerson1{
		{Mail: "a@example.com", Age: 36, Note: "first"}, {Mail: "b@example.com", Age: 41}, {Mail: "c@example.com", Age: 1}}))(t)
	check(t, db.Close())

	db = openGolden(t, st, never)
	check(t, db.Register(&goldenPerson2{}, &goldenEvent1{}))
	people2 := kivis.TableByID[goldenPerson2](db)
	p := goldenPeople()
	must(people2.Put(bg, &goldenPerson2{ID: 4, Email: p[2].Email, Age: p[2].Age, Note: "second", Nick: p[2].Nick}))(t)
	check(t, people2.Delete(bg, 3))
	must(kivis.TableByID[goldenEvent1](db).InsertMany(bg, []goldenEvent1{{What: "b"}, {What: "a"}, {What: "b"}}))(t)
	check(t, db.Close())

	db = openGolden(t, st, never)
	check(t, db.Register(slices.DeleteFunc(goldenFull(), func(r any) bool { _, ok := r.(*goldenEvent); return ok })...))
	seedFull(t, db)
	check(t, db.Close())

	db = openGolden(t, st, never)
	var refused *kivis.SchemaChangeError
	if err := db.Register(&goldenPersonTwice{}); !errors.As(err, &refused) {
		t.Fatalf("error = %v, want a SchemaChangeError", err)
	}
	check(t, db.Close())

	db = openGolden(t, st, faultstore.Nth(2, errInvalid, faultstore.Commit)) // the first is that of the catalog
	wantErr(t, db.Register(&goldenEvent{}), errInvalid)
	check(t, db.Close())
	return goldenFacts(t, st) + rawDump(t, st)
}

// seedFull writes the records of the newest types.
func seedFull(t *testing.T, db *kivis.DB) {
	t.Helper()
	must(kivis.TableByID[goldenPerson](db).InsertMany(bg, []goldenPerson{goldenPeople()[3], goldenPeople()[4]}))(t)
	lead := kivis.ID[goldenPerson](1)
	must(kivis.TableBy[goldenTeam, string](db).InsertMany(bg, []goldenTeam{{Name: "blue", Lead: &lead}, {Name: "red"}}))(t)
	must(kivis.TableBy[goldenMember, goldenMemberKey](db).InsertMany(bg, []goldenMember{{Team: "blue", Number: 1, Person: 2}, {Team: "blue", Number: 300, Person: 4}, {Team: "red", Number: 1, Person: 4}}))(t)
	must(kivis.TableBy[goldenShirt, int32](db).InsertMany(bg, []goldenShirt{{Team: "blue", Number: 300}, {}}))(t)
	must(kivis.TableBy[goldenSession, [16]byte](db).Insert(bg, &goldenSession{ID: goldenUUID, User: 5}))(t)
	must(kivis.TableBy[goldenBlob, [32]byte](db).Insert(bg, &goldenBlob{Data: []byte("data")}))(t)
	must(kivis.TableOf[goldenPlace](db).Insert(bg, &goldenPlace{Country: "IT", City: "Rome"}))(t)
	v := goldenValue()
	must(kivis.TableByID[goldenValues](db).Insert(bg, &v))(t)
}

// goldenFacts returns page cursors of the database in st.
func goldenFacts(t *testing.T, st store.Store) string {
	t.Helper()
	to := memstore.New() // so that half a build stays half
	loadGolden(t, to, rawDump(t, st))
	db := openDB(t, to, goldenFull()...)
	people := kivis.TableByID[goldenPerson](db)
	byAge := must(people.Query().OrderBy(goldenAge.Desc()).Page(bg, 2, ""))(t)
	byKey := must(people.Where(goldenAge.Gt(0)).Page(bg, 2, ""))(t)
	return fmt.Sprintf("# age %s\n# key %s\n", byAge.Next, byKey.Next)
}

// rawDump returns a store's content as lines of hex, the secret too.
func rawDump(t *testing.T, st store.Store) string {
	t.Helper()
	tx := must(st.Begin(bg, false))(t)
	defer tx.Discard()
	c := must(tx.Scan(store.Range{}))(t)
	defer c.Close()
	var b strings.Builder
	for c.Next() {
		fmt.Fprintf(&b, "%x=%x\n", c.Key(), c.Value())
	}
	check(t, c.Err())
	return b.String()
}
