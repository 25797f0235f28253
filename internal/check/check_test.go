package check

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/internal/msgpack"
	"github.com/kivisdb/kivis/internal/tables"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/memstore"
)

// owner and thing are the types of the tables; the records are bytes.
type owner struct {
	_    struct{} `kivis:"table=owners"`
	ID   uint64   `kivis:"key"`
	Name string   `kivis:"unique"`
}

type thing struct {
	_     struct{} `kivis:"table=things"`
	ID    uint64   `kivis:"key"`
	Owner uint64   `kivis:"ref=owners,ondelete=cascade"`
	Maker uint64   `kivis:"ref=owners,ondelete=noaction"`
}

// body is a tables.Source: a record's columns in msgpack.
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

// opFunc is a tables.Operation that is a function.
type opFunc func(t *tables.Tx) error

func (f opFunc) Run(_ context.Context, t *tables.Tx) error { return f(t) }

// fixture is a database of owners 1 to 3 and a thing of each.
type fixture struct {
	*testing.T
	db             *tables.DB
	owners, things *schema.Table
}

func newFixture(t *testing.T, s store.Store) *fixture {
	t.Helper()
	db, err := tables.Open(t.Context(), s, tables.Config{MaxAttempts: 5})
	f := &fixture{T: t, db: db}
	f.must(err)
	t.Cleanup(func() { f.must(db.Close(context.Background())) })
	c, err := db.Catalog(t.Context())
	f.must(err)
	models, err := schema.CompileFor(c, reflect.TypeFor[owner](), reflect.TypeFor[thing]())
	f.must(err)
	f.must(db.ChangeCatalog(t.Context(), models, func(c *schema.Catalog) (tables.Edition, error) {
		change, err := schema.Plan(c, models, schema.PlanOptions{})
		if err != nil {
			return tables.Edition{}, err
		}
		next, _ := change.Catalog.MarkReady(change.Build)
		return tables.Edition{Catalog: next, Touched: change.Entries}, nil
	}))
	f.owners, f.things = db.Schema().ByName("owners"), db.Schema().ByName("things")
	for id := uint64(1); id <= 3; id++ {
		f.put(f.owners, body{msgpack.AppendUint(nil, id), msgpack.AppendString(nil, name(id))})
		f.put(f.things, body{msgpack.AppendUint(nil, id), msgpack.AppendUint(nil, id), msgpack.AppendUint(nil, id)})
	}
	return f
}

func name(id uint64) string { return fmt.Sprintf("owner %d", id) }

func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) write(fn opFunc) {
	f.Helper()
	_, err := f.db.Write(f.Context(), fn)
	f.must(err)
}

func (f *fixture) put(tb *schema.Table, b body) {
	f.Helper()
	f.write(func(t *tables.Tx) error {
		_, err := t.Put(tb, tables.Upsert, b)
		return err
	})
}

// set stores a value behind the back of the tables; nil deletes the key.
func (f *fixture) set(key, value []byte) {
	f.Helper()
	f.write(func(t *tables.Tx) error {
		if value == nil {
			return t.DeleteKey(key)
		}
		return t.SetKey(key, value)
	})
}

// run returns the faults that are found.
func (f *fixture) run(repair bool) (faults []Fault) {
	f.Helper()
	_, err := Run(f.Context(), f.db, Options{Repair: repair, Found: func(x Fault) error {
		faults = append(faults, x)
		return nil
	}})
	f.must(err)
	return faults
}

// recordKey returns the store's key of a record.
func recordKey(tb *schema.Table, id uint64) []byte {
	return codec.AppendUint(bytes.Clone(tb.Prefix(0)), id)
}

// nameKey returns the store's key of a name's entry.
func nameKey(tb *schema.Table, s string) []byte {
	return codec.AppendString(bytes.Clone(tb.Prefix(tb.Indexes[0].ID)), s)
}

