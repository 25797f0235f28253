package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"github.com/kivisdb/kivis/store"
)

var modelTests = []test{
	{"Sequential", testModelSequential, 0},
	{"Concurrent", testModelConcurrent, writers},
	{"Bank", testBank, writers},
	{"Sequence", testSequence, writers},
}

// testModelSequential has one goroutine run random transactions, so that a
// failure comes back with its seed.
func testModelSequential(t *testing.T, h *harness) { testModel(t, h, 1, 400) }

// testModelConcurrent has several compete.
func testModelConcurrent(t *testing.T, h *harness) { testModel(t, h, 6, 150) }

// testModel runs random transactions, each keeping a record of what it did and
// saw. Then it runs the records again, one after the other, on a map.
func testModel(t *testing.T, h *harness, goroutines, each int) {
	rnd, seed := random(t)
	s := h.new(t)
	m := &model{told: hooks(s)}
	var wg sync.WaitGroup
	for g := range goroutines {
		own := rand.New(rand.NewPCG(rnd.Uint64(), uint64(g)))
		wg.Go(func() {
			for i := range each {
				m.run(t, s, own, fmt.Sprintf("%d.%d", g, i))
			}
		})
	}
	wg.Wait()
	if err := m.check(); err != nil {
		t.Errorf("seed %d: %v", seed, err)
	}
	end := begin(t, s, false)
	wantScan(t, end, store.Range{}, pairsOf(m.states[end.Version()])...)
	t.Logf("%d transactions, of which %d committed writes", len(m.txs), m.commits)
}

// hooks returns a recorder of the commits of s, or nil.
func hooks(s store.Store) *recorder {
	hooker, ok := s.(store.CommitHooker)
	if !ok {
		return nil
	}
	r := new(recorder)
	hooker.OnCommit(r.hook)
	return r
}

// model is the record of all transactions, and what a map makes of it.
type model struct {
	told *recorder // nil if the store has no hooks

	mu  sync.Mutex
	txs []*txRecord

	states  map[uint64]map[string]string
	commits int
}

// txRecord is what a transaction did and saw.
type txRecord struct {
	name     string
	snapshot uint64
	version  uint64 // of the commit; 0 for none
	steps    []step
}

// step is one call, with its result as text.
type step struct {
	call   string // get, scan, set, delete, undo
	key    string // or the lower bound
	hi     string
	value  string
	down   bool
	limit  int
	result string
}

const modelKeys = 30

func modelKey(rnd *rand.Rand) string { return fmt.Sprintf("%02d", rnd.IntN(modelKeys)) }

// run runs one random transaction and keeps its record.
func (m *model) run(t testing.TB, s store.Store, rnd *rand.Rand, name string) {
	writing := rnd.IntN(5) > 0
	tx, err := s.Begin(context.Background(), writing)
	if err != nil {
		t.Errorf("Begin: %v", err)
		return
	}
	defer tx.Discard()
	r := &txRecord{name: name, snapshot: tx.Version()}
	for i := range 1 + rnd.IntN(6) {
		for _, step := range m.steps(rnd, writing, fmt.Sprint(name, "#", i)) {
			step.result, err = perform(tx, step)
			if err != nil {
				t.Errorf("%+v: %v", step, err)
				return
			}
			r.steps = append(r.steps, step)
			runtime.Gosched() // or a fast store runs each transaction in one go
		}
	}
	m.finish(t, tx, r, rnd.IntN(10) == 0)
}

// finish commits or discards, and keeps the record: what a transaction saw
// before a conflict has to be right too.
func (m *model) finish(t testing.TB, tx store.Tx, r *txRecord, discard bool) {
	var err error
	if discard {
		tx.Discard()
	} else if r.version, err = tx.Commit(); err != nil && !errors.Is(err, store.ErrConflict) {
		t.Errorf("Commit: %v", err)
	}
	if discard || err != nil || !r.writes() {
		r.version = 0
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.txs = append(m.txs, r)
}

func (r *txRecord) writes() bool {
	own := replica{state: map[string]string{}}
	for _, step := range r.steps {
		own.perform(step)
	}
	return len(own.written) > 0
}

// steps returns the next call or two. In a store without hooks, a write follows
// a read of its key: of two blind writes with one version nobody knows the
// order.
func (m *model) steps(rnd *rand.Rand, writing bool, value string) []step {
	key := modelKey(rnd)
	n := rnd.IntN(10)
	if !writing {
		n = rnd.IntN(5)
	}
	var prior []step
	if m.told == nil && n >= 5 {
		prior = []step{{call: "get", key: key}}
	}
	switch {
	case n < 2:
		return []step{{call: "get", key: key}}
	case n < 5:
		return []step{{call: "scan", key: key, hi: modelKey(rnd), down: rnd.IntN(2) == 0, limit: rnd.IntN(6)}}
	case n < 8:
		return append(prior, step{call: "set", key: key, value: value})
	case n == 8:
		return append(prior, step{call: "delete", key: key})
	}
	return append(prior, step{call: "undo", key: key, value: value})
}

// perform makes the call of a step and returns its result.
func perform(tx store.Tx, s step) (string, error) {
	switch s.call {
	case "get":
		value, err := tx.Get([]byte(s.key))
		if errors.Is(err, store.ErrNotFound) {
			return absent, nil
		}
		return string(value), err
	case "scan":
		return performScan(tx, s)
	case "set":
		return "", tx.Set([]byte(s.key), []byte(s.value))
	case "delete":
		return "", tx.Delete([]byte(s.key))
	}
	return performUndo(tx, s)
}

// performUndo writes and takes it back.
func performUndo(tx store.Tx, s step) (string, error) {
	mark := tx.Savepoint()
	if err := tx.Set([]byte(s.key), []byte(s.value)); err != nil {
		return "", err
	}
	value, err := tx.Get([]byte(s.key))
	if err != nil {
		return "", err
	}
	return string(value), tx.Rollback(mark)
}

func performScan(tx store.Tx, s step) (string, error) {
	c, err := tx.Scan(s.span())
	if err != nil {
		return "", err
	}
	defer c.Close()
	text := ""
	for n := 0; n < s.limit && c.Next(); n++ {
		text += entry(c) + " "
	}
	return text, c.Err()
}

func (s step) span() store.Range {
	r := span(s.key, s.hi)
	r.Reverse = s.down
	return r
}
