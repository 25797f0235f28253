package cache_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kivisdb/kivis/cache"
	"github.com/kivisdb/kivis/cache/slowstore"
	"github.com/kivisdb/kivis/internal/histories"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/memstore"
)

// shared is an origin that others use, too, so that Close leaves it open.
type shared struct{ *slowstore.Store }

// Close implements [store.Store].
func (shared) Close() error { return nil }

// far returns an origin that several stacks share, each by requests of its own.
func far(t testing.TB, inner store.Store, o slowstore.Options) shared {
	return shared{slowstore.Wrap(inner, o)}
}

const lists = 8

// client is a stack, or an origin itself, through which somebody reads and writes.
type client struct {
	name  string
	s     store.Store
	after func(key, value []byte) // is told of each read; nil: nobody
	pause time.Duration           // between transactions; not 0: it goes on until the others have ended
}

// recorder records what clients do: they append to lists, and read them.
type recorder struct {
	t       *testing.T
	clock   atomic.Int64
	values  atomic.Int64
	mu      sync.Mutex
	txns    []histories.Txn
	unknown []int // of txns, those of which it is not known whether they were committed
}

func listKey(i int) []byte { return fmt.Appendf(nil, "list/%d", i) }

// work has a goroutine make transactions.
func (r *recorder) work(c client, name string, rnd *rand.Rand, n int, stop chan struct{}) {
	for i := range n {
		if c.pause > 0 {
			select {
			case <-stop:
				return
			case <-time.After(c.pause):
			}
		}
		txn := histories.Txn{Name: fmt.Sprintf("%s %s %d", c.name, name, i), Start: r.clock.Add(1)}
		w := &worker{recorder: r, c: c, rnd: rnd, txn: &txn}
		err := w.transact()
		txn.End = r.clock.Add(1)
		unknown := errors.Is(err, store.ErrCommitUnknown)
		if errors.Is(err, store.ErrUnreachable) {
			time.Sleep(300 * time.Microsecond) // it will not be better at once
		}
		switch {
		case err == nil || unknown:
		case errors.Is(err, store.ErrConflict), errors.Is(err, store.ErrUnreachable):
			txn.Aborted = true
		default:
			r.t.Errorf("%s: %v", txn.Name, err)
			return
		}
		r.mu.Lock()
		if unknown {
			r.unknown = append(r.unknown, len(r.txns))
		}
		r.txns = append(r.txns, txn)
		r.mu.Unlock()
	}
}

// worker makes one transaction.
type worker struct {
	*recorder
	c   client
	rnd *rand.Rand
	txn *histories.Txn
}

func (w *worker) transact() error {
	write := w.rnd.IntN(2) == 0
	tx, err := w.c.s.Begin(context.Background(), write)
	if err != nil {
		return err
	}
	defer tx.Discard()
	for range 1 + w.rnd.IntN(3) {
		if err := w.step(tx, write); err != nil {
			return err
		}
	}
	_, err = tx.Commit()
	return err
}

func (w *worker) step(tx store.Tx, write bool) error {
	if w.rnd.IntN(3) == 0 {
		time.Sleep(time.Duration(w.rnd.IntN(300)) * time.Microsecond)
	}
	key := w.rnd.IntN(lists)
	switch n := w.rnd.IntN(6); {
	case write && n < 3:
		return w.grow(tx, key)
	case n == 3:
		return w.scan(tx, w.rnd.IntN(2) == 0)
	case n == 4:
		keys, values := [][]byte{listKey(key), listKey((key + 3) % lists)}, make([][]byte, 2)
		if err := tx.GetMany(keys, values); err != nil {
			return err
		}
		w.saw(key, values[0])
		w.saw((key+3)%lists, values[1])
		return nil
	}
	_, err := w.get(tx, key)
	return err
}

// saw records that a list was read.
func (w *worker) saw(key int, value []byte) []int {
	var items []int
	if value != nil {
		if err := json.Unmarshal(value, &items); err != nil {
			w.t.Error(err)
		}
	}
	w.txn.Ops = append(w.txn.Ops, histories.Op{Key: key, Read: slices.Clone(items)})
	return items
}

func (w *worker) get(tx store.Tx, key int) ([]int, error) {
	value, err := tx.Get(listKey(key))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if w.c.after != nil && len(w.txn.Ops) == 0 {
		w.c.after(listKey(key), value)
	}
	return w.saw(key, value), nil
}

// grow appends a value to a list that nobody else appends.
func (w *worker) grow(tx store.Tx, key int) error {
	items, err := w.get(tx, key)
	if err != nil {
		return err
	}
	v := int(w.values.Add(1))
	text, err := json.Marshal(append(items, v))
	if err != nil {
		return err
	}
	w.txn.Ops = append(w.txn.Ops, histories.Op{Key: key, Append: v})
	return tx.Set(listKey(key), text)
}

