package tables

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/internal/msgpack"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/memstore"
)

// owner and thing are the types of the tables. They give the schema alone: the
// tests open the store anew without them and work on bytes.
type owner struct {
	_    struct{} `kivis:"table=owners"`
	ID   uint64   `kivis:"key,auto"`
	Name string   `kivis:"unique"`
}

type thing struct {
	_        struct{} `kivis:"table=things"`
	ID       uint64   `kivis:"key"`
	Owner    uint64   `kivis:"ref=owners,optional,ondelete=cascade"`
	Borrower *uint64  `kivis:"ref=owners,optional,ondelete=setnull"`
	Keeper   uint64   `kivis:"ref=owners,optional"`
}

// body is a Source: a record's columns in msgpack.
type body [][]byte

func (b body) AppendBody(dst []byte, offs []uint32, _ *schema.Table) ([]byte, []uint32, error) {
	start := len(dst)
	for _, column := range b {
		offs = append(offs, uint32(len(dst)-start))
		dst = append(dst, column...)
	}
	return dst, append(offs, uint32(len(dst)-start)), nil
}

func (b body) AppendKey(dst []byte, _ *schema.Table) ([]byte, error) { return dst, nil }

// Change makes the stored record b, whatever it was.
func (b body) Change(*schema.Table, []byte, []byte) error { return nil }

func ownerBody(id uint64, name string) body {
	return body{msgpack.AppendUint(nil, id), msgpack.AppendString(nil, name)}
}

// thingBody returns a thing; a zero is no owner, borrower or keeper.
func thingBody(id, owner, borrower, keeper uint64) body {
	b := body{msgpack.AppendUint(nil, id), msgpack.AppendUint(nil, owner), msgpack.AppendUint(nil, borrower), msgpack.AppendUint(nil, keeper)}
	if borrower == 0 {
		b[2] = msgpack.AppendNil(nil)
	}
	return b
}

// tupleOf returns the key tuple of the record with the id.
func tupleOf(id uint64) []byte { return codec.AppendUint(nil, id) }

// opFunc is an Operation that is a function.
type opFunc func(t *Tx) error

func (f opFunc) Run(_ context.Context, t *Tx) error { return f(t) }

// fixture is a database with both tables, of which it knows no types.
type fixture struct {
	*testing.T
	db             *DB
	owners, things *schema.Table
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	s := memstore.New()
	f := &fixture{T: t, db: open(t, s)}
	f.must(addTables(f.db, true, reflect.TypeFor[owner](), reflect.TypeFor[thing]()))
	f.db = open(t, s) // the types are forgotten
	t.Cleanup(func() { f.must(f.db.Close(context.Background())) })
	f.owners, f.things = f.db.Schema().ByName("owners"), f.db.Schema().ByName("things")
	if f.owners.Type != nil || f.things.Type != nil {
		t.Fatal("the tables have types")
	}
	return f
}

func open(t *testing.T, s store.Store) *DB {
	t.Helper()
	db, err := Open(t.Context(), s, Config{MaxAttempts: 5})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// addTables adds the tables of types to the catalog. Their indexes, which are
// empty, are ready if ready says so.
func addTables(db *DB, ready bool, types ...reflect.Type) error {
	c, err := db.Catalog(context.Background())
	if err != nil {
		return err
	}
	models, err := schema.CompileFor(c, types...)
	if err != nil {
		return err
	}
	return db.ChangeCatalog(context.Background(), models, func(c *schema.Catalog) (Edition, error) {
		change, err := schema.Plan(c, models, schema.PlanOptions{})
		if err != nil {
			return Edition{}, err
		}
		next, touched := change.Catalog, change.Entries
		if ready {
			next, _ = next.MarkReady(change.Build)
		}
		return Edition{Catalog: next, Touched: touched}, nil
	})
}

func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// write runs fn in a transaction and commits it, or returns its error.
func (f *fixture) write(fn opFunc) error {
	_, err := f.db.Write(f.Context(), fn)
	return err
}

// put writes one record.
func (f *fixture) put(tb *schema.Table, m Mode, b body) error {
	return f.write(func(t *Tx) error {
		_, err := t.Put(tb, m, b)
		return err
	})
}

// fill inserts owners 1 to n, named a, b and so on, whose ids are drawn.
func (f *fixture) fill(n int) {
	f.Helper()
	for i := range n {
		f.must(f.put(f.owners, Insert, ownerBody(0, string(rune('a'+i)))))
	}
}

// column returns a column of a stored record, and whether there is a record.
func (f *fixture) column(tb *schema.Table, id uint64, i int) ([]byte, bool) {
	f.Helper()
	t, err := f.db.Begin(f.Context(), false)
	f.must(err)
	defer t.Release()
	value, err := t.Get(tb, tupleOf(id))
	if errors.Is(err, ErrNotFound) {
		return nil, false
	}
	f.must(err)
	b, err := t.openOld(tb, tupleOf(id), value)
	f.must(err)
	return append([]byte(nil), b.Column(i)...), true
}

// has reports whether there is a record with the id.
func (f *fixture) has(tb *schema.Table, id uint64) bool {
	f.Helper()
	_, ok := f.column(tb, id, 0)
	return ok
}

// entries returns how many entries the indexes of a table have.
func (f *fixture) entries(tb *schema.Table) int {
	f.Helper()
	t, err := f.db.Begin(f.Context(), false)
	f.must(err)
	defer t.Release()
	n := 0
	for _, ix := range tb.Indexes {
		c, err := t.Scan(prefixRange(tb.Prefix(ix.ID)))
		f.must(err)
		for c.Next() {
			n++
		}
		f.must(c.Err())
		c.Close()
	}
	return n
}
