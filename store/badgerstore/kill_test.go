package badgerstore_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/kivisdb/kivis/internal/testform"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
	"github.com/kivisdb/kivis/store/storetest"
)

// These tests kill a process that writes, and look at what it leaves. The
// process is this test binary again, with what to do in its environment.

const childEnv = "KIVIS_BADGERSTORE_CHILD"

var children = map[string]func(dir string, args []string) error{
	"hold":    childHold,
	"read":    childRead,
	"writers": childWriters,
	"big":     childBig,
}

func TestMain(m *testing.M) {
	if bits.UintSize == 32 {
		refused()
	}
	name, args, ok := strings.Cut(os.Getenv(childEnv), " ")
	if !ok {
		os.Exit(m.Run())
	}
	fields := strings.Fields(args)
	if err := children[name](fields[0], fields[1:]); err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// refused ends the tests where Badger does not work, as Open must say.
func refused() {
	if _, err := badgerstore.Open(os.TempDir(), nil); !errors.Is(err, errors.ErrUnsupported) {
		fmt.Printf("Open = %v, want ErrUnsupported\n", err)
		os.Exit(1)
	}
	fmt.Println("skipped: Badger does not work on 32-bit platforms")
	os.Exit(0)
}

// child is a running process and the lines that it has printed.
type child struct {
	cmd   *exec.Cmd
	lines chan string
}

func start(t *testing.T, name, dir string, args ...any) *child {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+strings.TrimSpace(fmt.Sprintln(append([]any{name, dir}, args...)...)))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &child{cmd, make(chan string, 1<<20)}
	go func() {
		r := bufio.NewReader(out)
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				break // half a line is not acknowledged
			}
			c.lines <- strings.TrimSpace(line)
		}
		io.Copy(io.Discard, r)
		close(c.lines)
	}()
	t.Cleanup(func() { c.kill() })
	return c
}

// wait returns the next line.
func (c *child) wait(t *testing.T) string {
	t.Helper()
	return c.waitFor(t, time.Minute)
}

// ended waits until the process ends by itself.
func (c *child) ended() {
	for range c.lines {
	}
	c.cmd.Wait()
}

// waitFor is wait with a limit.
func (c *child) waitFor(t *testing.T, limit time.Duration) string {
	t.Helper()
	select {
	case line, ok := <-c.lines:
		if !ok || strings.HasPrefix(line, "error") {
			t.Fatalf("child ended: %s", line)
		}
		return line
	case <-time.After(limit):
		c.cmd.Process.Signal(syscall.SIGQUIT) // so that it says where it is
		time.Sleep(time.Second)
		t.Fatal("child says nothing")
	}
	return ""
}

// kill kills the process, if it is still there, and returns the lines that were
// left.
func (c *child) kill() (lines []string) {
	c.cmd.Process.Kill()
	for line := range c.lines {
		lines = append(lines, line)
	}
	c.cmd.Wait()
	return lines
}

// childHold holds the directory.
func childHold(dir string, args []string) error {
	s, err := badgerstore.Open(dir, &badgerstore.Options{ReadOnly: len(args) > 0})
	if err != nil {
		return err
	}
	defer s.Close()
	fmt.Println("open")
	time.Sleep(time.Minute)
	return nil
}

// childRead opens and reads each directory in args, in which anything may be
// damaged, and says what comes of it.
func childRead(_ string, args []string) error {
	for i, dir := range args {
		s, err := badgerstore.Open(dir, &badgerstore.Options{ReadOnly: i%2 == 1, NoTidy: true})
		if err != nil {
			fmt.Printf("open %q\n", err)
			continue
		}
		n := 0
		err = view(s, func(tx store.Tx) error {
			c, err := tx.Scan(store.Range{})
			if err != nil {
				return err
			}
			defer c.Close()
			for c.Next() {
				n++
			}
			return c.Err()
		})
		if err = errors.Join(err, s.Verify(ctx), s.Close()); err != nil {
			fmt.Printf("scan %d %q\n", n, err)
			continue
		}
		fmt.Println("scan", n, err)
	}
	return nil
}

const (
	writers     = 4
	writerKeys  = 5
	writerParts = 40 // every so many rounds a version of several parts
)

func writerKey(w, j int) []byte { return fmt.Appendf(nil, "writer/%d/%d", w, j) }

func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// childWriters has writers count upwards, each in a few keys at once, one of
// which is there only at even numbers, and acknowledges each number.
func childWriters(dir string, args []string) error {
	s, err := badgerstore.Open(dir, &badgerstore.Options{NoSync: args[0] == "nosync", Memory: 16 << 20})
	if err != nil {
		return err
	}
	fmt.Println("open")
	errs := make(chan error, writers)
	var out sync.Mutex
	for w := range writers {
		go func() {
			for {
				n, version, err := count(s, w)
				if err != nil {
					errs <- err
					return
				}
				out.Lock()
				fmt.Println(w, n, version)
				out.Unlock()
			}
		}()
	}
	return <-errs
}

