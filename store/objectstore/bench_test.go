package objectstore_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/kivisdb/kivis/internal/benchtest"
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
	of := func(s store.Store) func() error {
		tx := begin(b, s, false)
		return func() error {
			_, err := tx.Get(benchKey(rand.IntN(entries)))
			return err
		}
	}
	s := filled(b, open(b, newURL(newServer(b)), &objectstore.Options{Lag: time.Hour}))
	benchtest.InTurns(b, 10_000, of(s), of(filled(b, memstore.New())))
}

func BenchmarkScan1000(b *testing.B) {
	of := func(s store.Store) func() error {
		tx := begin(b, s, false)
		return func() error {
			c, err := tx.Scan(store.Range{Lo: benchKey(rand.IntN(entries - 1000))})
			if err != nil {
				return err
			}
			defer c.Close()
			for range 1000 {
				if !c.Next() {
					return fmt.Errorf("the scan ends early: %v", c.Err())
				}
			}
			return nil
		}
	}
	s := filled(b, open(b, newURL(newServer(b)), &objectstore.Options{Lag: time.Hour}))
	benchtest.InTurns(b, 100, of(s), of(filled(b, memstore.New())))
}

// BenchmarkCommit writes entries; by hand, an object is made for a commit if its name is
// free, after a list of what has come.
func BenchmarkCommit(b *testing.B) {
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := filled(b, open(b, newURL(newServer(b)), nil))
			benchtest.InTurns(b, 10, func() error { return commitSome(s, n) }, byHand(b, newServer(b), n))
		})
	}
}

// commitSome commits n entries.
func commitSome(s store.Store, n int) error {
	_, err := update(s, func(tx store.Tx) error {
		for range n {
			if err := tx.Set(benchKey(rand.IntN(entries)), benchValue); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// byHand returns what makes an object, and then has it in memory.
func byHand(b *testing.B, server *httptest.Server, n int) func() error {
	client, err := minio.New(strings.TrimPrefix(server.URL, "http://"), &minio.Options{Creds: credentials.NewStaticV4("key", "secret", ""), Region: "us-east-1"})
	if err != nil {
		b.Fatal(err)
	}
	data := bytes.Repeat(append(benchKey(1), benchValue...), n)
	local := filled(b, memstore.New())
	var o minio.PutObjectOptions
	o.SetMatchETagExcept("*")
	i := 0
	return func() error {
		i++
		for range client.ListObjects(background, bucketName, minio.ListObjectsOptions{StartAfter: fmt.Sprintf("%020d", i-1)}) {
			return errors.New("there is something that nobody has made")
		}
		if _, err := client.PutObject(background, bucketName, fmt.Sprintf("%020d", i), bytes.NewReader(data), int64(len(data)), o); err != nil {
			return err
		}
		return commitSome(local, n)
	}
}
