package storetest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kivisdb/kivis/store"
)

// killDir names the directory of the store in the environment of a child.
const killDir = "KIVIS_STORETEST_KILL"

const (
	killWriters = 4
	killKept    = 10 // a writer deletes what it wrote this many commits ago
)

// Kill tests that commits survive the death of their process. It runs the test
// binary again, as a child that writes to the store which open opens in a
// directory, kills it at some moment, and checks the store it left behind: all
// that the child reported as committed is there, no transaction is there in
// part, and the version has not gone down. It does so a number of times in one
// directory, at times before the store has been opened again.
//
// Every tenth transaction of the child writes many keys: as many, or rather
// more, as the engine takes in one batch. Call Kill from a test that does
// nothing else:
//
//	func TestKill(t *testing.T) { storetest.Kill(t, open, 20_000) }
func Kill(t *testing.T, open func(t testing.TB, dir string) store.Store, many int) {
	if dir := os.Getenv(killDir); dir != "" {
		killChild(t, open(t, dir), many)
		return
	}
	rounds := 8
	if testing.Short() {
		rounds = 3
	}
	rnd, seed := random(t)
	dir := t.TempDir()
	var told acks
	for round := range rounds {
		runChild(t, dir, rnd, &told)
		s := open(t, dir)
		if err := told.check(s, many); err != nil {
			t.Errorf("seed %d, round %d: %v", seed, round, err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("seed %d, round %d: Close: %v", seed, round, err)
		}
	}
	t.Logf("%d commits were reported, up to version %d", told.count, told.version)
}

// acks is what children have reported.
type acks struct {
	last    [killWriters]int // each writer's last transaction, from 1
	version uint64
	told    uint64           // how far the feed has been read
	fed     [killWriters]int // which transactions it told of
	count   int
}

// runChild runs a child, kills it, and takes down what it reported.
func runChild(t *testing.T, dir string, rnd *rand.Rand, told *acks) {
	name := "^" + strings.ReplaceAll(t.Name(), "/", "$/^") + "$"
	cmd := exec.Command(os.Args[0], "-test.run="+name, "-test.count=1", "-test.timeout=120s")
	cmd.Env = append(os.Environ(), killDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	rest := told.read(t, out, rnd.IntN(80))
	time.Sleep(time.Duration(rnd.IntN(3000)) * time.Microsecond)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	told.read(t, rest, -1)
	cmd.Wait() // reports the kill
}

// read takes down n reports, or all until the end, and returns the rest.
func (a *acks) read(t *testing.T, r io.Reader, n int) *bufio.Reader {
	in := bufio.NewReader(r)
	for ; n != 0; n-- {
		line, err := in.ReadString('\n')
		if err != nil {
			if n > 0 {
				t.Fatalf("the child ended by itself: %v", err)
			}
			return in
		}
		var g, i int
		var version uint64
		if _, err := fmt.Sscanf(line, "committed %d %d %d\n", &g, &i, &version); err != nil {
			t.Fatalf("the child says %q", line)
		}
		a.last[g] = i
		a.version = max(a.version, version)
		a.count++
	}
	return in
}

// killChild writes until it is killed.
func killChild(t *testing.T, s store.Store, many int) {
	if k, ok := s.(store.FeedKeeper); ok {
		if err := k.KeepFeed(context.Background(), &store.Feed{}); err != nil {
			t.Fatal(err)
		}
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for g := range killWriters {
		wg.Go(func() {
			for {
				i, version, err := killWrite(s, g, many)
				if err != nil {
					t.Errorf("writer %d: %v", g, err)
					return
				}
				mu.Lock()
				fmt.Printf("committed %d %d %d\n", g, i, version)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

func killKey(g int, part string) string { return fmt.Sprintf("%d/%s", g, part) }

// killWrite commits writer g's next transaction and returns its number.
func killWrite(s store.Store, g, many int) (int, uint64, error) {
	i := 0
	version, err := try(s, func(tx store.Tx) error {
		last, err := killLast(tx, g, "first")
		if err != nil {
			return err
		}
		i = last + 1
		value := strconv.AppendInt(nil, int64(i), 10)
		parts := []string{"first", "last", fmt.Sprintf("list/%08d", i)}
		if i%10 == 0 {
			for n := range many {
				parts = append(parts, fmt.Sprintf("many/%08d", n))
			}
		}
		for _, part := range parts {
			if err := tx.Set([]byte(killKey(g, part)), value); err != nil {
				return err
			}
		}
		return tx.Delete([]byte(killKey(g, fmt.Sprintf("list/%08d", i-killKept))))
	})
	return i, version, err
}

// killLast returns the number under one of writer g's keys, 0 where it is
// absent.
func killLast(tx store.Tx, g int, part string) (int, error) {
	values := make([][]byte, 1)
	if err := tx.GetMany([][]byte{[]byte(killKey(g, part))}, values); err != nil || values[0] == nil {
		return 0, err
	}
	return strconv.Atoi(string(values[0]))
}

// check compares the store with what was reported, and a writer's keys with
// each other.
func (a *acks) check(s store.Store, many int) error {
	tx, err := s.Begin(context.Background(), false)
	if err != nil {
		return err
	}
	defer tx.Discard()
	if tx.Version() < a.version {
		return fmt.Errorf("the store is at version %d; %d was reported", tx.Version(), a.version)
	}
	var lasts [killWriters]int
	for g := range killWriters {
		last, err := killLast(tx, g, "first")
		if err != nil {
			return err
		}
		if last < a.last[g] {
			return fmt.Errorf("writer %d reported transaction %d, the store holds up to %d", g, a.last[g], last)
		}
		lasts[g] = last
		if err := checkWhole(tx, g, last, many); err != nil {
			return fmt.Errorf("writer %d, last transaction %d: %w", g, last, err)
		}
	}
	if k, ok := s.(store.FeedKeeper); ok {
		err = a.checkFeed(k.(store.Feeder), lasts)
	}
	a.last = lasts
	return err
}

// checkFeed checks that the feed tells of each writer's transactions, from those
// of the check before on.
func (a *acks) checkFeed(f store.Feeder, lasts [killWriters]int) error {
	next := a.fed
	err := f.Changes(context.Background(), a.told, func(c store.Commit) bool {
		for _, w := range c.Writes {
			var g, i int
			if n, _ := fmt.Sscanf(string(w.Key), "%d/list/%d", &g, &i); n == 2 && !w.Deleted && i == next[g]+1 {
				next[g] = i
			}
		}
		a.told = c.Version
		return true
	})
	var gap *store.GapError
	if errors.As(err, &gap) && a.fed == [killWriters]int{} && a.told < gap.Boundary {
		a.told = gap.Boundary // where the child first kept its feed, before it wrote
		return a.checkFeed(f, lasts)
	}
	if err == nil && next != lasts {
		err = fmt.Errorf("it tells of the writers' transactions up to %v, and they are at %v", next, lasts)
	}
	if err != nil {
		return fmt.Errorf("the feed after %d: %w", a.told, err)
	}
	a.fed = next
	return nil
}

// checkWhole checks that all of writer g's transactions up to last are there,
// and whole.
func checkWhole(tx store.Tx, g, last, many int) error {
	end, err := killLast(tx, g, "last")
	if err != nil || end != last {
		return fmt.Errorf("its last key is of transaction %d: %w", end, err)
	}
	want := []string{}
	for i := max(1, last-killKept+1); i <= last; i++ {
		want = append(want, fmt.Sprint(killKey(g, fmt.Sprintf("list/%08d", i)), "=", i))
	}
	for n := range many * min(1, last/10) {
		want = append(want, fmt.Sprint(killKey(g, fmt.Sprintf("many/%08d", n)), "=", last/10*10))
	}
	c, err := tx.Scan(span(killKey(g, "list/"), killKey(g, "many0")))
	if err != nil {
		return err
	}
	defer c.Close()
	for _, pair := range want {
		if !c.Next() || entry(c) != pair {
			return fmt.Errorf("found %q, error %v; want %q", entry(c), c.Err(), pair)
		}
	}
	if c.Next() {
		return fmt.Errorf("found %q, which should be gone", entry(c))
	}
	return c.Err()
}
