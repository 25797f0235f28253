package migrate_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/cache"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/memstore"
	"github.com/kivisdb/kivis/store/remote"
	"github.com/kivisdb/kivis/store/remote/remotetest"
)

// Versions of a program's goods. Those of the program that looks on are good1.
type (
	good1 struct {
		_ struct{} `kivis:"table=goods"`
		kivis.Auto[good1]
		Name  string `kivis:"index"`
		Level int
		Old   string
	}
	goodIndexed struct {
		_ struct{} `kivis:"table=goods"`
		kivis.Auto[goodIndexed]
		Name  string `kivis:"index"`
		Level int    `kivis:"index"`
		Old   string
	}
	goodMore struct {
		_ struct{} `kivis:"table=goods"`
		kivis.Auto[goodMore]
		Name  string `kivis:"index"`
		Level int    `kivis:"index"`
		Old   string
		More  string
	}
	goodRenamed struct {
		_ struct{} `kivis:"table=goods"`
		kivis.Auto[goodRenamed]
		Title string `kivis:"index,was=Name"`
		Level int
		Old   string
	}
	goodLess struct {
		_ struct{} `kivis:"table=goods,removed=Old"`
		kivis.Auto[goodLess]
		Name  string `kivis:"index"`
		Level int
	}
	goodMigrated struct {
		_ struct{} `kivis:"table=goods"`
		kivis.Auto[goodMigrated]
		Name  string `kivis:"index"`
		Level string `kivis:"index"`
		Old   string
	}
	goodKeyed struct {
		_     struct{} `kivis:"table=goods"`
		Name  string   `kivis:"key"`
		Level int
		Old   string
	}
	goodMoved struct {
		_ struct{} `kivis:"table=wares,was=goods"`
		kivis.Auto[goodMoved]
		Name  string `kivis:"index"`
		Level int
		Old   string
	}
	goodAgain struct {
		_     struct{} `kivis:"table=goods"`
		Name  string   `kivis:"key"`
		Count int
	}
)

func goodToMigrated(g good1) (goodMigrated, error) {
	return goodMigrated{Name: g.Name, Level: fmt.Sprint("L", g.Level), Old: g.Old}, nil
}

func goodToKeyed(g good1) (goodKeyed, error) {
	return goodKeyed{Name: g.Name, Level: g.Level, Old: g.Old}, nil
}

// places are where several programs share their data: each call of the function that
// open returns is a program's store.
var places = []struct {
	name string
	open func(t *testing.T) func() store.Store
}{
	{"remote", func(t *testing.T) func() store.Store {
		b := remotetest.New()
		return func() store.Store { return must(remote.Open(t.Context(), b, nil))(t) }
	}},
	{"memory", func(t *testing.T) func() store.Store {
		origin := memstore.New()
		t.Cleanup(func() { origin.Close() })
		return func() store.Store { return must(cache.Stack(shared{origin}, cache.Memory(1<<20)))(t) }
	}},
	{"all layers over remote", func(t *testing.T) func() store.Store {
		b := remotetest.New()
		return func() store.Store {
			return must(cache.Stack(must(remote.Open(t.Context(), b, nil))(t), cache.Memory(64<<10), cache.Persistent(memstore.New(), 1<<20), cache.Archive(memstore.New())))(t)
		}
	}},
}

// shared is a store that outlives those in front of it.
type shared struct{ *memstore.Store }

func (shared) Close() error { return nil }

// onlooker is a program that knows good1, and follows the goods in every way.
type onlooker struct {
	t     *testing.T
	db    *kivis.DB
	goods kivis.Table[good1, kivis.ID[good1]]
	wg    sync.WaitGroup

	mu    sync.Mutex
	typed followed[good1]
	named followed[string]
	live  followed[string]
	have  map[kivis.ID[good1]]good1 // as Follow has told it
	ready bool
	told  map[kivis.ID[good1]]good1 // as Changes have told it
	ends  map[string]error          // how Follow and Changes have ended
}

// followed is what a live query has shown last, and how it has ended.
type followed[V any] struct {
	last []V
	runs int
	err  error
}

func (o *onlooker) set(f func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f()
}

