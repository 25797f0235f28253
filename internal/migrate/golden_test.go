package migrate_test

import (
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
	"github.com/kivisdb/kivis/store/memstore"
)

var update = flag.Bool("update", false, "write the golden database, where there is none")

// goldenFile holds a database of format 3 with all that came with it: a migration
// and a change of keys that were killed half way, a table with former names, fields
// that have moved, keys in an order of their own, an index of elements' fields. It was
// written when format 3 was the newest, and is never written anew.
var goldenFile = filepath.Join("testdata", "format3.golden")

// The types of the golden database, beside those of other tests here. They stay as
// they are.
type (
	hostOld struct {
		_    struct{}   `kivis:"table=machines"`
		Addr netip.Addr `kivis:"key"`
		Name string
		Port uint16 `kivis:"index"`
	}
	host struct {
		_     struct{}   `kivis:"table=hosts,was=machines,index=tags(Disks.Label:each)"`
		Addr  netip.Addr `kivis:"key"`
		About struct {
			Name string `kivis:"was=.Name"`
		}
		Port  uint16 `kivis:"index"`
		Disks []disk
	}
	disk struct {
		Label string
		Size  int
	}
)

var hostLabel = kivis.EachOf(kivis.FieldOf(func(h *host) *[]disk { return &h.Disks }), func(d *disk) *string { return &d.Label })

const goldenPeople, goldenStations = 700, 60

// writeGolden fills a store.
func writeGolden(t *testing.T, mem kept) {
	ctx := t.Context()
	db := open(t, mem, nil, &hostOld{})
	for i := range 5 {
		addr := netip.MustParseAddr(fmt.Sprintf("10.0.%d.%d", i%2, 200-i))
		must(kivis.TableBy[hostOld, netip.Addr](db).Insert(ctx, &hostOld{Addr: addr, Name: fmt.Sprint("old", i), Port: uint16(i)}))(t)
	}
	check(t, db.Close())
	db = open(t, mem, nil, &host{})
	h := host{Addr: netip.MustParseAddr("::1"), Disks: []disk{{"root", 1}, {"data", 2}, {"root", 3}}}
	h.About.Name = "new"
	must(kivis.TableBy[host, netip.Addr](db).Insert(ctx, &h))(t)
	check(t, db.Close())
	seed(t, mem, people(goldenPeople))
	network(t, mem, goldenStations)
	for _, half := range []struct {
		commits int
		records []any
	}{
		{3, []any{&person2{}, kivis.Migrate(to2)}},
		{4, []any{&station2{}, &line2{}, &ticket2{}, kivis.Migrate(toCodes)}},
	} {
		left := 1 << 30
		db := open(t, stopped{mem, &left}, nil)
		left = half.commits
		if err := db.Register(half.records...); !errors.Is(err, errStopped) {
			t.Fatalf("a Register that is killed: %v", err)
		}
		db.Close()
	}
}

// readGolden opens the database as the newest programs do, and compares all of it.
func readGolden(t *testing.T, db *kivis.DB) {
	ctx := t.Context()
	names := map[string]bool{}
	for _, tb := range db.Tables() {
		names[tb.Name] = true
	}
	if !names["stations~"] || !names["lines~"] || !names["hosts"] {
		t.Errorf("the tables are %v: no change of keys is under way", names)
	}
	if _, err := kivis.TableNamed(db, "person").Modify(ctx, must(kivis.TableNamed(db, "person").Key("1"))(t), func(*kivis.Record) error { return nil }); !errors.Is(err, kivis.ErrMigrating) {
		t.Errorf("a write of a table that is being migrated: %v", err)
	}
	check(t, db.Register(&host{}, &person2{}, kivis.Migrate(to2), &station2{}, &line2{}, &ticket2{}, kivis.Migrate(toCodes)))
	want2(t, db, people(goldenPeople))
	checkNetwork(t, db, goldenStations)
	hosts := kivis.TableBy[host, netip.Addr](db)
	var list []string
	for h, err := range hosts.All(ctx) {
		check(t, err)
		list = append(list, fmt.Sprintf("%v %s %d %v", h.Addr, h.About.Name, h.Port, h.Disks))
	}
	want := "10.0.0.196 old4 4 []\n10.0.0.198 old2 2 []\n10.0.0.200 old0 0 []\n10.0.1.197 old3 3 []\n10.0.1.199 old1 1 []\n::1 new 0 [{root 1} {data 2} {root 3}]"
	if got := strings.Join(list, "\n"); got != want {
		t.Errorf("hosts are\n%s\nwant\n%s", got, want)
	}
	if n := must(hosts.Where(hostLabel.Eq("data")).Count(ctx))(t); n != 1 {
		t.Errorf("%d hosts have the disk data", n)
	}
	clean(t, db)
}

// TestGoldenDatabase opens the golden database on each embedded store of this module.
func TestGoldenDatabase(t *testing.T) {
	text, err := os.ReadFile(goldenFile)
	if errors.Is(err, os.ErrNotExist) && *update {
		mem := kept{memstore.New()}
		writeGolden(t, mem)
		text = []byte(dumpOf(t, mem))
		check(t, os.WriteFile(goldenFile, text, 0o666))
		err = nil
	}
	check(t, err)
	disk, err := badgerstore.Open(t.TempDir(), &badgerstore.Options{NoSync: true})
	check(t, err)
	for name, st := range map[string]store.Store{"memstore": memstore.New(), "badgerstore": disk} {
		t.Run(name, func(t *testing.T) {
			tx := must(st.Begin(t.Context(), true))(t)
			for line := range strings.Lines(string(text)) {
				key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
				check(t, tx.Set(must(hex.DecodeString(key))(t), must(hex.DecodeString(value))(t)))
			}
			must(tx.Commit())(t)
			db := open(t, st, nil)
			readGolden(t, db)
			check(t, db.Close())
		})
	}
}

// dumpOf returns a store's content as lines of hex.
func dumpOf(t *testing.T, st store.Store) string {
	t.Helper()
	tx := must(st.Begin(t.Context(), false))(t)
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
