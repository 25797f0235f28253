package badgerstore_test

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/kivisdb/kivis/internal/benchtest"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
)

// Damage is reported to the Logger once, however often it is met.
func TestLogger(t *testing.T) {
	const n = 30_000
	dir := t.TempDir()
	fill(t, dir, n)
	for _, path := range tables(t, dir) {
		info, err := os.Stat(path)
		check(t, err)
		flip(t, path, int(info.Size()/2))
	}
	var log bytes.Buffer
	s := open(t, dir, &badgerstore.Options{
		ReadOnly: true, // so that nothing is compacted
		Logger:   slog.New(slog.NewTextHandler(&log, nil)),
	})
	for _, reverse := range []bool{false, true} { // in different tables
		if err := scanAll(t, s, n, reverse); !errors.Is(err, store.ErrCorrupt) {
			t.Errorf("a scan over a damaged table: %v, want %v", err, store.ErrCorrupt)
		}
	}
	if got := strings.Count(log.String(), "badgerstore: damage"); got != 1 {
		t.Errorf("damage logged %d times, want once: %s", got, log.String())
	}
}

// With NoVerify no part of a table is checked before its first use.
func TestNoVerify(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir, 30_000)
	for _, noVerify := range []bool{false, true} {
		s := open(t, dir, &badgerstore.Options{ReadOnly: true, NoVerify: noVerify})
		check(t, view(s, func(tx store.Tx) error {
			_, err := tx.Get(benchtest.Key(15_000))
			return err
		}))
		if n := badgerstore.PartChecks(s); (n == 0) != noVerify {
			t.Errorf("NoVerify %v: parts of tables checked %d times", noVerify, n)
		}
		check(t, s.Close())
	}
}
