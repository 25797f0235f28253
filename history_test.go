package kivis_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/internal/histories"
)

var historyTime = flag.Duration("history", 0, "how long TestHistories goes on with new histories on each store")

// List is what recorded transactions append to. A list that has no record yet is
// empty, so reads of it are of what is not there.
type List struct {
	ID    int `kivis:"key"`
	Group int `kivis:"index"`
	Len   int `kivis:"index"`
	Items []int
}

const lists, groups = 6, 2

func groupOf(key int) int { return key % groups }

var (
	listKey   = kivis.FieldOf(func(l *List) *int { return &l.ID })
	listGroup = kivis.FieldOf(func(l *List) *int { return &l.Group })
	listLen   = kivis.FieldOf(func(l *List) *int { return &l.Len })
)

// TestHistories has goroutines append to a few lists and read them in every way
// there is, and checks that one serial order, in real time, explains what each saw.
func TestHistories(t *testing.T) {
	rounds, calls := 4, 150
	if testing.Short() {
		rounds = 1
	}
	for _, s := range stores {
		t.Run(s.name, func(t *testing.T) {
			until := time.Now().Add(*historyTime)
			for i := 0; i < rounds || time.Now().Before(until); i++ {
				seed := rand.Uint64()
				ok := t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
					recordHistory(t, openDB(t, s.open(t), &List{}), seed, calls)
				})
				if !ok {
					return
				}
			}
		})
	}
}

// recordHistory makes calls in several goroutines, and checks what they saw.
func recordHistory(t *testing.T, db *kivis.DB, seed uint64, calls int) {
	h := &history{db: db}
	var wg sync.WaitGroup
	workers := make([]*historian, 6)
	for i := range workers {
		w := &historian{history: h, t: t, name: fmt.Sprint("worker ", i), rng: rand.New(rand.NewPCG(seed, uint64(i)))}
		workers[i] = w
		wg.Go(func() {
			for range calls {
				w.call()
			}
		})
	}
	wg.Wait()
	var txns []histories.Txn
	done := map[string]int{}
	for _, w := range workers {
		txns = append(txns, w.txns...)
		for call, n := range w.done {
			done[call] += n
		}
	}
	final := map[int][]int{}
	for l, err := range kivis.TableBy[List, int](db).All(bg) {
		if err != nil {
			t.Fatal(err)
		}
		final[l.ID] = l.Items
	}
	anomalies := histories.StrictlySerializable(txns, final)
	for _, a := range anomalies[:min(len(anomalies), 10)] {
		t.Error(a)
	}
	for _, c := range historyCalls {
		if !t.Failed() && done[c.name] == 0 {
			t.Errorf("no call of %q came through", c.name)
		}
	}
	t.Logf("seed %d: %d transactions, %d of them dropped; came through: %v", seed, len(txns), h.dropped.Load(), done)
}

// history is what all goroutines share.
type history struct {
	db      *kivis.DB
	clock   atomic.Int64
	values  atomic.Int64
	dropped atomic.Int64
}

// historian makes calls in one goroutine and records them.
type historian struct {
	*history
	t    *testing.T
	name string
	rng  *rand.Rand
	txns []histories.Txn
	done map[string]int
	now  []histories.Op // of the transaction under way
	gone []histories.Op // what its earlier attempts and undone steps appended
}

// historyCalls are the transactions that are recorded. A Bulk here is one chunk:
// a change by a query, which begins a new one, comes first in it.
var historyCalls = []struct {
	name string
	call func(w *historian, ctx context.Context) error
}{
	{"get", func(w *historian, ctx context.Context) error { return w.getAny(ctx, w.db) }},
	{"get many", func(w *historian, ctx context.Context) error { return w.getMany(ctx, w.db) }},
	{"query a group", func(w *historian, ctx context.Context) error { return w.group(ctx, w.db) }},
	{"query lengths", func(w *historian, ctx context.Context) error { return w.lengths(ctx, w.db) }},
	{"range", func(w *historian, ctx context.Context) error { return w.keys(ctx, w.db) }},
	{"modify", func(w *historian, ctx context.Context) error { return w.modify(ctx, w.db) }},
	{"modify a group", func(w *historian, ctx context.Context) error { return w.modifyGroup(ctx, w.db) }},
	{"view", func(w *historian, ctx context.Context) error { return w.view(ctx, w.db) }},
	{"update", func(w *historian, ctx context.Context) error { return w.update(ctx, w.db) }},
	{"begin", (*historian).begin},
	{"bulk modify", func(w *historian, ctx context.Context) error { return w.bulk(ctx, w.modify, w.modify) }},
	{"bulk modify a group", func(w *historian, ctx context.Context) error { return w.bulk(ctx, w.modifyGroup, w.modify) }},
	{"bulk update", func(w *historian, ctx context.Context) error { return w.bulk(ctx, w.modify, w.update) }},
	{"bulk read and write", func(w *historian, ctx context.Context) error { return w.bulk(ctx, w.getAny, w.appendAny) }},
	{"bulk query and write", func(w *historian, ctx context.Context) error { return w.bulk(ctx, w.group, w.appendAny) }},
}

// call makes one call and records it.
func (w *historian) call() {
	c := historyCalls[w.rng.IntN(len(historyCalls))]
	w.now, w.gone = nil, nil
	start := w.clock.Add(1)
	err := c.call(w, bg)
	end := w.clock.Add(1)
	name := fmt.Sprintf("%s's %s at %d", w.name, c.name, start)
	switch {
	case err == nil:
		if w.done == nil {
			w.done = map[string]int{}
		}
		w.done[c.name]++
	case errors.Is(err, kivis.ErrConflict), errors.Is(err, kivis.ErrNotFound), errors.Is(err, errUndo):
		w.dropped.Add(1)
	default:
		w.t.Errorf("%s: %v", name, err)
	}
	w.txns = append(w.txns, histories.Txn{Name: name, Start: start, End: end, Aborted: err != nil, Ops: w.now})
	if w.gone != nil {
		w.txns = append(w.txns, histories.Txn{Name: name + ", undone", Start: start, End: end, Aborted: true, Ops: w.gone})
	}
}