// scan reads some lists that follow each other. One that is not there is empty.
func (w *worker) scan(tx store.Tx, reverse bool) error {
	lo := w.rnd.IntN(lists)
	hi := lo + 1 + w.rnd.IntN(lists-lo)
	c, err := tx.Scan(store.Range{Lo: listKey(lo), Hi: listKey(hi), Reverse: reverse})
	if err != nil {
		return err
	}
	defer c.Close()
	found := map[int][]byte{}
	for c.Next() {
		var key int
		if _, err := fmt.Sscanf(string(c.Key()), "list/%d", &key); err != nil {
			return err
		}
		found[key] = c.Keep()
	}
	if c.Err() != nil {
		return c.Err()
	}
	for key := lo; key < hi; key++ {
		w.saw(key, found[key])
	}
	return nil
}

// run has each client's goroutines work, and returns what is wrong with what they
// saw: nothing, if one serial order in real time explains it.
func (r *recorder) run(origin store.Store, clients []client, seed uint64, n int) []histories.Anomaly {
	var wg, pausing sync.WaitGroup
	stop := make(chan struct{})
	for i, c := range clients {
		for g := range 2 {
			rnd, group, n := rand.New(rand.NewPCG(seed, uint64(10*i+g))), &wg, n
			if c.pause > 0 {
				group, n = &pausing, 2000
			}
			group.Go(func() { r.work(c, fmt.Sprint("worker ", g), rnd, n, stop) })
		}
	}
	wg.Wait()
	close(stop)
	pausing.Wait()
	final := map[int][]int{}
	w := &worker{recorder: r, txn: &histories.Txn{}, rnd: rand.New(rand.NewPCG(seed, 99))}
	tx := begin(r.t, origin, false)
	defer tx.Discard()
	for key := range lists {
		items, err := w.get(tx, key)
		if err != nil {
			r.t.Fatal(err)
		}
		final[key] = items
	}
	for _, i := range r.unknown {
		r.txns[i].Aborted = !r.happened(r.txns[i], final)
	}
	return histories.StrictlySerializable(r.txns, final)
}

// happened says whether a transaction of unknown outcome was committed.
func (r *recorder) happened(txn histories.Txn, final map[int][]int) bool {
	for _, op := range txn.Ops {
		if op.Append != 0 {
			return slices.Contains(final[op.Key], op.Append)
		}
	}
	return true
}

// weather is how an origin behaves.
var weather = []struct {
	name    string
	options slowstore.Options
	worsen  func(s *slowstore.Store, stop chan struct{})
}{
	{"at once", slowstore.Options{}, nil},
	{"slow, out of order, twice", slowstore.Options{Latency: 50 * time.Microsecond, Jitter: 400 * time.Microsecond, Twice: 0.1}, nil},
	{"lost replies", slowstore.Options{Jitter: 100 * time.Microsecond}, func(s *slowstore.Store, stop chan struct{}) {
		every(stop, 5*time.Millisecond, func() { s.LoseReplies(1) })
	}},
	{"cut off", slowstore.Options{Jitter: 100 * time.Microsecond}, func(s *slowstore.Store, stop chan struct{}) {
		every(stop, 5*time.Millisecond, func() { s.Cut(); time.Sleep(time.Millisecond); s.Mend() })
	}},
}

func every(stop chan struct{}, d time.Duration, do func()) {
	for {
		select {
		case <-stop:
			return
		case <-time.After(d):
			do()
		}
	}
}

// layerings are the stacks that histories go through.
var layerings = []struct {
	name   string
	layers func() []cache.Layer
}{
	{"no layer", func() []cache.Layer { return nil }},
	{"memory", func() []cache.Layer { return []cache.Layer{cache.Memory(1 << 20)} }},
	{"little memory", func() []cache.Layer { return []cache.Layer{cache.Memory(16 << 10)} }},
	{"archive", func() []cache.Layer { return []cache.Layer{cache.Archive(memstore.New())} }},
	{"four layers", func() []cache.Layer {
		return []cache.Layer{cache.Memory(16 << 10), cache.Memory(1 << 20), cache.Persistent(memstore.New(), 1<<20), cache.Archive(memstore.New())}
	}},
}

