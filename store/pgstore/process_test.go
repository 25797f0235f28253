package pgstore_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/pgstore"
)

// update runs f in a transaction until it does not conflict.
func update(s store.Store, f func(tx store.Tx) error) (uint64, error) {
	for {
		version, err := once(s, f)
		if !errors.Is(err, store.ErrConflict) {
			return version, err
		}
	}
}

func once(s store.Store, f func(tx store.Tx) error) (uint64, error) {
	tx, err := s.Begin(background, true)
	if err != nil {
		return 0, err
	}
	defer tx.Discard()
	if err := f(tx); err != nil {
		return 0, err
	}
	return tx.Commit()
}

// set commits one value.
func set(t testing.TB, s store.Store, key, value string) uint64 {
	t.Helper()
	version, err := update(s, func(tx store.Tx) error { return tx.Set([]byte(key), []byte(value)) })
	if err != nil {
		t.Fatalf("setting %s: %v", key, err)
	}
	return version
}

// get returns the value of key, or "" where there is none.
func get(t testing.TB, s store.Store, key string) string {
	t.Helper()
	tx, err := s.Begin(background, false)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Discard()
	value, err := tx.Get([]byte(key))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	return string(value)
}

// work appends to a list, whose end it looks for, and adds to counters of its own
// and of all, so many times.
func work(s store.Store, own string, rounds int) error {
	for range rounds {
		_, err := update(s, func(tx store.Tx) error {
			if err := appendNext(tx, own); err != nil {
				return err
			}
			return errors.Join(add(tx, "all"), add(tx, "own/"+own))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func add(tx store.Tx, key string) error {
	value, err := tx.Get([]byte(key))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	n, _ := strconv.Atoi(string(value))
	return tx.Set([]byte(key), strconv.AppendInt(nil, int64(n+1), 10))
}

func appendNext(tx store.Tx, own string) error {
	c, err := tx.Scan(store.Range{Lo: []byte("list/"), Hi: []byte("list0"), Reverse: true})
	if err != nil {
		return err
	}
	defer c.Close()
	n := 0
	if c.Next() {
		fmt.Sscanf(string(c.Key()), "list/%d", &n)
	}
	if err := c.Err(); err != nil {
		return err
	}
	return tx.Set(fmt.Appendf(nil, "list/%06d", n+1), []byte(own))
}

const workerURL, workerName = "KIVIS_PGSTORE_WORKER", "KIVIS_PGSTORE_NAME"

const perWriter = 10

// TestWorker is not a test but a process of TestProcesses.
func TestWorker(t *testing.T) {
	url := os.Getenv(workerURL)
	if url == "" {
		t.Skip("a part of TestProcesses")
	}
	s := open(t, url, nil)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			if err := work(s, fmt.Sprint(os.Getenv(workerName), g), perWriter); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// TestProcesses has four processes of four writers each count and append. All of
// them make the store, too.
func TestProcesses(t *testing.T) {
	url := newURL(t)
	processes := 4
	if testing.Short() {
		processes = 2
	}
	var wg sync.WaitGroup
	for i := range processes {
		wg.Go(func() {
			cmd := exec.Command(os.Args[0], "-test.run=^TestWorker$", "-test.timeout=5m")
			cmd.Env = append(os.Environ(), workerURL+"="+url, fmt.Sprint(workerName, "=", string(rune('a'+i))))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("process %d: %v\n%s", i, err, out)
			}
		})
	}
	wg.Wait()
	wantWork(t, open(t, url, nil), processes*4)
}

// wantWork checks what writers have left.
func wantWork(t *testing.T, s store.Store, writers int) {
	t.Helper()
	if got, want := get(t, s, "all"), strconv.Itoa(writers*perWriter); got != want {
		t.Errorf("the common counter stands at %s, want %s", got, want)
	}
	tx, err := s.Begin(background, false)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Discard()
	c, err := tx.Scan(store.Range{Lo: []byte("list/"), Hi: []byte("own0")})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	elements := 0
	for c.Next() {
		switch key := string(c.Key()); {
		case strings.HasPrefix(key, "list/"):
			elements++
			if want := fmt.Sprintf("list/%06d", elements); key != want {
				t.Fatalf("element %d of the list is %s", elements, key)
			}
		case string(c.Value()) != strconv.Itoa(perWriter):
			t.Errorf("%s stands at %s, want %d", key, c.Value(), perWriter)
		}
	}
	if err := c.Err(); err != nil || elements != writers*perWriter {
		t.Errorf("the list has %d elements, error %v; want %d", elements, err, writers*perWriter)
	}
}

// TestOthersAreSeen: what one process commits the other sees at its next Begin, and
// is told of.
func TestOthersAreSeen(t *testing.T) {
	url := newURL(t)
	a, b := open(t, url, nil), open(t, url, nil)
	at, err := b.Head(background)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		want := strconv.Itoa(i)
		version := set(t, a, "k", want)
		if got := get(t, b, "k"); got != want {
			t.Fatalf("the other process reads %q, want %q", got, want)
		}
		if i%10 == 0 {
			if got, err := b.Wait(background, at); got < version || err != nil {
				t.Fatalf("Wait = %d, %v; want %d", got, err, version)
			}
		}
	}
	n := 0
	err = b.Changes(background, at, func(c store.Commit) bool { n++; return true })
	if n != 50 || err != nil {
		t.Errorf("told of %d commits, error %v; want 50", n, err)
	}
}

// TestReadOnly opens what another process writes.
func TestReadOnly(t *testing.T) {
	url := newURL(t)
	if _, err := pgstore.Open(background, url, &pgstore.Options{ReadOnly: true}); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("opening what is not there to read only: %v, want ErrReadOnly", err)
	}
	for range 2 {
		if _, err := pgstore.Open(background, url, &pgstore.Options{MustExist: true}); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("opening what is not there and must be: %v, want ErrNotExist", err)
		}
	}
	s := open(t, url, nil)
	set(t, s, "a", "1")
	r := open(t, url, &pgstore.Options{ReadOnly: true})
	if got := get(t, r, "a"); got != "1" {
		t.Errorf("a is %q", got)
	}
	if _, err := r.Begin(background, true); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("Begin to write: %v, want ErrReadOnly", err)
	}
}
