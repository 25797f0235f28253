package pgstore_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"testing"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/pgstore"
	"github.com/kivisdb/kivis/store/pgstore/pgtest"
	"github.com/kivisdb/kivis/store/storetest"
)

var background = context.Background()

// server is the one that all tests share; nil where there is none.
var server *pgtest.Server

func TestMain(m *testing.M) {
	var err error
	server, err = pgtest.Start()
	if err != nil && !errors.Is(err, pgtest.ErrMissing) {
		fmt.Fprintln(os.Stderr, "starting PostgreSQL:", err)
		os.Exit(1)
	}
	code := m.Run()
	if server != nil {
		if err := server.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stopping PostgreSQL:", err)
		}
	}
	os.Exit(code)
}

// running returns the server, or skips the test.
func running(t testing.TB) *pgtest.Server {
	t.Helper()
	if server == nil {
		t.Skip(pgtest.ErrMissing)
	}
	return server
}

var made atomic.Int64

// newURL returns the URL of a store that is not there, dropped at the end of the test.
func newURL(t testing.TB) string {
	t.Helper()
	url := running(t).URL(fmt.Sprint("test", made.Add(1)))
	t.Cleanup(func() {
		if err := pgstore.Drop(background, url); err != nil {
			t.Errorf("Drop: %v", err)
		}
	})
	return url
}

// open opens a store, closed at the end of the test.
func open(t testing.TB, url string, o *pgstore.Options) *pgstore.Store {
	t.Helper()
	s, err := pgstore.Open(background, url, o)
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
type urls map[string]string

func (u urls) open(t testing.TB, dir string) store.Store {
	if u[dir] == "" {
		u[dir] = newURL(t)
	}
	return open(t, u[dir], nil)
}

func TestStore(t *testing.T) {
	storetest.Run(t,
		func(t testing.TB) store.Store { return open(t, newURL(t), nil) },
		storetest.Reopen(urls{}.open),
		storetest.Limited(func(t testing.TB) store.Store { return open(t, newURL(t), &pgstore.Options{MaxTx: 1 << 20}) }),
	)
}