// count takes writer w one further.
func count(s store.Store, w int) (n, version uint64, err error) {
	tx, err := s.Begin(ctx, true)
	if err != nil {
		return 0, 0, err
	}
	defer tx.Discard()
	old, err := tx.Get(writerKey(w, 0))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return 0, 0, err
	}
	if old != nil {
		n = binary.BigEndian.Uint64(old)
	}
	n++
	value := number(n)
	if n%writerParts == uint64(w) {
		value = append(value, make([]byte, 200<<10)...) // in pieces, which 16 MiB do not take at once
	}
	for j := range writerKeys {
		if err := tx.Set(writerKey(w, j), value); err != nil {
			return 0, 0, err
		}
	}
	if n%2 == 1 {
		err = tx.Delete(writerKey(w, writerKeys))
	} else {
		err = tx.Set(writerKey(w, writerKeys), value)
	}
	if err != nil {
		return 0, 0, err
	}
	version, err = tx.Commit()
	return n, version, err
}

func TestKillConformance(t *testing.T) {
	// A Badger transaction of so little memory has 3,276 entries.
	opts := &badgerstore.Options{Memory: 16 << 20}
	storetest.Kill(t, func(t testing.TB, dir string) store.Store { return open(t, dir, opts) }, 4000)
}

func TestKill(t *testing.T) {
	rounds := testform.Of(4, 10, 50)
	dir := t.TempDir()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	var acked [writers]uint64
	var version uint64
	for round := range rounds {
		mode := []string{"sync", "nosync"}[round%2]
		c := start(t, "writers", dir, mode)
		c.wait(t)
		acknowledged(t, []string{c.wait(t)}, &acked, &version)
		time.Sleep(time.Duration(r.IntN(80)) * time.Millisecond)
		acknowledged(t, c.kill(), &acked, &version)
		readOnly := open(t, dir, &badgerstore.Options{ReadOnly: true})
		seen := checkWriters(t, readOnly, &acked, version)
		check(t, readOnly.Close())
		s := open(t, dir, nil)
		if again := checkWriters(t, s, &acked, version); again != seen {
			t.Errorf("read-only, after the kill, the writers are at %v; then at %v", seen, again)
		}
		check(t, s.Close())
		acked = seen
		if t.Failed() {
			t.Fatalf("in round %d, %s", round, mode)
		}
	}
	t.Logf("%d rounds, writers at %v", rounds, acked)
}

func acknowledged(t *testing.T, lines []string, acked *[writers]uint64, version *uint64) {
	t.Helper()
	for _, line := range lines {
		var w int
		var n, v uint64
		if _, err := fmt.Sscan(line, &w, &n, &v); err != nil {
			t.Fatalf("child said %q", line)
		}
		acked[w] = max(acked[w], n)
		*version = max(*version, v)
	}
}

// checkWriters checks that what was acknowledged is there, whole, and returns
// where the writers are.
func checkWriters(t *testing.T, s store.Store, acked *[writers]uint64, version uint64) (at [writers]uint64) {
	t.Helper()
	check(t, view(s, func(tx store.Tx) error {
		if tx.Version() < version {
			t.Errorf("version %d, after %d was acknowledged", tx.Version(), version)
		}
		for w := range writers {
			first, err := tx.Get(writerKey(w, 0))
			if errors.Is(err, store.ErrNotFound) && acked[w] == 0 {
				continue // killed before its first commit
			}
			if err != nil {
				return err
			}
			at[w] = binary.BigEndian.Uint64(first)
			if at[w] < acked[w] {
				t.Errorf("writer %d is at %d; acknowledged was %d", w, at[w], acked[w])
			}
			for j := 1; j <= writerKeys; j++ {
				value, err := tx.Get(writerKey(w, j))
				gone := j == writerKeys && at[w]%2 == 1
				switch {
				case gone && !errors.Is(err, store.ErrNotFound):
					t.Errorf("writer %d is at %d, but key %d is there: %v", w, at[w], j, err)
				case !gone && err != nil:
					t.Errorf("writer %d is at %d, key %d: %v", w, at[w], j, err)
				case !gone && !bytes.Equal(value, first):
					t.Errorf("writer %d is at %d in half: key %d is at %d", w, at[w], j, binary.BigEndian.Uint64(value))
				}
			}
		}
		return nil
	}))
	return at
}

// The big transaction replaces, deletes and adds keys.
const bigOld = 3000

func bigKey(i int) []byte { return fmt.Appendf(nil, "big/%07d", i) }