// look starts a program that looks on.
func look(t *testing.T, st store.Store) *onlooker {
	t.Helper()
	o := &onlooker{t: t, db: open(t, st, nil, &good1{}), have: map[kivis.ID[good1]]good1{}, told: map[kivis.ID[good1]]good1{}, ends: map[string]error{}}
	o.goods = kivis.TableOf[good1](o.db)
	for g, err := range o.goods.All(t.Context()) { // which warms what layers there are
		check(t, err)
		o.told[g.ID] = g
	}
	position := must(o.db.Position(t.Context()))(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(func() { cancel(); o.wg.Wait(); check(t, o.db.Close()) })
	o.wg.Go(func() {
		for r, err := range o.goods.Query().Watch(ctx) {
			o.set(func() { o.typed = followed[good1]{slices.Clone(r.Records), o.typed.runs + 1, err} })
		}
	})
	o.wg.Go(func() {
		for r, err := range kivis.TableNamed(o.db, "goods").Query().OrderBy("Level", "ID").Watch(ctx) {
			o.set(func() { o.named = followed[string]{texts(t, r.Records), o.named.runs + 1, err} })
		}
	})
	o.wg.Go(func() {
		for r, err := range kivis.Live(ctx, o.db, func(ctx context.Context, tx *kivis.Tx) ([]string, error) { return levels(ctx, tx) }) {
			o.set(func() { o.live = followed[string]{r, o.live.runs + 1, err} })
		}
	})
	o.wg.Go(func() { o.follow(ctx) })
	o.wg.Go(func() {
		for c, err := range o.goods.Changes(ctx, position) {
			o.change("changes", o.told, c, err)
		}
	})
	o.wait("everything to begin", func() bool {
		return o.typed.runs > 0 && o.named.runs > 0 && o.live.runs > 0 && o.ready
	})
	return o
}

// levels returns the names of goods by their levels.
func levels(ctx context.Context, conn kivis.Conn) (list []string, err error) {
	for g, err := range kivis.TableOf[good1](conn).Query().OrderBy(goodLevel.Desc()).All(ctx) {
		if err != nil {
			return nil, err
		}
		list = append(list, fmt.Sprint(g.Level, g.Name))
	}
	return list, nil
}

var goodLevel = kivis.FieldOf(func(g *good1) *int { return &g.Level })

// follow follows the goods as a consumer.
func (o *onlooker) follow(ctx context.Context) {
	c := o.db.Consumer("onlooker")
	position, err := c.Position(ctx)
	if err != nil {
		o.t.Error(err)
		return
	}
	for change, err := range o.goods.Follow(ctx, position) {
		o.change("follow", o.have, change, err)
		if err != nil {
			return
		}
		if err := o.db.Update(ctx, func(_ context.Context, tx *kivis.Tx) error { return c.Ack(tx, change.Position) }); err != nil && ctx.Err() == nil {
			o.t.Errorf("acknowledging %v: %v", change, err)
		}
	}
}

// change applies a change to a map.
func (o *onlooker) change(from string, to map[kivis.ID[good1]]good1, c kivis.Change[good1, kivis.ID[good1]], err error) {
	o.set(func() {
		switch {
		case err != nil:
			o.ends[from] = err
		case c.Kind == kivis.Reset:
			clear(to)
			o.ready = false
		case c.Kind == kivis.Ready:
			o.ready = true
		case c.Kind == kivis.Deleted:
			delete(to, c.Key)
		default:
			to[c.Key] = c.Record
		}
	})
}

// wait waits until something is true.
func (o *onlooker) wait(what string, ok func() bool) {
	o.t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		done := false
		o.set(func() { done = ok() })
		if done {
			return
		}
		if time.Now().After(end) {
			o.set(func() {
				o.t.Fatalf("waited in vain for %s: ends are %v, %v, %v, %v; %d, %d, %d, %d and %d records", what, o.typed.err, o.named.err, o.live.err, o.ends,
					len(o.typed.last), len(o.named.last), len(o.live.last), len(o.have), len(o.told))
			})
		}
	}
}

// helpful are the errors that say what to do about a schema that has changed.
var helpful = []error{kivis.ErrMigrating, kivis.ErrOlderType, kivis.ErrNoTable, kivis.ErrGap}

func isHelpful(err error) bool {
	var query *kivis.QueryError // a field that is gone, or has another name
	return errors.As(err, &query) || slices.ContainsFunc(helpful, func(want error) bool { return errors.Is(err, want) })
}

func texts(t *testing.T, records []kivis.Record) (list []string) {
	for _, r := range records {
		text, err := r.MarshalJSON()
		if err != nil {
			t.Error(err)
		}
		list = append(list, string(text))
	}
	return list
}

