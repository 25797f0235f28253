package place_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/kivisdb/kivis/cmd/kivis/internal/place"
	"github.com/kivisdb/kivis/store"
)

var background = context.Background()

// bucketURL returns the URL of a store that is not there, in a bucket of a server in
// this process.
func bucketURL(t *testing.T) string {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(server.Close)
	t.Setenv("AWS_ACCESS_KEY_ID", "key")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	return "s3://bucket/shop?endpoint=" + server.URL
}

// TestBucket makes a store in a bucket, as restore does, and opens it as other
// commands do.
func TestBucket(t *testing.T) {
	url := bucketURL(t)
	for _, readOnly := range []bool{true, false, true} {
		_, err := open(t, url, false, readOnly)
		if err == nil || !strings.Contains(err.Error(), "there is no database "+url) {
			t.Errorf("opening what is not there, to read only: %v: %v", readOnly, err)
		}
	}
	st, err := open(t, url, true, false)
	if err != nil {
		t.Fatal(err)
	}
	tx, err := st.Begin(background, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.Set([]byte("k"), []byte("v")); err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	for _, readOnly := range []bool{true, false} {
		st, err := open(t, url, false, readOnly)
		if err != nil {
			t.Fatal(err)
		}
		if value, err := store.Get(background, st, []byte("k")); string(value) != "v" || err != nil {
			t.Errorf("k is %q, %v", value, err)
		}
	}
}

func open(t *testing.T, url string, make, readOnly bool) (store.Store, error) {
	t.Helper()
	p, err := place.Find(url, make)
	if err != nil {
		t.Fatal(err)
	}
	if !p.Elsewhere() || p.String() != url {
		t.Errorf("%s is found as %v", url, p)
	}
	st, err := p.Open(&place.Options{ReadOnly: readOnly})
	if err == nil {
		t.Cleanup(func() { st.Close() })
	}
	return st, err
}

// TestAway: a URL is one of a server, or a cluster, which may not answer.
func TestAway(t *testing.T) {
	for _, url := range []string{"postgres://u@127.0.0.1:1/d?kivis_db=x", "postgresql:///d?host=" + t.TempDir(), "tikv://127.0.0.1:1/x"} {
		if _, err := open(t, url, false, true); !errors.Is(err, store.ErrUnreachable) {
			t.Errorf("opening %s: %v, want ErrUnreachable", url, err)
		}
	}
}