// TestFaults makes each kind of fault, and has it found and, in indexes, mended.
func TestFaults(t *testing.T) {
	type want struct {
		kind  string
		index string
		id    uint64 // of the record; 0 where it is not known
		fixed bool
	}
	for _, c := range []struct {
		name   string
		damage func(f *fixture)
		want   []want
	}{
		{"none", func(*fixture) {}, nil},
		{"an entry missing", func(f *fixture) {
			f.set(nameKey(f.owners, name(2)), nil)
		}, []want{{EntryMissing, "Name", 2, true}}},
		{"an entry of another record", func(f *fixture) {
			key := nameKey(f.owners, name(2))
			f.set(key, codec.SealEntry(nil, key, codec.AppendUint(nil, 3)))
		}, []want{{EntryWrong, "Name", 2, true}, {EntryDangling, "Name", 3, true}}},
		{"an entry with a damaged value", func(f *fixture) {
			f.set(nameKey(f.owners, name(2)), []byte{0x83})
		}, []want{{EntryWrong, "Name", 2, true}, {EntryDangling, "Name", 0, true}}},
		{"an entry of no record", func(f *fixture) {
			key := nameKey(f.owners, "nobody")
			f.set(key, codec.SealEntry(nil, key, codec.AppendUint(nil, 9)))
		}, []want{{EntryDangling, "Name", 9, true}}},
		{"an entry that is not readable", func(f *fixture) {
			f.set(nameKey(f.owners, "nobody"), []byte{1})
		}, []want{{EntryDangling, "Name", 0, true}}},
		{"an entry of a record with another value", func(f *fixture) {
			key := nameKey(f.owners, "another")
			f.set(key, codec.SealEntry(nil, key, codec.AppendUint(nil, 1)))
		}, []want{{EntryDangling, "Name", 1, true}}},
		{"a record damaged", func(f *fixture) {
			f.set(recordKey(f.owners, 2), []byte{0x81, 1, 2, 3, 4, 5})
		}, []want{{RecordDamaged, "", 2, false}}},
		{"a record gone", func(f *fixture) {
			f.set(recordKey(f.owners, 2), nil)
		}, []want{{EntryDangling, "Name", 2, true}, {RefDangling, "Owner", 2, false}, {RefUnchecked, "Maker", 2, false}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t, memstore.New())
			c.damage(f)
			for _, repair := range []bool{false, true, true} {
				var got []want
				for _, x := range f.run(repair) {
					w := want{kind: x.Kind, index: x.Index, fixed: x.Fixed}
					if x.Tuple != nil {
						var err error
						w.id, _, err = codec.ConsumeUint(x.Tuple)
						f.must(err)
					}
					got = append(got, w)
				}
				expect := slices.Clone(c.want)
				for i := range expect {
					expect[i].fixed = expect[i].fixed && repair
				}
				if !slices.Equal(got, expect) {
					t.Fatalf("repair %v: got %v, want %v", repair, got, expect)
				}
				if repair { // what has been mended is not found again
					c.want = slices.DeleteFunc(slices.Clone(c.want), func(w want) bool { return w.fixed })
				}
			}
		})
	}
}

// damaged is a store whose verification fails.
type damaged struct {
	store.Store
	err error
}

func (s damaged) Verify(context.Context) error { return s.err }

// TestStoreDamaged: damage that the store reports is a fault, and the run goes
// on; any other error ends it.
func TestStoreDamaged(t *testing.T) {
	damage := fmt.Errorf("block 7: %w", store.ErrCorrupt)
	f := newFixture(t, damaged{memstore.New(), damage})
	f.set(nameKey(f.owners, name(2)), nil)
	got := f.run(false)
	if len(got) != 2 || got[0].Kind != StoreDamaged || !errors.Is(got[0].Err, damage) || got[1].Kind != EntryMissing {
		t.Errorf("faults %v, want the store's and the entry's", got)
	}
	other := errors.New("no such device")
	f = newFixture(t, damaged{memstore.New(), other})
	if _, err := Run(t.Context(), f.db, Options{}); !errors.Is(err, other) {
		t.Errorf("error %v, want %v", err, other)
	}
}

// TestFoundEndsTheRun: an error of Found is the run's.
func TestFoundEndsTheRun(t *testing.T) {
	f := newFixture(t, memstore.New())
	for id := uint64(1); id <= 3; id++ {
		f.set(nameKey(f.owners, name(id)), nil)
	}
	enough := errors.New("enough")
	n := 0
	_, err := Run(t.Context(), f.db, Options{Found: func(Fault) error {
		if n++; n == 2 {
			return enough
		}
		return nil
	}})
	if err != enough || n != 2 {
		t.Errorf("%d faults, error %v; want 2, %v", n, err, enough)
	}
}

