// Package kivistest gives tests a database in memory.
package kivistest

import (
	"context"
	"errors"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store/memstore"
)

// New is Open with the default options.
func New(t testing.TB, records ...any) *kivis.DB {
	t.Helper()
	return Open(t, nil, records...)
}

// Open returns a database in memory with the options, nil for the defaults, and
// the records' types registered. When the test ends, it is checked, the test
// failing where an index or a reference is wrong, and closed. It starts no
// goroutines, so it may be used inside a testing/synctest bubble.
func Open(t testing.TB, opts *kivis.Options, records ...any) *kivis.DB {
	t.Helper()
	db, err := kivis.Open(memstore.New(), opts)
	if err != nil {
		t.Fatalf("kivistest: %v", err)
	}
	if err := db.Register(records...); err != nil {
		db.Close()
		t.Fatalf("kivistest: %v", err)
	}
	t.Cleanup(func() { finish(t, db) })
	return db
}

// finish checks and closes db.
func finish(t testing.TB, db *kivis.DB) {
	t.Helper()
	defer func() {
		if err := db.Close(); err != nil {
			t.Errorf("kivistest: %v", err)
		}
	}()
	report, err := db.Check(context.Background(), nil)
	if errors.Is(err, kivis.ErrClosed) {
		return // by the test itself
	}
	if err != nil {
		t.Errorf("kivistest: %v", err)
	}
	for _, fault := range report.Faults {
		if fault.Kind != kivis.FaultNoAction {
			t.Errorf("kivistest: %v", fault)
		}
	}
}