// undo takes back what was recorded after the first n.
func (w *historian) undo(n int) {
	w.gone = append(w.gone, w.now[n:]...)
	w.now = slices.Clip(w.now[:n])
}

func (w *historian) saw(key int, items []int) {
	w.now = append(w.now, histories.Op{Key: key, Read: slices.Clone(items)})
}

// grow appends a value that nobody else appends, and records what was there.
func (w *historian) grow(l *List) {
	w.saw(l.ID, l.Items)
	v := int(w.values.Add(1))
	w.now = append(w.now, histories.Op{Key: l.ID, Append: v})
	l.Items = append(slices.Clone(l.Items), v)
	l.Len = len(l.Items)
	w.pause()
}

// pause lets others come between.
func (w *historian) pause() {
	if w.rng.IntN(4) == 0 {
		time.Sleep(time.Duration(w.rng.IntN(200)) * time.Microsecond)
	}
	runtime.Gosched()
}

func table(c kivis.Conn) kivis.Table[List, int] { return kivis.TableBy[List, int](c) }

func (w *historian) get(ctx context.Context, c kivis.Conn, key int) error {
	l, err := table(c).Get(ctx, key)
	if err != nil && !errors.Is(err, kivis.ErrNotFound) {
		return err
	}
	w.saw(key, l.Items)
	return nil
}

func (w *historian) getAny(ctx context.Context, c kivis.Conn) error {
	return w.get(ctx, c, w.rng.IntN(lists))
}

func (w *historian) getMany(ctx context.Context, c kivis.Conn) error {
	keys := w.rng.Perm(lists)[:3]
	found, err := table(c).GetMany(ctx, keys...)
	if err != nil {
		return err
	}
	for _, key := range keys {
		w.saw(key, found[key].Items)
	}
	return nil
}

// group reads a group by its index: lists that do not come are empty.
func (w *historian) group(ctx context.Context, c kivis.Conn) error {
	g := w.rng.IntN(groups)
	return w.query(ctx, table(c).Where(listGroup.Eq(g)), func(key int) bool { return groupOf(key) == g })
}

// keys reads a range of keys.
func (w *historian) keys(ctx context.Context, c kivis.Conn) error {
	lo := w.rng.IntN(lists)
	return w.query(ctx, table(c).Where(listKey.Ge(lo)).OrderBy(listKey.Desc()), func(key int) bool { return key >= lo })
}

// lengths reads by an index whose entries move with each append. Of lists that
// do not come it tells nothing.
func (w *historian) lengths(ctx context.Context, c kivis.Conn) error {
	return w.query(ctx, table(c).Where(listLen.Ge(1+w.rng.IntN(20))), func(int) bool { return false })
}

// query records what a query finds, and the lists that it would have found.
func (w *historian) query(ctx context.Context, q kivis.Query[List, int], all func(key int) bool) error {
	found, err := q.Collect(ctx)
	if err != nil {
		return err
	}
	missing := map[int]bool{}
	for key := range lists {
		missing[key] = all(key)
	}
	for _, l := range found {
		w.saw(l.ID, l.Items)
		missing[l.ID] = false
	}
	for key := range lists {
		if missing[key] {
			w.saw(key, nil)
		}
	}
	return nil
}

// modify appends by Modify. A Bulk, and a DB after a conflict, runs the function
// again: what it recorded then stands in place of what it did before.
func (w *historian) modify(ctx context.Context, c kivis.Conn) error {
	key, run := w.rng.IntN(lists), w.rerun()
	_, err := table(c).Modify(ctx, key, func(l *List) error { run(l); return nil })
	return err
}

// modifyGroup appends to each list of a group.
func (w *historian) modifyGroup(ctx context.Context, c kivis.Conn) error {
	runs := map[int]func(*List){}
	_, err := table(c).Where(listGroup.Eq(w.rng.IntN(groups))).Modify(ctx, func(l *List) error {
		if runs[l.ID] == nil {
			runs[l.ID] = w.rerun()
		}
		runs[l.ID](l)
		return nil
	})
	return err
}

// rerun returns a function that appends to a list, and when it runs again takes
// the place of its earlier run.
func (w *historian) rerun() func(*List) {
	at := -1
	return func(l *List) {
		before := len(w.now)
		w.grow(l)
		if at < 0 {
			at = before
			return
		}
		w.gone = append(w.gone, w.now[at+1])
		w.now[at], w.now[at+1] = w.now[before], w.now[before+1]
		w.now = w.now[:before]
	}
}

func (w *historian) appendAny(ctx context.Context, c kivis.Conn) error {
	return w.append(ctx, c, w.rng.IntN(lists))
}

// append appends by a read and a write.
func (w *historian) append(ctx context.Context, c kivis.Conn, key int) error {
	l, err := table(c).Get(ctx, key)
	missing := errors.Is(err, kivis.ErrNotFound)
	if err != nil && !missing {
		return err
	}
	l.ID, l.Group = key, groupOf(key)
	w.grow(&l)
	switch {
	case missing:
		_, err = table(c).Insert(ctx, &l)
	case w.rng.IntN(2) == 0:
		_, err = table(c).Put(ctx, &l)
	default:
		err = table(c).Replace(ctx, &l)
	}
	return err
}
