package kivis_test

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/memstore"
)

var update = flag.Bool("update", false, "write golden files anew")

// goldenFile holds every key and value of a database of format 2, as hex. The
// one of format 1 stays as it is: a release that changes what is written adds
// another.
var goldenFile = filepath.Join("testdata", "format2.golden")

// writeGolden fills a database with one of everything.
func writeGolden(t *testing.T, db *kivis.DB) {
	t.Helper()
	check(t, db.Register(&Airport{}, &Flight{}, &User{}, &Customer{}, &Tenant{}))
	must(kivis.TableBy[Airport, IATA](db).InsertMany(bg, []Airport{
		{Code: "JFK", Name: "John F Kennedy Intl", City: "New York", State: "NY", Latitude: 40.64, Longitude: -73.78},
		{Code: "ORD", City: "Chicago\x00", State: "IL"},
	}))(t)
	must(kivis.TableOf[Flight](db).InsertMany(bg, []Flight{
		{Departs: time.Date(2001, 2, 6, 17, 9, 0, 5, time.UTC), Delay: 153, Distance: 740, Origin: "ORD", Destination: "JFK"},
		{Departs: time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC), Delay: -3, Origin: "JFK", Destination: "ORD"},
	}))(t)
	nick := "ada"
	must(kivis.TableOf[User](db).InsertMany(bg, []User{
		{Email: "ada@example.com", Name: "Ada Lovelace", Nick: &nick, Tags: []string{"math", "engine", "math"}},
		{Email: "bob@example.com", Name: "BOB", Boss: 1},
	}))(t)
	must(kivis.TableBy[Tenant, string](db).Insert(bg, &Tenant{"acme"}))(t)
	must(kivis.TableBy[Customer, CustomerKey](db).Insert(bg, &Customer{"acme", -7, "Wile"}))(t)
}

// hexDump returns a store's content as lines of hex, the secret and the
// incarnation set to zeros.
func hexDump(t *testing.T, st store.Store) string {
	t.Helper()
	tx := must(st.Begin(bg, false))(t)
	defer tx.Discard()
	c := must(tx.Scan(store.Range{}))(t)
	defer c.Close()
	var b strings.Builder
	for c.Next() {
		value := c.Value()
		if bytes.Equal(c.Key(), []byte{0x80, 0x83}) {
			value = make([]byte, len(value))
		}
		if bytes.Equal(c.Key(), schema.IncarnationKey()) {
			value = schema.Incarnation{}.Encode()
		}
		fmt.Fprintf(&b, "%x=%x\n", c.Key(), value)
	}
	check(t, c.Err())
	return b.String()
}

// TestGoldenDatabase pins the bytes of a whole database, and opens the ones
// that are kept.
func TestGoldenDatabase(t *testing.T) {
	st := memstore.New()
	db, err := kivis.Open(kept{st}, nil)
	check(t, err)
	writeGolden(t, db)
	check(t, db.Close())
	got := hexDump(t, st)
	check(t, st.Close())
	if *update {
		check(t, os.MkdirAll(filepath.Dir(goldenFile), 0o777))
		check(t, os.WriteFile(goldenFile, []byte(got), 0o666))
	}
	want := string(must(os.ReadFile(goldenFile))(t))
	if got != want {
		t.Errorf("the database's bytes have changed:\n%s\nwant\n%s", got, want)
	}
	readGolden(t, want)
	readGolden(t, string(must(os.ReadFile(filepath.Join("testdata", "format1.golden")))(t)))
}

// readGolden opens a database of the golden file's content and reads it.
func readGolden(t *testing.T, text string) {
	t.Helper()
	st := memstore.New()
	tx := must(st.Begin(bg, true))(t)
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		check(t, tx.Set(must(hex.DecodeString(key))(t), must(hex.DecodeString(value))(t)))
	}
	must(tx.Commit())(t)
	db := openDB(t, st, &User{}, &Flight{}, &Airport{}, &Tenant{}, &Customer{})
	f := must(kivis.TableOf[Flight](db).Get(bg, 1))(t)
	if f.Delay != 153 || f.Origin != "ORD" || !f.Departs.Equal(time.Date(2001, 2, 6, 17, 9, 0, 5, time.UTC)) {
		t.Errorf("flight = %+v", f)
	}
	u := must(kivis.TableOf[User](db).Where(email.Eq("ada@example.com")).One(bg))(t)
	if u.Name != "Ada Lovelace" || u.Nick == nil || *u.Nick != "ada" || len(u.Tags) != 3 {
		t.Errorf("user = %+v", u)
	}
	if id := must(kivis.TableOf[User](db).Insert(bg, &User{Email: "new"}))(t); id != 3 {
		t.Errorf("the next id is %d, want 3", id)
	}
	if c := must(kivis.TableBy[Customer, CustomerKey](db).Get(bg, CustomerKey{"acme", -7}))(t); c.Name != "Wile" {
		t.Errorf("customer = %+v", c)
	}
}
