package migrate

import (
	"context"
	"errors"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/kivisdb/kivis/internal/check"
	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/internal/tables"
	"github.com/kivisdb/kivis/internal/testform"
	"github.com/kivisdb/kivis/reflectx"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store/memstore"
)

// item is a record without an index on its values, and indexed is the same with
// indexes of each kind.
type item struct {
	_     struct{} `kivis:"table=items"`
	ID    uint64   `kivis:"key"`
	Value int
	Tags  []string
}

type indexed struct {
	_     struct{} `kivis:"table=items"`
	ID    uint64   `kivis:"key"`
	Value int      `kivis:"unique"`
	Tags  []string `kivis:"unique,each"`
}

// itemSource is an indexed record on its way in.
type itemSource struct{ rec indexed }

func (s *itemSource) AppendBody(dst []byte, offs []uint32, tb *schema.Table) ([]byte, []uint32, error) {
	return tb.Encoder().Encode(dst, reflectx.To(&s.rec), offs)
}

func (s *itemSource) AppendKey(dst []byte, _ *schema.Table) ([]byte, error) { return dst, nil }

// Change makes the stored record s's, whatever it was.
func (s *itemSource) Change(*schema.Table, []byte, []byte) error { return nil }

// compileOnly registers the one type.
func compileOnly[R any](c *schema.Catalog, _ []*schema.Model) ([]*schema.Model, error) {
	return schema.CompileFor(c, reflect.TypeFor[R]())
}

// opFunc is a tables.Operation that is a function.
type opFunc func(t *tables.Tx) error

func (f opFunc) Run(_ context.Context, t *tables.Tx) error { return f(t) }

// building is a database whose items have unique indexes that are being built.
type building struct {
	t      *testing.T
	db     *tables.DB
	rng    *rand.Rand
	tb     *schema.Table
	builds []*build
	model  map[uint64]indexed
}

// newBuilding returns a database of 60 items, some of which have the same
// values, with the indexes added and nothing built.
func newBuilding(t *testing.T, rng *rand.Rand) *building {
	db, err := tables.Open(t.Context(), memstore.New(), tables.Config{MaxAttempts: 10})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close(context.Background()) })
	if err := New(db, Options{}).Register(t.Context(), compileOnly[item]); err != nil {
		t.Fatal(err)
	}
	b := &building{t: t, db: db, rng: rng, model: map[uint64]indexed{}}
	b.tb = db.Schema().ByName("items")
	for id := range uint64(60) {
		rec := indexed{ID: id, Value: rng.IntN(600)}
		if rng.IntN(2) == 0 {
			rec.Tags = []string{string(rune('a' + rng.IntN(200)))}
		}
		plain := item{ID: rec.ID, Value: rec.Value, Tags: rec.Tags}
		b.mustWrite(func(tx *tables.Tx) error { return putPlain(tx, &plain) })
		b.model[id] = rec
	}
	c, err := db.Catalog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	models, err := compileOnly[indexed](c, nil)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := schema.Plan(c, models, schema.PlanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	edit := func(*schema.Catalog) (tables.Edition, error) {
		return tables.Edition{Catalog: plan.Catalog, Touched: plan.Entries}, nil
	}
	if err := db.ChangeCatalog(t.Context(), models, edit); err != nil {
		t.Fatal(err)
	}
	b.tb = db.Schema().ByName("items")
	for _, ix := range b.tb.Indexes {
		b.builds = append(b.builds, &build{db: db, tb: b.tb, ixs: []*schema.Index{ix}, more: true})
	}
	return b
}

// plainSource is an item on its way in.
type plainSource struct{ rec *item }

func (s plainSource) AppendBody(dst []byte, offs []uint32, tb *schema.Table) ([]byte, []uint32, error) {
	return tb.Encoder().Encode(dst, reflectx.To(s.rec), offs)
}

func (s plainSource) AppendKey(dst []byte, _ *schema.Table) ([]byte, error) { return dst, nil }

func putPlain(tx *tables.Tx, rec *item) error {
	_, err := tx.Put(tx.Schema().ByName("items"), tables.Insert, plainSource{rec})
	return err
}

func (b *building) mustWrite(fn opFunc) {
	b.t.Helper()
	if _, err := b.db.Write(b.t.Context(), fn); err != nil {
		b.t.Fatal(err)
	}
}

