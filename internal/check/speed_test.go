package check_test

import (
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
	"github.com/kivisdb/kivis/store/memstore"
)

var speed = flag.Int("records", 0, "how many records TestSpeed has; without it the test is left out")

// entry is a record with five index entries.
type entry struct {
	kivis.Auto[entry]
	Email string `kivis:"unique"`
	Name  string `kivis:"index"`
	Age   int    `kivis:"index"`
	City  string `kivis:"index"`
	Score int    `kivis:"index"`
	Note  string
}

// TestSpeed prints how long Check takes beside a scan of the same records and
// entries: rounds of one after the other, and the ratio within each.
func TestSpeed(t *testing.T) {
	if *speed == 0 {
		t.Skip("run it with -records 500000")
	}
	for name, open := range map[string]func() (store.Store, error){
		"memstore":    func() (store.Store, error) { return memstore.New(), nil },
		"badgerstore": func() (store.Store, error) { return badgerstore.Open(t.TempDir(), &badgerstore.Options{NoSync: true}) },
	} {
		st, err := open()
		if err != nil {
			t.Fatal(err)
		}
		db, err := kivis.Open(st, nil)
		if err == nil {
			err = db.Register(&entry{})
		}
		if err != nil {
			t.Fatal(err)
		}
		fill(t, db, *speed)
		var ratios []float64
		for range 5 {
			began := time.Now()
			keys := scanAll(t, st)
			scanned := time.Since(began)
			began = time.Now()
			report, err := db.Check(t.Context(), nil)
			checked := time.Since(began)
			if err != nil || len(report.Faults) > 0 {
				t.Fatalf("Check: %v, %v", report, err)
			}
			ratios = append(ratios, checked.Seconds()/scanned.Seconds())
			t.Logf("%s: %d records, %d entries: Check in %v, a scan of %d keys in %v, ratio %.2f", name, report.Records, report.Entries, checked, keys, scanned, ratios[len(ratios)-1])
		}
		slices.Sort(ratios)
		t.Logf("%s: median ratio %.2f", name, ratios[len(ratios)/2])
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// fill inserts n records.
func fill(t *testing.T, db *kivis.DB, n int) {
	t.Helper()
	for from := 0; from < n; from += 5000 {
		var some []entry
		for i := from; i < min(n, from+5000); i++ {
			some = append(some, entry{Email: fmt.Sprintf("user%d@example.com", i*7919%n), Name: fmt.Sprint("name", i%1000), Age: i % 90,
				City: fmt.Sprint("city", i%300), Score: i * 31 % 9973, Note: "a note of some length, as records have"})
		}
		if _, err := kivis.TableOf[entry](db).InsertMany(t.Context(), some); err != nil {
			t.Fatal(err)
		}
	}
}

// scanAll reads all keys and values of a store.
func scanAll(t *testing.T, st store.Store) (n int) {
	t.Helper()
	tx, err := st.Begin(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Discard()
	c, err := tx.Scan(store.Range{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	size := 0
	for c.Next() {
		n, size = n+1, size+len(c.Key())+len(c.Value())
	}
	if c.Err() != nil || size == 0 {
		t.Fatal(c.Err())
	}
	return n
}
