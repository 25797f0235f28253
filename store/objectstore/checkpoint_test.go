package objectstore_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/filestore"
	"github.com/kivisdb/kivis/store/memstore"
	"github.com/kivisdb/kivis/store/objectstore"
)

// unclosed is a local store that outlives those that close it.
type unclosed struct{ store.Store }

func (unclosed) Close() error { return nil }

// TestCheckpoints makes random commits, and checkpoints, collections and openings in
// between: whoever opens the store, by whatever part of it, sees the same.
func TestCheckpoints(t *testing.T) {
	server := newServer(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	rounds := 20
	if testing.Short() {
		rounds = 5
	}
	for range rounds {
		url := newURL(server)
		stores := []*objectstore.Store{open(t, url, nil), open(t, url, nil)}
		kept := unclosed{memstore.New()}
		model := map[string]string{}
		for range 40 {
			s := stores[rnd.IntN(len(stores))]
			switch rnd.IntN(8) {
			case 0:
				if err := s.Checkpoint(background); err != nil {
					t.Fatal(err)
				}
			case 1:
				if err := s.Collect(background, time.Duration(rnd.IntN(2))*time.Hour); err != nil {
					t.Fatal(err)
				}
			case 2:
				wantModel(t, s, model)
			case 3:
				again := open(t, url, &objectstore.Options{State: kept})
				wantModel(t, again, model)
				again.Close()
			case 4:
				wantModel(t, open(t, url, &objectstore.Options{ReadOnly: true}), model)
			default:
				commitRandom(t, s, rnd, model)
			}
		}
		for _, s := range append(stores, open(t, url, nil)) {
			wantModel(t, s, model)
			if err := s.Verify(background); err != nil {
				t.Errorf("Verify: %v", err)
			}
		}
	}
}

func commitRandom(t *testing.T, s store.Store, rnd *rand.Rand, model map[string]string) {
	t.Helper()
	_, err := update(s, func(tx store.Tx) error {
		for range 1 + rnd.IntN(5) {
			key := fmt.Sprint(rnd.IntN(30))
			if rnd.IntN(3) == 0 {
				if err := tx.Delete([]byte(key)); err != nil {
					return err
				}
				delete(model, key)
				continue
			}
			model[key] = fmt.Sprint(rnd.Uint64())
			if err := tx.Set([]byte(key), []byte(model[key])); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func wantModel(t *testing.T, s store.Store, model map[string]string) {
	t.Helper()
	var want [][2]string
	for key, value := range model {
		want = append(want, [2]string{key, value})
	}
	slices.SortFunc(want, func(a, b [2]string) int { return bytes.Compare([]byte(a[0]), []byte(b[0])) })
	if got := contents(t, begin(t, s, false)); !slices.Equal(got, want) {
		t.Errorf("the store has\n%q\nwant\n%q", got, want)
	}
}

// big is a value that cannot be compressed.
func big(n int) []byte {
	value := make([]byte, n)
	rnd := rand.NewChaCha8([32]byte{1})
	rnd.Read(value)
	return value
}

// TestLargeCommits has commits that the local store takes in several transactions,
// and a checkpoint that is made in parts and read in chunks; a checkpoint is a
// backup, which others read.
func TestLargeCommits(t *testing.T) {
	url := newURL(newServer(t))
	s, other := open(t, url, nil), open(t, url, nil)
	const n = 20
	_, err := update(s, func(tx store.Tx) error {
		for i := range n {
			if err := tx.Set(fmt.Appendf(nil, "big%02d", i), append(big(1<<20), byte(i))); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = update(s, func(tx store.Tx) error {
		for i := range 20_000 {
			if err := tx.Set(fmt.Appendf(nil, "k%05d", i), fmt.Append(nil, i)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := contents(t, begin(t, s, false))
	if len(want) != n+20_000 {
		t.Fatalf("there are %d entries, want %d", len(want), n+20_000)
	}
	collected(t, s)
	var told, done, total int64
	fresh := open(t, url, &objectstore.Options{Progress: func(d, all int64) { told++; done, total = d, all }})
	for i, s := range []*objectstore.Store{other, fresh} {
		if got := contents(t, begin(t, s, false)); !slices.Equal(got, want) {
			t.Errorf("process %d has %d other entries", i, len(got))
		}
	}
	if total < n<<20 || done != total || told < 4 {
		t.Errorf("Progress was told %d times, at last of %d of %d bytes", told, done, total)
	}
	_, checkpoint, err := s.Boundary(background)
	if err != nil {
		t.Fatal(err)
	}
	backup, err := s.Object(background, fmt.Sprintf("checkpoint/%020d", checkpoint))
	if err != nil {
		t.Fatal(err)
	}
	f, err := filestore.New(bytes.NewReader(backup))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got := contents(t, begin(t, f, false)); !slices.Equal(got, want) {
		t.Errorf("the checkpoint as a backup has %d other entries", len(got))
	}
}

// TestBackground has checkpoints and collections come by themselves.
func TestBackground(t *testing.T) {
	url := newURL(newServer(t))
	s := open(t, url, &objectstore.Options{Keep: time.Millisecond, Checkpoint: 300})
	for i := 0; ; i++ {
		set(t, s, fmt.Sprint(i%10), fmt.Sprint(i))
		version, checkpoint, err := s.Boundary(background)
		if err != nil {
			t.Fatal(err)
		}
		names, err := s.Names(background)
		if err != nil {
			t.Fatal(err)
		}
		if version > 10 && checkpoint > version && !slices.Contains(names, objectstore.LogName(2)) {
			break
		}
	}
	get(t, open(t, url, nil), "1")
	size, err := s.Size()
	if size <= 0 || err != nil {
		t.Errorf("Size = %d, %v", size, err)
	}
}
