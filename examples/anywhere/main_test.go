package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/kivisdb/kivis/store/pgstore/pgtest"
	"github.com/kivisdb/kivis/store/tikvstore"
)

// cluster names a variable with the URL of a store in a TiKV cluster, which is dropped;
// go run ./cluster in store/tikvstore/tikvtest starts one and prints it.
const cluster = "KIVIS_TIKV"

// places returns where the program is run: those that several may share, too.
func places(t *testing.T) map[string]string {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", "key")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	backend := s3mem.New()
	if err := backend.CreateBucket("board"); err != nil {
		t.Fatal(err)
	}
	bucket := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(bucket.Close)
	list := map[string]string{
		"a directory": "badger:" + t.TempDir(),
		"a bucket":    "s3://board/notices?endpoint=" + bucket.URL,
	}
	server, err := pgtest.Start()
	switch {
	case errors.Is(err, pgtest.ErrMissing):
		t.Log(err)
	case err != nil:
		t.Fatal(err)
	default:
		t.Cleanup(func() {
			if err := server.Stop(); err != nil {
				t.Error(err)
			}
		})
		list["a server"] = server.URL("notices")
	}
	if url := os.Getenv(cluster); url != "" {
		if err := tikvstore.Drop(t.Context(), url); err != nil {
			t.Fatal(err)
		}
		list["a cluster"] = url
	} else {
		t.Logf("%s says of no TiKV cluster", cluster)
	}
	return list
}

// output is what a program has printed, while it runs.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements [io.Writer].
func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// await waits until the output has a line.
func (o *output) await(t *testing.T, line string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !strings.Contains(o.String(), line+"\n"); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it has printed %q, want a line %q", o.String(), line)
		}
	}
}

// TestAnywhere runs the same program on each place. On one that several may share, it
// watches what another posts.
func TestAnywhere(t *testing.T) {
	for name, at := range places(t) {
		t.Run(name, func(t *testing.T) {
			say := func(args ...string) string {
				t.Helper()
				var out bytes.Buffer
				if err := run(t.Context(), append([]string{"-at", at}, args...), &out); err != nil {
					t.Fatal(err)
				}
				return out.String()
			}
			if got := say("post", "first", "of", "all"); got != "posted as 1\n" {
				t.Errorf("post prints %q", got)
			}
			if got := say("list"); got != "1  first of all\n" {
				t.Errorf("list prints %q", got)
			}
			if strings.HasPrefix(at, "badger:") {
				return
			}
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			var watched output
			done := make(chan error)
			go func() { done <- run(ctx, []string{"-at", at, "watch"}, &watched) }()
			watched.await(t, "-- from here on as they come --")
			for i := range 3 {
				id := strings.TrimPrefix(strings.TrimSpace(say("post", fmt.Sprint("more ", i))), "posted as ")
				watched.await(t, id+"  more "+fmt.Sprint(i))
			}
			stop()
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Errorf("watch ends with %v", err)
			}
		})
	}
}

// TestPlaces says what is not a place.
func TestPlaces(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-at", "ftp://x"}, &out); err == nil || !strings.Contains(err.Error(), "there are mem:") {
		t.Errorf("an unknown place: %v", err)
	}
	if err := run(t.Context(), []string{"sing"}, &out); err == nil || !strings.Contains(err.Error(), "there are post TEXT") {
		t.Errorf("an unknown command: %v", err)
	}
	if err := run(t.Context(), []string{"post", "x"}, &out); err != nil || out.String() != "posted as 1\n" {
		t.Errorf("in memory: %q, %v", out.String(), err)
	}
}
