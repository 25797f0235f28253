package sharedtest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kivisdb/kivis/store"
)

const processes = 4

// atOnce runs f in the writers of several processes.
func atOnce(open func() store.Store, f func(s store.Store, writer int)) {
	var wg sync.WaitGroup
	for p := range processes {
		s := open()
		for g := range writers {
			wg.Go(func() { f(s, writers*p+g) })
		}
	}
	wg.Wait()
}

// slots has writers look for anybody in a slot, by a scan, and take it if there is
// none: a phantom would have two in one. Each that took one also counts.
func slots(t *testing.T, open func() store.Store) {
	n := 2 * rounds()
	var taken atomic.Int64
	atOnce(open, func(s store.Store, writer int) {
		rnd := rand.New(rand.NewPCG(uint64(writer), 0))
		for range rounds() {
			slot, took := rnd.IntN(n), false
			_, err := Update(s, func(tx store.Tx) (err error) {
				took, err = take(tx, slot, writer)
				return err
			})
			if err != nil {
				t.Error(err)
			}
			if took {
				taken.Add(1)
			}
		}
	})
	_, err := transact(open(), false, func(tx store.Tx) error {
		in := map[string]int{}
		all := 0
		err := each(tx, "slot/", "slot0", func(key, _ string) { in[key[:len("slot/000")]]++; all++ })
		for slot, n := range in {
			if n != 1 {
				t.Errorf("%s was taken %d times", slot, n)
			}
		}
		count, _ := tx.Get([]byte("taken"))
		if want := strconv.FormatInt(taken.Load(), 10); string(count) != want || strconv.Itoa(all) != want {
			t.Errorf("%d are in slots, and %s are counted; want %s", all, count, want)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// take takes a slot if nobody is in it, and says whether it has.
func take(tx store.Tx, slot, writer int) (bool, error) {
	lo := fmt.Sprintf("slot/%03d/", slot)
	there := false
	if err := each(tx, lo, lo[:len(lo)-1]+"0", func(_, _ string) { there = true }); err != nil || there {
		return false, err
	}
	n, err := number(tx, "taken")
	if err != nil {
		return false, err
	}
	return true, errors.Join(tx.Set(fmt.Append([]byte(lo), writer), nil), tx.Set([]byte("taken"), strconv.AppendInt(nil, int64(n+1), 10)))
}

// pairs has writers move amounts between the two of a pair, and read that their sum
// is what it was.
func pairs(t *testing.T, open func() store.Store) {
	const n, sum = 3, 100
	keys := func(i int) (a, b string) { return fmt.Sprintf("pair/%d/a", i), fmt.Sprintf("pair/%d/b", i) }
	_, err := Update(open(), func(tx store.Tx) error {
		var err error
		for i := range n {
			a, b := keys(i)
			err = errors.Join(err, tx.Set([]byte(a), []byte(strconv.Itoa(sum))), tx.Set([]byte(b), []byte("0")))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	atOnce(open, func(s store.Store, writer int) {
		rnd := rand.New(rand.NewPCG(seed, uint64(writer)))
		for range rounds() {
			a, b := keys(rnd.IntN(n))
			moved, write := rnd.IntN(sum), rnd.IntN(2) == 0
			_, err := transact(s, write, func(tx store.Tx) error {
				x, err1 := number(tx, a)
				y, err2 := number(tx, b)
				if err1 == nil && err2 == nil && x+y != sum {
					t.Errorf("%s and %s are %d and %d", a, b, x, y)
				}
				if !write {
					return errors.Join(err1, err2)
				}
				return errors.Join(err1, err2, tx.Set([]byte(a), []byte(strconv.Itoa(x-moved))), tx.Set([]byte(b), []byte(strconv.Itoa(y+moved))))
			})
			if err != nil && !errors.Is(err, store.ErrConflict) {
				t.Error(err)
			}
		}
	})
}

// number returns the number that is kept by a key; an absent one is 0.
func number(tx store.Tx, key string) (int, error) {
	value, err := tx.Get([]byte(key))
	if errors.Is(err, store.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(string(value))
}

// each calls f for the entries of a range.
func each(tx store.Tx, lo, hi string, f func(key, value string)) error {
	c, err := tx.Scan(store.Range{Lo: []byte(lo), Hi: []byte(hi)})
	if err != nil {
		return err
	}
	defer c.Close()
	for c.Next() {
		f(string(c.Key()), string(c.Value()))
	}
	return c.Err()
}
