package storetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"

	"github.com/kivisdb/kivis/store"
)

const (
	accounts = 12
	deposit  = 100
)

func account(i int) string { return fmt.Sprintf("account/%02d", i) }

// testBank moves money between accounts, while others add it up. Two accounts
// of a pair may be overdrawn, the pair may not.
func testBank(t *testing.T, h *harness) {
	rnd, seed := random(t)
	s := h.new(t)
	tx := begin(t, s, true)
	for i := range accounts {
		write(t, tx, fmt.Sprint(account(i), "=", deposit))
	}
	commit(t, tx)
	var work, audit sync.WaitGroup
	stop := make(chan struct{})
	for g := range 5 {
		own := rand.New(rand.NewPCG(seed, rnd.Uint64()))
		work.Go(func() {
			for range 60 {
				transfer(t, s, own)
			}
		})
		if g < 2 {
			audit.Go(func() { auditUntil(t, s, stop) })
		}
	}
	work.Wait()
	close(stop)
	audit.Wait()
	if err := audited(s); err != nil {
		t.Errorf("at the end: %v", err)
	}
}

// transfer moves a random amount, reading the sender's pair as well, so that
// two transfers from one pair are a write skew.
func transfer(t testing.TB, s store.Store, rnd *rand.Rand) {
	sender, receiver, amount := rnd.IntN(accounts), rnd.IntN(accounts), rnd.IntN(60)
	if sender/2 == receiver/2 {
		return
	}
	update(t, s, func(tx store.Tx) error {
		a, err := balance(tx, sender)
		if err != nil {
			return err
		}
		pair, err := balance(tx, sender^1)
		if err != nil || a+pair < amount {
			return err
		}
		b, err := balance(tx, receiver)
		if err != nil {
			return err
		}
		if err := tx.Set([]byte(account(sender)), strconv.AppendInt(nil, int64(a-amount), 10)); err != nil {
			return err
		}
		return tx.Set([]byte(account(receiver)), strconv.AppendInt(nil, int64(b+amount), 10))
	})
}

func balance(tx store.Tx, i int) (int, error) {
	value, err := tx.Get([]byte(account(i)))
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(string(value))
}

func auditUntil(t testing.TB, s store.Store, stop chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		if err := audited(s); err != nil {
			t.Error(err)
			return
		}
	}
}

// audited adds up all accounts in one snapshot.
func audited(s store.Store) error {
	tx, err := s.Begin(context.Background(), false)
	if err != nil {
		return err
	}
	defer tx.Discard()
	c, err := tx.Scan(span("account/", "account0"))
	if err != nil {
		return err
	}
	defer c.Close()
	var balances []int
	sum := 0
	for c.Next() {
		n, err := strconv.Atoi(string(c.Value()))
		if err != nil {
			return err
		}
		balances = append(balances, n)
		sum += n
	}
	if err := c.Err(); err != nil {
		return err
	}
	if len(balances) != accounts || sum != accounts*deposit {
		return fmt.Errorf("the balances are %d, in all %d; want %d", balances, sum, accounts*deposit)
	}
	for i := 0; i < accounts; i += 2 {
		if balances[i]+balances[i+1] < 0 {
			return fmt.Errorf("a pair is overdrawn: %d", balances)
		}
	}
	return nil
}

// testSequence has goroutines append to a list, each looking for the last
// element first: without the check of ranges two take the same place.
func testSequence(t *testing.T, h *harness) {
	const goroutines, each = 4, 30
	s := h.new(t)
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for range each {
				update(t, s, func(tx store.Tx) error { return appendNext(tx, g) })
			}
		})
	}
	wg.Wait()
	counts := [goroutines]int{}
	for i, pair := range scan(t, begin(t, s, false), store.Range{}) {
		var n, g int
		if _, err := fmt.Sscanf(pair, "list/%d=%d", &n, &g); err != nil || n != i {
			t.Fatalf("element %d is %q, error %v", i, pair, err)
		}
		counts[g]++
	}
	for g, n := range counts {
		if n != each {
			t.Errorf("goroutine %d has %d elements in the list, want %d", g, n, each)
		}
	}
}

func appendNext(tx store.Tx, g int) error {
	c, err := tx.Scan(down(span("list/", "list0")))
	if err != nil {
		return err
	}
	defer c.Close()
	n := 0
	if c.Next() {
		if _, err := fmt.Sscanf(string(c.Key()), "list/%d", &n); err != nil {
			return err
		}
		n++
	}
	if err := c.Err(); err != nil {
		return err
	}
	return tx.Set(fmt.Appendf(nil, "list/%06d", n), strconv.AppendInt(nil, int64(g), 10))
}