// TestHistories has clients of two stacks and of the origin itself append to lists
// and read them, and checks that one serial order, in real time, explains what each
// saw: the one that began after another had ended, sees what that has done.
func TestHistories(t *testing.T) {
	for _, layering := range layerings {
		for _, w := range weather {
			t.Run(layering.name+"/"+w.name, func(t *testing.T) {
				seed := rand.Uint64()
				base := memstore.New()
				defer base.Close()
				var clients []client
				stop := make(chan struct{})
				var worsening sync.WaitGroup
				for i := range 2 {
					origin := far(t, base, w.options)
					s, err := cache.Stack(origin, layering.layers()...)
					if err != nil {
						t.Fatal(err)
					}
					defer s.Close()
					clients = append(clients, client{name: fmt.Sprint("stack ", i), s: s})
					if w.worsen != nil {
						worsening.Go(func() { w.worsen(origin.Store, stop) })
					}
				}
				clients = append(clients, client{name: "origin", s: base, pause: 500 * time.Microsecond})
				r := &recorder{t: t}
				faults := r.run(base, clients, seed, 60)
				close(stop)
				worsening.Wait()
				if w.name != "cut off" { // there it may be that hardly anything gets through
					checkServed(t, clients)
				}
				for _, a := range faults[:min(len(faults), 5)] {
					t.Errorf("seed %d: %v", seed, a)
				}
			})
		}
	}
}

// checkServed checks that layers have answered: else a history says nothing of them.
func checkServed(t *testing.T, clients []client) {
	t.Helper()
	for _, c := range clients {
		s, ok := c.s.(*cache.Store)
		if !ok {
			continue
		}
		hits := int64(0)
		stats := s.Stats()
		for _, l := range stats.Layers {
			if hits += l.Hits; l.Err != nil {
				t.Errorf("%s: layer %s: %v", c.name, l.Name, l.Err)
			}
		}
		if len(stats.Layers) > 0 && hits == 0 {
			t.Errorf("%s: no layer has answered anything", c.name)
		}
	}
}

// joining is an origin that answers a question for its newest version by the
// answer to one that is under way: what a stack must not do.
type joining struct {
	shared
	mu   sync.Mutex
	call *joined
}

type joined struct {
	done    chan struct{}
	version uint64
	err     error
}

// Head implements [store.Feeder], wrongly.
func (j *joining) Head(ctx context.Context) (uint64, error) {
	j.mu.Lock()
	if c := j.call; c != nil {
		j.mu.Unlock()
		<-c.done
		return c.version, c.err
	}
	c := &joined{done: make(chan struct{})}
	j.call = c
	j.mu.Unlock()
	c.version, c.err = j.shared.Head(ctx)
	j.mu.Lock()
	j.call = nil
	j.mu.Unlock()
	close(c.done)
	return c.version, c.err
}

// hiding is an origin whose feed leaves out some writes.
type hiding struct {
	shared
	n int
}

// Changes implements [store.Feeder], wrongly.
func (h *hiding) Changes(ctx context.Context, after uint64, yield func(store.Commit) bool) error {
	return h.shared.Changes(ctx, after, func(c store.Commit) bool {
		if h.n++; h.n%5 == 0 {
			c.Writes = nil
		}
		return yield(c)
	})
}

// TestHistoriesFindFaults has histories go through stacks that are wrong on purpose:
// TestHistories would be worth nothing if it did not notice.
func TestHistoriesFindFaults(t *testing.T) {
	slow := slowstore.Options{Latency: 300 * time.Microsecond, Jitter: 600 * time.Microsecond}
	for _, test := range []struct {
		name string
		make func(t *testing.T, base store.Store) []client
	}{
		{"joins a request under way", func(t *testing.T, base store.Store) []client {
			j := &joining{shared: far(t, base, slow)}
			a, b := over(t, j), over(t, j) // two stacks, since one joins only what was not sent
			return []client{{name: "a", s: a}, {name: "b", s: b}}
		}},
		{"misses writes", func(t *testing.T, base store.Store) []client {
			return []client{{name: "a", s: over(t, &hiding{shared: far(t, base, slowstore.Options{})})}}
		}},
		{"fills blindly", func(t *testing.T, base store.Store) []client {
			s := over(t, far(t, base, slowstore.Options{Jitter: 100 * time.Microsecond}))
			return []client{{name: "a", s: s, after: func(key, value []byte) {
				for range 20 { // until somebody has written it, and the layer has followed
					time.Sleep(100 * time.Microsecond)
					if now, _ := store.Get(context.Background(), s, key); !bytes.Equal(now, value) {
						break
					}
				}
				cache.FillBlindly(s, key, value)
			}}}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			for range 200 {
				base := memstore.New()
				clients := append(test.make(t, base), client{name: "origin", s: base, pause: 300 * time.Microsecond})
				if faults := (&recorder{t: t}).run(base, clients, rand.Uint64(), 60); len(faults) > 0 {
					t.Logf("found: %v", faults[0])
					return
				}
			}
			t.Error("nothing was found in 200 histories")
		})
	}
}

// over returns a stack of one layer in memory.
func over(t *testing.T, origin store.Store) *cache.Store {
	s, err := cache.Stack(origin, cache.Memory(1<<20))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}