// settled holds all that the onlooker knows against what there is.
func (o *onlooker) settled(a *kivis.DB, table string, follows bool) {
	t, ctx := o.t, o.t.Context()
	t.Helper()
	want := texts(t, must(kivis.TableNamed(a, table).Query().Collect(ctx))(t))
	if got := texts(t, must(kivis.TableNamed(o.db, table).Query().Collect(ctx))(t)); !slices.Equal(got, want) {
		t.Errorf("the onlooker reads\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	fresh, err := o.goods.Query().Collect(ctx)
	if err != nil && !isHelpful(err) {
		t.Errorf("a read of goods is %v", err)
	}
	all := map[kivis.ID[good1]]good1{}
	for _, g := range fresh {
		all[g.ID] = g
	}
	named, nameErr := kivis.TableNamed(o.db, "goods").Query().OrderBy("Level", "ID").Collect(ctx)
	rows, rowsErr := levels(ctx, o.db)
	o.wait("live queries to settle", func() bool {
		return settled(o.typed, fresh, err) && settled(o.named, texts(t, named), nameErr) && settled(o.live, rows, rowsErr) &&
			(isHelpful(o.ends["follow"]) || err == nil && o.ready && same(o.have, all)) &&
			(isHelpful(o.ends["changes"]) || err == nil && same(o.told, all))
	})
	for i, end := range []error{err, nameErr, rowsErr, o.typed.err, o.named.err, o.live.err, o.ends["follow"], o.ends["changes"]} {
		if follows && end != nil {
			t.Errorf("way %d to read has ended: %v", i, end)
		}
	}
	clean(t, o.db)
}

// settled reports whether a live query shows what a fresh run finds, or has ended
// with an error that says what to do.
func settled[V comparable](f followed[V], fresh []V, err error) bool {
	return isHelpful(f.err) || f.err == nil && err == nil && slices.Equal(f.last, fresh)
}

func same[K, V comparable](a, b map[K]V) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if w, ok := b[k]; !ok || v != w {
			return false
		}
	}
	return true
}

// others are the changes that a program makes while another looks on.
var others = []struct {
	name    string
	table   string // that the records are in afterwards
	records []any
	write   []string // JSON, after it
	drop    bool
	follows bool // the onlooker's live queries and feeds go on
}{
	{"a new index", "goods", []any{&goodIndexed{}}, []string{`{"ID":3,"Name":"changed","Level":7,"Old":"x"}`, `{"ID":9001,"Name":"new","Level":1,"Old":"y"}`}, false, true},
	{"a new field and index", "goods", []any{&goodMore{}}, []string{`{"ID":3,"Name":"changed","Level":7,"Old":"x","More":"m"}`, `{"ID":9001,"Name":"new","Level":1,"Old":"y","More":""}`}, false, true},
	{"a field renamed", "goods", []any{&goodRenamed{}}, []string{`{"ID":3,"Title":"changed","Level":7,"Old":"x"}`, `{"ID":9001,"Title":"new","Level":1,"Old":"y"}`}, false, true},
	{"a rewrite", "goods", []any{&good1{}, kivis.Rewrite[good1]()}, []string{`{"ID":3,"Name":"changed","Level":7,"Old":"x"}`}, false, true},
	{"a field gone, and a rewrite", "goods", []any{&goodLess{}, kivis.Rewrite[goodLess]()}, []string{`{"ID":3,"Name":"changed","Level":7}`}, false, false},
	{"a migration", "goods", []any{&goodMigrated{}, kivis.Migrate(goodToMigrated)}, []string{`{"ID":3,"Name":"changed","Level":"x","Old":"x"}`}, false, false},
	{"another key", "goods", []any{&goodKeyed{}, kivis.Migrate(goodToKeyed)}, []string{`{"Name":"new","Level":1,"Old":"y"}`, `{"Name":"good 4","Level":99,"Old":"y"}`}, false, false},
	{"another name", "wares", []any{&goodMoved{}}, []string{`{"ID":3,"Name":"changed","Level":7,"Old":"x"}`}, false, false},
	{"a drop, and another table of the name", "goods", []any{&goodAgain{}}, []string{`{"Name":"new","Count":1}`}, true, false},
}

// TestOthersSee has one program change the schema while another, with what layers it
// may have, reads, watches and follows: that one is never told what is not so, and what
// it follows goes on, or ends with an error that says what to do.
func TestOthersSee(t *testing.T) {
	for _, place := range places {
		for _, other := range others {
			t.Run(place.name+"/"+other.name, func(t *testing.T) {
				ctx := t.Context()
				programs := place.open(t)
				db := open(t, programs(), nil, &good1{})
				list := make([]good1, 300)
				for i := range list {
					list[i] = good1{Name: fmt.Sprint("good ", i), Level: i % 17, Old: fmt.Sprint("old", i)}
				}
				check(t, second(kivis.TableOf[good1](db).InsertMany(ctx, list)))
				o := look(t, programs())
				check(t, db.Close())
				db = open(t, programs(), nil)
				if other.drop {
					check(t, db.Drop(ctx, "goods"))
				}
				check(t, db.Register(other.records...))
				for _, text := range other.write {
					tb := kivis.TableNamed(db, other.table)
					rec := tb.New()
					check(t, rec.UnmarshalJSON([]byte(text)))
					must(tb.Put(ctx, rec))(t)
				}
				o.settled(db, other.table, other.follows)
				clean(t, db)
				check(t, db.Close())
			})
		}
	}
}