// TestProgress: progress is told now and then and never goes back, the counts
// at the end are those of all that there is, and a context that ends, ends the
// run.
func TestProgress(t *testing.T) {
	f := newFixture(t, memstore.New())
	const more = 3000
	f.write(func(t *tables.Tx) error {
		for id := uint64(4); id <= more; id++ {
			b := body{msgpack.AppendUint(nil, id), msgpack.AppendString(nil, name(id))}
			if _, err := t.Put(f.owners, tables.Insert, b); err != nil {
				return err
			}
		}
		return nil
	})
	var seen []Counts
	got, err := Run(t.Context(), f.db, Options{Progress: func(c Counts) { seen = append(seen, c) }})
	f.must(err)
	entries := more + 3 // owners by name, and things by owner
	if want := (Counts{Records: more + 3, Entries: entries}); got != want {
		t.Errorf("counts %+v, want %+v", got, want)
	}
	if want := (more + 3 + entries) / 1024; len(seen) != want {
		t.Errorf("told %d times, want %d", len(seen), want)
	}
	for i := 1; i < len(seen); i++ {
		if a, b := seen[i-1], seen[i]; b.Records < a.Records || b.Entries < a.Entries || a == b {
			t.Errorf("%+v after %+v", b, a)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	got, err = Run(ctx, f.db, Options{Progress: func(Counts) { cancel() }})
	if !errors.Is(err, context.Canceled) || got.Records > 1024 {
		t.Errorf("after %+v: %v, want %v after 1,024 records", got, err, context.Canceled)
	}
}

// TestTargetsAreBounded: what is remembered of references is forgotten before
// it takes more than it may.
func TestTargetsAreBounded(t *testing.T) {
	var s targets
	key := make([]byte, 1000)
	most := 0
	for i := range 3 * maxTargets / len(key) {
		copy(key, codec.AppendUint(nil, uint64(i)))
		if s.has(key) {
			t.Fatalf("key %d known before it is added", i)
		}
		s.add(key)
		if !s.has(key) {
			t.Fatalf("key %d not known", i)
		}
		most = max(most, len(s.known)*(len(key)+keyOverhead))
	}
	if limit := maxTargets + len(key) + keyOverhead; most > limit || most < maxTargets {
		t.Errorf("at most %d bytes, want about %d", most, maxTargets)
	}
}

// TestTally: the order of entries does not count; each entry, its value and
// how often it is there do.
func TestTally(t *testing.T) {
	type entry struct{ key, value string }
	abc := []entry{{"a", ""}, {"b", "1"}, {"c", "2"}}
	for _, c := range []struct {
		name       string
		want, have []entry
		equal      bool
	}{
		{"none", nil, nil, true},
		{"another order", abc, []entry{abc[2], abc[0], abc[1]}, true},
		{"one missing", abc, abc[1:], false},
		{"one too many", abc[:2], abc, false},
		{"another value", abc, []entry{abc[0], {"b", "2"}, abc[2]}, false},
		{"values exchanged", abc, []entry{abc[0], {"b", "2"}, {"c", "1"}}, false},
		{"one twice", abc, append(abc[:3:3], abc[0]), false},
	} {
		y := newTally(nil)
		for _, e := range c.want {
			y.add(&y.want, []byte(e.key), []byte(e.value))
		}
		for _, e := range c.have {
			y.add(&y.have, []byte(e.key), []byte(e.value))
		}
		if got := y.equal(); got != c.equal {
			t.Errorf("%s: equal %v, want %v", c.name, got, c.equal)
		}
	}
}

// TestRepairLooksAgain: an entry that has become right since it was found is
// left alone.
func TestRepairLooksAgain(t *testing.T) {
	f := newFixture(t, memstore.New())
	key, tuple := nameKey(f.owners, name(2)), codec.AppendUint(nil, 2)
	for _, tuple := range [][]byte{tuple, nil, codec.AppendUint(nil, 3)} {
		f.write((&mending{f.owners, f.owners.Indexes[0], key, tuple}).run)
		if got := f.run(false); len(got) != 0 {
			t.Errorf("mending the right entry, found as of %x: %v", tuple, got)
		}
	}
}

// run is Run without a context.
func (m *mending) run(t *tables.Tx) error { return m.Run(context.Background(), t) }
