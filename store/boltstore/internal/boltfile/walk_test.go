package boltfile_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/kivisdb/kivis/store/boltstore/internal/boltfile"
)

// written returns a file of bbolt's after random writes, and its entries.
func written(t testing.TB, r *rand.Rand, rounds, keys int) ([]byte, []string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "db")
	db, err := bolt.Open(path, 0o600, &bolt.Options{PageSize: 4096, NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for range rounds {
		err := db.Update(func(tx *bolt.Tx) error {
			b, err := tx.CreateBucketIfNotExists([]byte("b"))
			for range 200 {
				key := fmt.Appendf(nil, "%0*d", 1+r.IntN(40), r.IntN(keys))
				if r.IntN(3) == 0 {
					err = errors.Join(err, b.Delete(key))
				} else {
					err = errors.Join(err, b.Put(key, make([]byte, r.IntN(100)*r.IntN(100))))
				}
			}
			return errors.Join(err, b.SetSequence(42))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var entries []string
	err = db.View(func(tx *bolt.Tx) error {
		return tx.Bucket([]byte("b")).ForEach(func(k, v []byte) error {
			entries = append(entries, fmt.Sprintf("%s %d", k, len(v)))
			return nil
		})
	})
	data, readErr := os.ReadFile(path)
	if err := errors.Join(err, readErr); err != nil {
		t.Fatal(err)
	}
	return data, entries
}

// walk returns the entries of a file.
func walk(data []byte) (entries []string, err error) {
	m, _, err := boltfile.ReadMeta(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	return entries, boltfile.Walk(context.Background(), bytes.NewReader(data), m, boltfile.Visitor{
		Bucket: func(name []byte, sequence uint64) error {
			if string(name) != "b" || sequence != 42 {
				return fmt.Errorf("bucket %q, %d", name, sequence)
			}
			return nil
		},
		Entry: func(key, value []byte) error {
			entries = append(entries, fmt.Sprintf("%s %d", key, len(value)))
			return nil
		},
	}, nil)
}

// rounds is how many rounds a test of n makes.
func rounds(n int) int {
	if testing.Short() {
		return n / 10
	}
	return n
}

// TestWalk: what bbolt has written is sound, and all there.
func TestWalk(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	for i := range rounds(20) {
		data, want := written(t, r, 1+r.IntN(20), 10+r.IntN(10_000))
		got, err := walk(data)
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("seed %d, file %d: %d entries of %d, %v", seed, i, len(got), len(want), err)
		}
	}
}

// TestWalkOfAnything damages files at random: there is an error or none, but no
// panic, and always an end.
func TestWalkOfAnything(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("seed %d: panic: %v", seed, p)
		}
	}()
	sound, _ := written(t, r, 5, 2000)
	found := 0
	for range rounds(2000) {
		data := bytes.Clone(sound)
		for range 1 + r.IntN(5) {
			at := 8192 + r.IntN(len(data)-8192)
			if r.IntN(2) == 0 {
				at = at &^ 4095
				at += r.IntN(64) // in the head of a page
			}
			data[at] = byte(r.Uint32())
		}
		if _, err := walk(data[:len(data)-r.IntN(2)*r.IntN(len(data)-8192)]); err != nil {
			found++
		}
	}
	if found < rounds(2000)/4 {
		t.Errorf("seed %d: damage was found %d times", seed, found)
	}
}
