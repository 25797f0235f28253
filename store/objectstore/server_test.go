package objectstore_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/objectstore"
	"github.com/kivisdb/kivis/store/storetest"
)

var background = context.Background()

const bucketName = "tests"

// newServer starts an S3 server in this process, with one bucket.
func newServer(t testing.TB) *httptest.Server {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket(bucketName); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(server.Close)
	return server
}

// newDeafServer starts a server that does not know a header.
func newDeafServer(t testing.TB, header string) *httptest.Server {
	t.Helper()
	hearing := newServer(t).Config.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del(header)
		hearing.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server
}

var (
	made atomic.Int64
	run  = rand.Text() // of the tests, in a bucket that outlives them
)

// newURL returns the URL of a store that is not there, in the bucket that KIVIS_S3
// names, if it does.
func newURL(server *httptest.Server) string {
	if other := os.Getenv("KIVIS_S3"); other != "" {
		place, settings, _ := strings.Cut(other, "?")
		return fmt.Sprintf("%s/%s%d?%s", place, run, made.Add(1), settings)
	}
	return fmt.Sprintf("s3://%s/test%d?endpoint=%s", bucketName, made.Add(1), server.URL)
}

// keyed returns options with keys that any server of tests takes.
func keyed(o *objectstore.Options) *objectstore.Options {
	opts := objectstore.Options{}
	if o != nil {
		opts = *o
	}
	if os.Getenv("KIVIS_S3") == "" {
		opts.AccessKey, opts.SecretKey = "key", "secret"
	}
	return &opts
}

// open opens a store, closed at the end of the test.
func open(t testing.TB, url string, o *objectstore.Options) *objectstore.Store {
	t.Helper()
	s, err := objectstore.Open(background, url, keyed(o))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// urls are those of Reopen, by directory.
type urls struct {
	server *httptest.Server
	of     map[string]string
}

func (u urls) open(t testing.TB, dir string) store.Store {
	if u.of[dir] == "" {
		u.of[dir] = newURL(u.server)
	}
	return open(t, u.of[dir], nil)
}

func TestStore(t *testing.T) {
	server := newServer(t)
	storetest.Run(t,
		func(t testing.TB) store.Store { return open(t, newURL(server), nil) },
		storetest.Reopen(urls{server, map[string]string{}}.open),
		storetest.Limited(func(t testing.TB) store.Store { return open(t, newURL(server), &objectstore.Options{MaxTx: 1 << 20}) }),
	)
}
