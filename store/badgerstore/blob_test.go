package badgerstore_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/kivisdb/kivis/internal/benchtest"
	"github.com/kivisdb/kivis/internal/testform"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
)

// bigValue is n bytes that do not compress.
func bigValue(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 2))
	v := make([]byte, n)
	for i := range v {
		v[i] = byte(r.Uint32())
	}
	return v
}

// Values of all sizes come and go, and their pieces with them.
func TestBigValues(t *testing.T) {
	const inline = 128 << 10
	lengths := []int{0, 1, inline - 1, inline, inline + 1, 2 * inline, 1<<20 + 1, 9<<20 + 7}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	opts := &badgerstore.Options{NoSync: true}
	s := open(t, dir, opts)
	model := make(map[string][]byte)
	for round := range testform.Of(8, 20, 100) {
		next := make(map[string][]byte)
		check(t, update(s, func(tx store.Tx) error {
			for range 1 + r.IntN(3) {
				key := string(benchtest.Key(r.IntN(5)))
				if r.IntN(3) == 0 {
					next[key] = nil
					if err := tx.Delete([]byte(key)); err != nil {
						return err
					}
					continue
				}
				next[key] = bigValue(r.Uint64(), lengths[r.IntN(len(lengths))])
				if err := tx.Set([]byte(key), next[key]); err != nil {
					return err
				}
			}
			return nil
		}))
		for key, value := range next {
			model[key] = value
		}
		if round%5 == 4 {
			check(t, s.Close())
			s = open(t, dir, opts)
		}
		checkBig(t, s, model)
	}
	check(t, update(s, func(tx store.Tx) error {
		for key := range model {
			if err := tx.Delete([]byte(key)); err != nil {
				return err
			}
		}
		return nil
	}))
	if pieces, indexed, known := badgerstore.Pieces(s); pieces+indexed+known != 0 {
		t.Errorf("without values there are %d pieces, %d in the index, %d known", pieces, indexed, known)
	}
}

func checkBig(t *testing.T, s *badgerstore.Store, model map[string][]byte) {
	t.Helper()
	pieces, indexed := 0, 0
	check(t, view(s, func(tx store.Tx) error {
		for key, want := range model {
			value, err := tx.Get([]byte(key))
			if want == nil != errors.Is(err, store.ErrNotFound) || !bytes.Equal(value, want) {
				t.Errorf("Get(%x) = %d bytes, %v; want %d", key, len(value), err, len(want))
			}
			if len(want) > 128<<10 {
				indexed++
				pieces += (len(want) + 128<<10 - 1) / (128 << 10)
			}
		}
		for _, reverse := range []bool{false, true} {
			c, err := tx.Scan(store.Range{Reverse: reverse})
			check(t, err)
			n := 0
			for ; c.Next(); n++ {
				if want := model[string(c.Key())]; !bytes.Equal(c.Value(), want) || !bytes.Equal(c.Keep(), want) {
					t.Errorf("scan: %x has %d bytes, want %d", c.Key(), len(c.Value()), len(want))
				}
			}
			check(t, c.Err())
			c.Close()
		}
		return nil
	}))
	if p, i, k := badgerstore.Pieces(s); p != pieces || i != indexed || k != indexed {
		t.Errorf("%d pieces, %d in the index, %d known; want %d, %d, %d", p, i, k, pieces, indexed, indexed)
	}
}

// A snapshot keeps the big values that it sees.
func TestBigValueSnapshot(t *testing.T) {
	s := open(t, t.TempDir(), &badgerstore.Options{NoSync: true})
	key, old := []byte("key"), bigValue(1, 1<<20)
	check(t, update(s, func(tx store.Tx) error { return tx.Set(key, old) }))
	tx, err := s.Begin(ctx, false)
	check(t, err)
	defer tx.Discard()
	check(t, update(s, func(tx store.Tx) error { return tx.Delete(key) }))
	value, err := tx.Get(key)
	if err != nil || !bytes.Equal(value, old) {
		t.Errorf("Get = %d bytes, %v", len(value), err)
	}
}

// A big value that lacks a piece is damage, whichever piece it is, and others can be read.
func TestPieceMissing(t *testing.T) {
	const size = 1 << 20
	for _, i := range []int{0, 1, 7} {
		s := open(t, t.TempDir(), &badgerstore.Options{NoSync: true})
		check(t, update(s, func(tx store.Tx) error { return tx.Set([]byte("small"), []byte("here")) }))
		check(t, update(s, func(tx store.Tx) error { return tx.Set([]byte("big"), bigValue(1, size)) }))
		check(t, badgerstore.TakePiece(s, i))
		check(t, view(s, func(tx store.Tx) error {
			value, err := tx.Get([]byte("big"))
			if !errors.Is(err, store.ErrCorrupt) || !strings.Contains(err.Error(), fmt.Sprintf("piece %d of a value of %d bytes is missing", i, size)) {
				t.Errorf("without piece %d: %d bytes, %v", i, len(value), err)
			}
			_, err = tx.Get([]byte("small"))
			return err
		}))
	}
}
