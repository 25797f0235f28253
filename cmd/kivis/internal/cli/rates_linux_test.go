package cli

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/cmd/kivis/internal/place"
	"github.com/kivisdb/kivis/store"
)

// With the flag, TestRates holds what it measures against its bounds; without it,
// it goes the same way with few records, and measures nothing.
var records = flag.Int("records", 0, "records of TestRates, which then holds rates and memory against their bounds")

const (
	fewRecords = 3000
	mostTimes  = 1.5       // of a plain scan or a plain Bulk
	mostMemory = 100 << 20 // of the process, beside what there was before

	// badgerstore has twice its Memory on top while it is written to: see
	// badgerstore.Options.
	badgerMemory = 2 * place.Memory
)

// Reading is a record of TestRates.
type Reading struct {
	_      struct{} `kivis:"table=readings"`
	ID     kivis.ID[Reading]
	Sensor string    `kivis:"index"`
	At     time.Time `kivis:"index"`
	Value  float64
	Note   string
}

// TestRates exports, imports, backs up and restores a database of many records
// with the commands for it, and holds each against a plain scan or a plain Bulk by
// name of the same records in the same kind of store, in one run and with as much
// memory.
func TestRates(t *testing.T) {
	for _, kind := range []place.Kind{place.Badger, place.Bolt} {
		t.Run(string(kind), func(t *testing.T) {
			r := &rating{t: t, kind: kind, dir: t.TempDir(), n: fewRecords}
			if *records > 0 {
				r.n = *records
			}
			r.run()
		})
	}
}

const bulkName = "Bulk by name"

// rating is TestRates on one kind of store.
type rating struct {
	t    *testing.T
	kind place.Kind
	dir  string
	n    int
}

func (r *rating) run() {
	for _, name := range []string{"a", "from-csv", "from-jsonl", "from-parquet"} {
		r.make(name)
	}
	bulk := r.measure(bulkName, func() {
		defer frugal()() // as the commands do, so that it is about the work and not the memory
		r.on("a", r.bulk)
	})
	scan := r.measure("scan by name", func() { r.on("a", r.scan) })
	r.measure("scan of the store", func() { r.on("a", r.raw) })
	for _, ext := range []string{"csv", "jsonl", "parquet"} {
		file := r.path("readings." + ext)
		r.against(scan, r.kivis("export", r.path("a"), "readings", "--out", file))
		r.against(bulk, r.kivis("import", r.path("from-"+ext), "readings", file))
		r.same("from-" + ext)
	}
	r.against(scan, r.kivis("backup", r.path("a"), r.path("backup")))
	r.against(scan, r.kivis("verify", r.path("backup")))
	r.against(bulk, r.kivis("restore", r.path("backup"), string(r.kind)+":"+r.path("b")))
	r.same("b")
}

func (r *rating) path(name string) string { return filepath.Join(r.dir, name) }

// make makes a database without records.
func (r *rating) make(name string) {
	r.t.Helper()
	p, err := place.Find(string(r.kind)+":"+r.path(name), true)
	r.check(err)
	st, err := p.Open(&place.Options{})
	r.check(err)
	db, err := kivis.Open(st, nil)
	r.check(err)
	r.check(db.Register(&Reading{}))
	r.check(db.Close())
}

// on opens a database as the commands do, runs fn on it and closes it.
func (r *rating) on(name string, fn func(db *kivis.DB, st store.Store)) {
	r.t.Helper()
	p, err := place.Find(r.path(name), false)
	r.check(err)
	st, err := p.Open(&place.Options{})
	r.check(err)
	db, err := kivis.Open(st, nil)
	r.check(err)
	fn(db, st)
	r.check(db.Close())
}

// bulk inserts the records, each field by name, with the keys that the files of
// these records have as well.
func (r *rating) bulk(db *kivis.DB, _ store.Store) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r.check(db.Bulk(context.Background(), nil, func(ctx context.Context, b *kivis.Bulk) error {
		table := kivis.TableNamed(b, "readings")
		for i := range r.n {
			rec := table.New()
			for name, v := range map[string]any{
				"ID": i + 1, "Sensor": fmt.Sprint("sensor ", i*7919%1000), "At": at.Add(time.Duration(i) * time.Second),
				"Value": float64(i*7919%10007) / 7, "Note": fmt.Sprint("reading number ", i),
			} {
				if err := rec.Set(name, v); err != nil {
					return err
				}
			}
			if _, err := table.Insert(ctx, rec); err != nil {
				return err
			}
		}
		return nil
	}))
}

// scan reads all records, and all of their fields.
func (r *rating) scan(db *kivis.DB, _ store.Store) {
	n := 0
	for rec, err := range kivis.TableNamed(db, "readings").All(context.Background()) {
		r.check(err)
		for range rec.All() {
		}
		n++
	}
	if n != r.n {
		r.t.Errorf("%d records, want %d", n, r.n)
	}
}

// raw reads all entries of the store.
func (r *rating) raw(_ *kivis.DB, st store.Store) {
	tx, err := st.Begin(context.Background(), false)
	r.check(err)
	defer tx.Discard()
	cur, err := tx.Scan(store.Range{})
	r.check(err)
	defer cur.Close()
	for cur.Next() {
	}
	r.check(cur.Err())
}

// kivis runs a command, and measures it.
func (r *rating) kivis(args ...string) sample {
	r.t.Helper()
	name := args[0]
	if ext := filepath.Ext(args[len(args)-1]); ext != "" {
		name += " " + ext[1:]
	}
	return r.measure(name, func() { r.command(args...) })
}

func (r *rating) command(args ...string) {
	r.t.Helper()
	var said bytes.Buffer
	if code := Main(context.Background(), args, Streams{Out: io.Discard, Err: &said}); code != exitOK {
		r.t.Fatalf("kivis %q: exit code %d: %s", args, code, &said)
	}
}

// same has the records of a database be those of a.
func (r *rating) same(name string) {
	r.t.Helper()
	r.command("diff", r.path("a"), r.path(name))
}

// against holds what a command took against what it is compared with: by the clock,
// or by the processors' time where others keep those, or the disk, busy meanwhile.
func (r *rating) against(base, got sample) {
	r.t.Helper()
	clock, work := float64(got.took)/float64(base.took), float64(got.cpu)/float64(base.cpu)
	r.t.Logf("%s against %s: %.2f times as long, %.2f times the work", got.name, base.name, clock, work)
	if *records == 0 {
		return
	}
	if min(clock, work) > mostTimes {
		r.t.Errorf("%s took %.2f times as long as %s, want %.1f at most", got.name, clock, base.name, mostTimes)
	}
	most := int64(mostMemory)
	if r.kind == place.Badger && base.name == bulkName {
		most += badgerMemory
	}
	if got.memory > most {
		r.t.Errorf("%s took %d MB of memory, want %d at most", got.name, got.memory>>20, most>>20)
	}
}

func (r *rating) check(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}