// childBig commits the old keys, unless they are there, then n keys in one
// transaction.
func childBig(dir string, args []string) error {
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	s, err := badgerstore.Open(dir, nil)
	if err != nil {
		return err
	}
	if err := update(s, setOld); err != nil {
		return err
	}
	tx, err := s.Begin(ctx, true)
	if err != nil {
		return err
	}
	if err := setBig(tx, n); err != nil {
		return err
	}
	fmt.Println("commit")
	if _, err := tx.Commit(); err != nil {
		return err
	}
	fmt.Println("done")
	time.Sleep(time.Minute)
	return nil
}

func setOld(tx store.Tx) error {
	for i := range bigOld {
		if err := tx.Set(bigKey(i), []byte("old")); err != nil {
			return err
		}
	}
	return tx.Set([]byte("large"), bytes.Repeat([]byte("old"), 100_000))
}

// setBig makes n writes: it deletes the first third of the old keys, replaces
// the rest, and adds others.
func setBig(tx store.Tx, n int) error {
	for i := range n {
		var err error
		if i < bigOld/3 {
			err = tx.Delete(bigKey(i))
		} else {
			err = tx.Set(bigKey(i), []byte("new"))
		}
		if err != nil {
			return err
		}
	}
	return tx.Set([]byte("large"), bytes.Repeat([]byte("new"), 200_000))
}

// bigState checks that the big transaction is there whole or not at all.
func bigState(t *testing.T, s store.Store, n int) (committed bool) {
	t.Helper()
	check(t, view(s, func(tx store.Tx) error {
		large, err := tx.Get([]byte("large"))
		if err != nil {
			return err
		}
		committed = bytes.HasPrefix(large, []byte("new"))
		want, first, count := "old", 0, bigOld
		if committed {
			want, first, count = "new", bigOld/3, n-bigOld/3
		}
		if i := len(large) / 3; i != 100_000 && i != 200_000 || strings.Count(string(large), want) != i {
			t.Errorf("the large value has %d bytes and is torn", len(large))
		}
		c, err := tx.Scan(store.Range{Lo: []byte("big/"), Hi: []byte("big0")})
		if err != nil {
			return err
		}
		defer c.Close()
		got := 0
		for c.Next() {
			if string(c.Key()) != string(bigKey(first+got)) || string(c.Value()) != want {
				t.Fatalf("entry %d is %s = %s; want %s = %s", got, c.Key(), c.Value(), bigKey(first+got), want)
			}
			got++
		}
		if got != count {
			t.Errorf("%d keys, want %d (committed: %t)", got, count, committed)
		}
		return c.Err()
	}))
	return committed
}

func TestKillBigTransaction(t *testing.T) {
	n, parts := testform.Of(20_000, 20_000, 200_000), []float64{0.2, 0.4, 0.6, 0.05, 0.8, 0.95}
	parts = parts[:testform.Of(3, 3, 6)]
	took := timeBig(t, n)
	undone := 0
	for _, part := range parts {
		dir := t.TempDir()
		c := start(t, "big", dir, n)
		c.wait(t)
		time.Sleep(time.Duration(part * float64(took)))
		done := len(c.kill()) > 0
		readOnly := open(t, dir, &badgerstore.Options{ReadOnly: true})
		seen := bigState(t, readOnly, n)
		check(t, readOnly.Close())
		// Opening it undoes the half that is there; that can be killed too.
		opening := start(t, "hold", dir)
		time.Sleep(time.Duration(part * float64(100*time.Millisecond)))
		opening.kill()
		s := open(t, dir, nil)
		committed := bigState(t, s, n)
		if done && !committed || committed != seen {
			t.Errorf("killed at %.0f%%: acknowledged %t, read-only %t, then %t", part*100, done, seen, committed)
		}
		if !committed {
			undone++
			check(t, update(s, func(tx store.Tx) error { return setBig(tx, n) }))
			if !bigState(t, s, n) {
				t.Errorf("killed at %.0f%%: the transaction does not commit afterwards", part*100)
			}
		}
		check(t, s.Close())
	}
	t.Logf("%d writes took %v; of %d killed, %d were undone", n, took, len(parts), undone)
}

// timeBig returns how long the commit takes if nobody kills it.
func timeBig(t *testing.T, n int) time.Duration {
	dir := t.TempDir()
	c := start(t, "big", dir, n)
	c.wait(t)
	begin := time.Now()
	c.wait(t)
	took := time.Since(begin)
	c.kill()
	s := open(t, dir, nil)
	if !bigState(t, s, n) {
		t.Error("an acknowledged transaction is not there")
	}
	check(t, s.Close())
	return took
}

// A million keys in one transaction are what 200 thousand records with four
// indexes are.
func TestMillionKeys(t *testing.T) {
	testform.Long(t, "takes long")
	const n = 1_000_000
	s := open(t, t.TempDir(), nil)
	check(t, update(s, setOld))
	check(t, update(s, func(tx store.Tx) error { return setBig(tx, n) }))
	if !bigState(t, s, n) {
		t.Error("not committed")
	}
}
