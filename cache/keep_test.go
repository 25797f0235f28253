package cache_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/cache"
	"github.com/kivisdb/kivis/cache/slowstore"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/memstore"
)

type errand struct {
	kivis.Auto[errand]
	Who  string `kivis:"index"`
	What string
}

var errandWho = kivis.FieldOf(func(e *errand) *string { return &e.Who })

// errandDB is a database over an origin, behind a small persistent layer.
func errandDB(t *testing.T, origin store.Store, local store.Store) (*kivis.DB, *cache.Store) {
	t.Helper()
	s, err := cache.Stack(origin, cache.Memory(16<<10), cache.Persistent(local, 64<<10))
	if err != nil {
		t.Fatal(err)
	}
	db, err := kivis.Open(s, nil)
	if err == nil {
		err = db.RegisterContext(cache.Offline(context.Background()), &errand{})
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db, s
}

// mine reads the errands of one who, of whom there are few.
func mine(who string) func(context.Context, *kivis.Tx) error {
	return func(ctx context.Context, tx *kivis.Tx) error {
		_, err := kivis.TableOf[errand](tx).Where(errandWho.Eq(who)).Limit(30).Collect(ctx)
		return err
	}
}

// errandsOf returns what the database finds without its origin.
func errandsOf(t *testing.T, db *kivis.DB, who string) string {
	t.Helper()
	list, err := kivis.TableOf[errand](db).Where(errandWho.Eq(who)).Limit(30).Collect(cache.Offline(t.Context()))
	if err != nil {
		t.Errorf("the errands of %s: %v", who, err)
	}
	var all []string
	for _, e := range list {
		all = append(all, fmt.Sprint(e.ID, e.What))
	}
	return strings.Join(all, " ")
}

// TestKeep: what is kept stays known, whatever else is read, however it is changed,
// through restarts and without the origin, until it is forgotten.
func TestKeep(t *testing.T) {
	ctx := t.Context()
	base, local := memstore.New(), lasting{memstore.New()}
	writer, err := kivis.Open(lasting{base}, nil)
	if err == nil {
		err = writer.Register(&errand{})
	}
	if err != nil {
		t.Fatal(err)
	}
	errands := kivis.TableOf[errand](writer)
	for i := range 2000 {
		if _, err := errands.Insert(ctx, &errand{Who: fmt.Sprint("p", i%100), What: strings.Repeat("x", 100)}); err != nil {
			t.Fatal(err)
		}
	}
	want := func(who string) string { return errandsOf(t, writer, who) }
	origin := far(t, base, slowstore.Options{})
	db, s := errandDB(t, origin, local)
	if err := db.Keep(ctx, "mine", mine("p7")); err != nil {
		t.Fatal(err)
	}
	if err := db.Keep(ctx, "others", mine("p8")); err != nil {
		t.Fatal(err)
	}

	// everything that is read drives out what is not kept
	for range 3 {
		for _, err := range kivis.TableOf[errand](db).All(ctx) {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := cost(origin, func() { check(t, []string{errandsOf(t, db, "p7")}, []string{want("p7")}) }); n > 0 {
		t.Errorf("what is kept took %d reads of the origin", n)
	}
	if _, err := errands.Insert(ctx, &errand{Who: "p7", What: "new"}); err != nil {
		t.Fatal(err)
	}
	sync := func() {
		t.Helper()
		if err := s.Sync(ctx); err != nil {
			t.Fatal(err)
		}
	}
	sync()
	origin.Cut()
	if got := errandsOf(t, db, "p7"); got != want("p7") || !strings.Contains(got, "new") {
		t.Errorf("kept, without the origin: %.300s, want %.300s", got, want("p7"))
	}
	if _, err := kivis.TableOf[errand](db).Where(errandWho.Eq("p9")).Collect(cache.Offline(ctx)); !errors.Is(err, cache.ErrUnreachable) {
		t.Errorf("what is not kept, without the origin: %v, want ErrUnreachable", err)
	}
	db.Close()

	// opened without the origin, and with nobody who says what is to be kept
	db, s = errandDB(t, origin, local)
	if got := errandsOf(t, db, "p7"); got != want("p7") {
		t.Errorf("opened without the origin: %.300s, want %.300s", got, want("p7"))
	}
	if err := db.Keep(cache.Offline(ctx), "mine", mine("p7")); err != nil {
		t.Errorf("Keep of what is here, without the origin: %v", err)
	}
	if err := db.Keep(ctx, "more", mine("p9")); !errors.Is(err, cache.ErrUnreachable) {
		t.Errorf("Keep of what is not here, without the origin: %v, want ErrUnreachable", err)
	}
	db.Close()
	if _, err := errands.Where(errandWho.Eq("p7")).Limit(1).Modify(ctx, func(e *errand) error { e.What = "changed"; return nil }); err != nil {
		t.Fatal(err)
	}
	origin.Mend()
	db, s = errandDB(t, origin, local)
	sync()
	origin.Cut()
	if got := errandsOf(t, db, "p7"); got != want("p7") || !strings.Contains(got, "changed") {
		t.Errorf("changed while it was closed: %.300s, want %.300s", got, want("p7"))
	}
	origin.Mend()
	if err := db.Keep(ctx, "mine", mine("p7")); err != nil {
		t.Fatal(err)
	}
	for _, who := range []string{"p7", "p8"} {
		if _, err := errands.Insert(ctx, &errand{Who: who, What: "newer"}); err != nil {
			t.Fatal(err)
		}
	}
	sync()
	if kept := s.Stats().Layers[1].Kept; kept != 2 {
		t.Errorf("%d names are kept, want 2", kept)
	}
	if err := db.Forget("others"); err != nil {
		t.Fatal(err)
	}
	origin.Cut()
	if got := errandsOf(t, db, "p7"); got != want("p7") || !strings.Contains(got, "newer") {
		t.Errorf("after a restart: %.300s, want %.300s", got, want("p7"))
	}
	if _, err := kivis.TableOf[errand](db).Where(errandWho.Eq("p8")).Collect(cache.Offline(ctx)); !errors.Is(err, cache.ErrUnreachable) {
		t.Errorf("what was forgotten, without the origin: %v, want ErrUnreachable", err)
	}
	origin.Mend()
	if report, err := db.Check(ctx, nil); err != nil || len(report.Faults) > 0 {
		t.Errorf("Check: %v, %v", report, err)
	}
}

// TestKeepRefused has Keep say what it cannot do, and a function's error.
func TestKeepRefused(t *testing.T) {
	ctx := t.Context()
	fine := func(context.Context, *kivis.Tx) error { return nil }
	bare, err := kivis.Open(memstore.New(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer bare.Close()
	s := stackOver(t, memstore.New(), cache.Memory(1<<20))
	memory, err := kivis.Open(lasting{s}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, db := range map[string]*kivis.DB{"no layers": bare, "memory alone": memory} {
		if err := db.Keep(ctx, "x", fine); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: %v, want ErrUnsupported", name, err)
		}
	}
	if err := bare.Forget("x"); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Forget without layers: %v, want ErrUnsupported", err)
	}
	db, _ := errandDB(t, memstore.New(), memstore.New())
	sad := errors.New("sad")
	if err := db.Keep(ctx, "x", func(context.Context, *kivis.Tx) error { return sad }); !errors.Is(err, sad) {
		t.Errorf("an error of the function: %v", err)
	}
	if err := db.Keep(ctx, "x", nil); err == nil {
		t.Error("nil is a function")
	}
	if err := db.Forget("never kept"); err != nil {
		t.Errorf("Forget of an unknown name: %v", err)
	}
	if err := (*kivis.DB)(nil).Keep(ctx, "x", fine); err == nil {
		t.Error("a nil DB keeps")
	}
}

// TestKeepModel keeps and forgets ranges at random, beside reads, writes and
// restarts: after each Sync all that is kept is here as it is at the origin, and
// what is no longer kept leaves again.
func TestKeepModel(t *testing.T) {
	seed := rand.Uint64()
	for round := range uint64(8) {
		keepModel(t, rand.New(rand.NewPCG(seed, round)))
		if t.Failed() {
			t.Fatalf("seed %d, round %d", seed, round)
		}
	}
}

func keepModel(t *testing.T, r *rand.Rand) {
	ctx := context.Background()
	base, local := memstore.New(), lasting{memstore.New()}
	fill(t, base, numbered("k", 1500)...)
	origin := far(t, base, slowstore.Options{})
	open := func() *cache.Store {
		s, err := cache.Stack(origin, cache.Memory(16<<10), cache.Persistent(local, 32<<10))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := open()
	defer func() { s.Close() }()
	key := func() string { return fmt.Sprintf("k%04d", r.IntN(1500)) }
	kept := map[string]store.Range{}
	for range 60 {
		switch r.IntN(6) {
		case 0:
			name, ends := fmt.Sprint("n", r.IntN(3)), []string{key(), key()}
			slices.Sort(ends)
			in := span(ends[0], ends[1])
			if r.IntN(3) > 0 {
				in.Hi = []byte(fmt.Sprintf("%s0", ends[0]))
			}
			find := func(ctx context.Context) ([]store.Range, uint64, error) {
				tx, err := s.Begin(ctx, false)
				if err != nil {
					return nil, 0, err
				}
				defer tx.Discard()
				return []store.Range{in}, tx.Version(), nil
			}
			if err := s.Keep(ctx, name, find); err != nil {
				t.Fatal(err)
			}
			kept[name] = in
		case 1:
			name := fmt.Sprint("n", r.IntN(3))
			if err := s.Forget(name); err != nil {
				t.Fatal(err)
			}
			delete(kept, name)
		case 2:
			through := store.Store(base)
			if r.IntN(2) == 0 {
				through = s
			}
			for range 1 + r.IntN(3) {
				fill(t, through, key(), []string{"", fmt.Sprint("w", r.IntN(1000))}[r.IntN(2)])
			}
		case 3:
			tx := begin(t, s, false)
			scan(t, tx, span(key(), "l"))
			tx.Discard()
		case 4:
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = open()
		case 5:
			if err := s.Sync(ctx); err != nil {
				t.Fatal(err)
			}
			origin.Cut()
			tx, err := s.Begin(cache.Offline(ctx), false)
			if err != nil {
				t.Fatal(err)
			}
			for name, in := range kept {
				if in.Hi == nil || string(in.Lo) >= string(in.Hi) {
					continue
				}
				got, err := scanned(tx, in)
				if err != nil {
					t.Errorf("kept as %s, [%s, %s): %v", name, in.Lo, in.Hi, err)
				}
				own := begin(t, base, false)
				check(t, got, scan(t, own, in))
				own.Discard()
			}
			tx.Discard()
			origin.Mend()
		}
	}
	for name := range kept {
		if err := s.Forget(name); err != nil {
			t.Fatal(err)
		}
	}
	tx := begin(t, s, false)
	for range 3 {
		scan(t, tx, store.Range{})
	}
	tx.Discard()
	if n := s.Stats().Layers[1].Bytes; n > 40<<10 {
		t.Errorf("nothing is kept any more, and the layer holds %d bytes of 32 K", n)
	}
}
