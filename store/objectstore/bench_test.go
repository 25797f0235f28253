package objectstore_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/memstore"
	"github.com/kivisdb/kivis/store/objectstore"
)

// The benchmarks do the same by hand with the same server: an object is made for a
// commit, and what is read is in a store in memory. Entries have 16 and 100 bytes.
const entries = 20_000

func benchKey(i int) []byte { return fmt.Appendf(nil, "key%013d", i) }

var benchValue = make([]byte, 100)

// filled has s hold entries.
func filled[S store.Store](b *testing.B, s S) S {
	b.Helper()
	_, err := update(s, func(tx store.Tx) error {
		for i := range entries {
			if err := tx.Set(benchKey(i), benchValue); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func BenchmarkGet(b *testing.B) {
	of := func(s store.Store) func(b *testing.B) {
		return func(b *testing.B) {
			tx := begin(b, s, false)
			for b.Loop() {
				if _, err := tx.Get(benchKey(rand.IntN(entries))); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	b.Run("store", of(filled(b, open(b, newURL(newServer(b)), &objectstore.Options{Lag: time.Hour}))))
	b.Run("hand", of(filled(b, memstore.New())))
}

func BenchmarkScan1000(b *testing.B) {
	of := func(s store.Store) func(b *testing.B) {
		return func(b *testing.B) {
			tx := begin(b, s, false)
			for b.Loop() {
				c, err := tx.Scan(store.Range{Lo: benchKey(rand.IntN(entries - 1000))})
				if err != nil {
					b.Fatal(err)
				}
				for range 1000 {
					if !c.Next() {
						b.Fatal(c.Err())
					}
				}
				c.Close()
			}
		}
	}
	b.Run("store", of(filled(b, open(b, newURL(newServer(b)), &objectstore.Options{Lag: time.Hour}))))
	b.Run("hand", of(filled(b, memstore.New())))
}

func BenchmarkCommit(b *testing.B) {
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprint(n, "/store"), func(b *testing.B) {
			s := filled(b, open(b, newURL(newServer(b)), nil))
			for b.Loop() {
				_, err := update(s, func(tx store.Tx) error {
					for range n {
						if err := tx.Set(benchKey(rand.IntN(entries)), benchValue); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprint(n, "/hand"), func(b *testing.B) { commitByHand(b, newServer(b), n) })
	}
}

// commitByHand makes an object for each commit if its name is free, after a list of
// what has come, and then has it in memory.
func commitByHand(b *testing.B, server *httptest.Server, n int) {
	client, err := minio.New(strings.TrimPrefix(server.URL, "http://"), &minio.Options{Creds: credentials.NewStaticV4("key", "secret", ""), Region: "us-east-1"})
	if err != nil {
		b.Fatal(err)
	}
	data := bytes.Repeat(append(benchKey(1), benchValue...), n)
	local := filled(b, memstore.New())
	var o minio.PutObjectOptions
	o.SetMatchETagExcept("*")
	for i := 1; b.Loop(); i++ {
		for range client.ListObjects(background, bucketName, minio.ListObjectsOptions{StartAfter: fmt.Sprintf("%020d", i-1)}) {
			b.Fatal("there is something that nobody has made")
		}
		if _, err := client.PutObject(background, bucketName, fmt.Sprintf("%020d", i), bytes.NewReader(data), int64(len(data)), o); err != nil {
			b.Fatal(err)
		}
		_, err := update(local, func(tx store.Tx) error {
			for range n {
				if err := tx.Set(benchKey(rand.IntN(entries)), benchValue); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
