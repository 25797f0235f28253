package sharedtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/kivisdb/kivis/internal/histories"
	"github.com/kivisdb/kivis/store"
)

// writers is how many there are in each process.
const writers = 4

// Histories has writers of each process read, scan and append to lists, n transactions
// each, and looks for a serial order that explains what they saw, and when: in what they
// have recorded, and in what last reads in the end. Writes that fail because of the network are
// allowed for.
func Histories(t testing.TB, processes []store.Store, last func() store.Store, seed uint64, n int) {
	t.Helper()
	r := &recorder{t: t}
	var wg sync.WaitGroup
	for p, s := range processes {
		for g := range writers {
			wg.Go(func() { r.work(s, fmt.Sprint(p, g), rand.New(rand.NewPCG(seed, uint64(10*p+g))), n) })
		}
	}
	wg.Wait()
	for _, a := range r.check(last()) {
		t.Error(a)
	}
	committed := 0
	for _, txn := range r.txns {
		if !txn.Aborted {
			committed++
		}
	}
	if t.Logf("%d transactions, %d committed, %d at first unknown", len(r.txns), committed, len(r.open)); committed < n {
		t.Errorf("%d of %d transactions were committed", committed, len(r.txns))
	}
}

const lists = 6

func listKey(i int) []byte { return fmt.Appendf(nil, "list/%d", i) }

// recorder records what writers of several processes do: they append to lists, and
// read them.
type recorder struct {
	t      testing.TB
	clock  atomic.Int64
	values atomic.Int64
	mu     sync.Mutex
	txns   []histories.Txn
	open   []int // of txns, those of which it is not known whether they were committed
}

// work makes transactions, each once.
func (r *recorder) work(s store.Store, name string, rnd *rand.Rand, n int) {
	for i := range n {
		txn := histories.Txn{Name: fmt.Sprint(name, " ", i), Start: r.clock.Add(1)}
		err := r.transact(s, rnd, &txn)
		txn.End = r.clock.Add(1)
		unknown := errors.Is(err, store.ErrCommitUnknown)
		switch {
		case err == nil || unknown:
		case errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrUnreachable):
			txn.Aborted = true
		default:
			r.t.Errorf("%s: %v", txn.Name, err)
			return
		}
		r.mu.Lock()
		if unknown {
			r.open = append(r.open, len(r.txns))
		}
		r.txns = append(r.txns, txn)
		r.mu.Unlock()
	}
}

func (r *recorder) transact(s store.Store, rnd *rand.Rand, txn *histories.Txn) error {
	write := rnd.IntN(3) > 0
	tx, err := s.Begin(context.Background(), write)
	if err != nil {
		return err
	}
	defer tx.Discard()
	for range 1 + rnd.IntN(3) {
		switch key := rnd.IntN(lists); {
		case write && rnd.IntN(2) == 0:
			err = r.grow(tx, key, txn)
		case rnd.IntN(3) == 0:
			err = r.scan(tx, txn)
		default:
			_, err = r.read(tx, key, txn)
		}
		if err != nil {
			return err
		}
	}
	_, err = tx.Commit()
	return err
}

// saw records that a list was read.
func saw(txn *histories.Txn, key int, value []byte) (items []int, err error) {
	if value != nil {
		err = json.Unmarshal(value, &items)
	}
	txn.Ops = append(txn.Ops, histories.Op{Key: key, Read: items})
	return items, err
}

func (r *recorder) read(tx store.Tx, key int, txn *histories.Txn) ([]int, error) {
	value, err := tx.Get(listKey(key))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	return saw(txn, key, value)
}

func (r *recorder) grow(tx store.Tx, key int, txn *histories.Txn) error {
	items, err := r.read(tx, key, txn)
	if err != nil {
		return err
	}
	v := int(r.values.Add(1))
	value, err := json.Marshal(append(items, v))
	if err != nil {
		return err
	}
	txn.Ops = append(txn.Ops, histories.Op{Key: key, Append: v})
	return tx.Set(listKey(key), value)
}

// scan reads all lists; one that it does not meet is empty.
func (r *recorder) scan(tx store.Tx, txn *histories.Txn) error {
	c, err := tx.Scan(store.Range{})
	if err != nil {
		return err
	}
	defer c.Close()
	values := make([][]byte, lists)
	for c.Next() {
		var key int
		if _, err := fmt.Sscanf(string(c.Key()), "list/%d", &key); err != nil {
			return err
		}
		values[key] = c.Keep()
	}
	if err := c.Err(); err != nil {
		return err
	}
	for key, value := range values {
		if _, err := saw(txn, key, value); err != nil {
			return err
		}
	}
	return nil
}

// check finds what is wrong, given the lists as they are in the end.
func (r *recorder) check(s store.Store) []histories.Anomaly {
	final := map[int][]int{}
	tx, err := s.Begin(context.Background(), false)
	if err != nil {
		r.t.Fatal(err)
	}
	defer tx.Discard()
	for key := range lists {
		items, err := r.read(tx, key, new(histories.Txn))
		if err != nil {
			r.t.Fatal(err)
		}
		final[key] = items
	}
	for _, i := range r.open { // what is in a list was committed, whenever that was
		r.txns[i].End = math.MaxInt64
		r.txns[i].Aborted = !slices.ContainsFunc(r.txns[i].Ops, func(op histories.Op) bool {
			return op.Append != 0 && slices.Contains(final[op.Key], op.Append)
		})
	}
	return histories.StrictlySerializable(r.txns, final)
}