// write makes one random write, by each of the ways that there are. One that a
// unique index refuses leaves no trace.
func (b *building) write() {
	id := uint64(b.rng.IntN(70))
	rec := indexed{ID: id, Value: b.rng.IntN(600)}
	if b.rng.IntN(2) == 0 {
		rec.Tags = []string{string(rune('a' + b.rng.IntN(200)))}
	}
	tuple := codecUint(id)
	way := b.rng.IntN(3)
	_, err := b.db.Write(b.t.Context(), opFunc(func(tx *tables.Tx) (err error) {
		switch way {
		case 0:
			_, err = tx.Put(b.tb, tables.Upsert, &itemSource{rec})
		case 1:
			err = tx.Modify(b.tb, tuple, &itemSource{rec})
		default:
			err = tx.Delete(b.tb, tuple)
		}
		return err
	}))
	var taken *tables.UniqueError
	_, there := b.model[id]
	switch {
	case errors.As(err, &taken):
	case errors.Is(err, tables.ErrNotFound) && !there && way > 0:
	case err != nil:
		b.t.Fatal(err)
	case way == 2:
		delete(b.model, id)
	default:
		b.model[id] = rec
	}
}

// codecUint returns the key tuple of an id.
func codecUint(id uint64) []byte {
	if id < 112 {
		return []byte{0x80 + byte(id)}
	}
	return nil
}

// step runs one chunk of a random build. After a duplicate it deletes a record,
// as a user might who mends it, and the build begins again where it may.
func (b *building) step() {
	i := b.rng.IntN(len(b.builds))
	x := b.builds[i]
	if !x.more {
		return
	}
	x.pace.size, x.pace.tries = 1+b.rng.IntN(4), 0
	if _, err := b.db.Write(b.t.Context(), x); err != nil {
		b.t.Fatal(err)
	}
	x.advance()
	if x.more && b.rng.IntN(4) > 0 || x.violation(0) == nil {
		return
	}
	b.builds[i] = &build{db: b.db, tb: b.tb, ixs: x.ixs, more: true}
	id := uint64(b.rng.IntN(70))
	if _, there := b.model[id]; there {
		b.mustWrite(func(tx *tables.Tx) error { return tx.Delete(b.tb, codecUint(id)) })
		delete(b.model, id)
	}
}

// duplicates reports whether two records of the model have one value.
func (b *building) duplicates() bool {
	values, tags := map[int]bool{}, map[string]bool{}
	for _, r := range b.model {
		if values[r.Value] {
			return true
		}
		values[r.Value] = true
		for _, tag := range r.Tags {
			if tags[tag] {
				return true
			}
			tags[tag] = true
		}
	}
	return false
}

// TestWritesDuringBuild: random writes between the chunks of the builds of
// unique indexes, and in the end no value is there twice and each index equals
// the records.
func TestWritesDuringBuild(t *testing.T) {
	rounds := testform.Of(60, 100, 300)
	seed := rand.Uint64()
	for round := range rounds {
		b := newBuilding(t, rand.New(rand.NewPCG(seed, uint64(round))))
		for more := true; more; {
			for range b.rng.IntN(3) {
				b.write()
			}
			b.step()
			more = false
			for _, x := range b.builds {
				more = more || x.more
			}
		}
		b.finish(seed, round)
	}
}

// finish marks the indexes ready and checks them.
func (b *building) finish(seed uint64, round int) {
	t := b.t
	if b.duplicates() {
		t.Errorf("seed %d, round %d: duplicates are let in", seed, round)
	}
	var refs []schema.IndexRef
	for _, x := range b.builds {
		refs = append(refs, schema.IndexRef{Table: b.tb.ID, Index: x.ixs[0].ID})
	}
	ready := func(c *schema.Catalog) (tables.Edition, error) {
		next, touched := c.MarkReady(refs)
		return tables.Edition{Catalog: next, Touched: touched}, nil
	}
	c, err := b.db.Catalog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	models, err := compileOnly[indexed](c, nil)
	if err == nil {
		err = b.db.ChangeCatalog(t.Context(), models, ready)
	}
	if err != nil {
		t.Fatal(err)
	}
	counts, err := check.Run(t.Context(), b.db, check.Options{Found: func(f check.Fault) error {
		t.Errorf("seed %d, round %d: %s: index %s, record %s", seed, round, f.Kind, f.Index, record.RefTo(f.Table, f.Tuple))
		return nil
	}})
	if err != nil || counts.Records != len(b.model) {
		t.Errorf("seed %d, round %d: Check read %d records, %v; want %d", seed, round, counts.Records, err, len(b.model))
	}
}
