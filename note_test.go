package kivis_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store/memstore"
)

// TestNotes keeps notes in transactions that commit, fail and conflict.
func TestNotes(t *testing.T) {
	db, err := kivis.Open(memstore.New(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx := context.Background()
	set := func(name string, value []byte, fail error) error {
		return db.Update(ctx, func(_ context.Context, tx *kivis.Tx) error {
			return errors.Join(tx.SetNote(name, value), fail)
		})
	}
	want := func(step, name, value string, there bool) {
		t.Helper()
		err := db.View(ctx, func(_ context.Context, tx *kivis.Tx) error {
			got, err := tx.Note(name)
			if string(got) != value || (got != nil) != there {
				t.Errorf("%s: Note(%q) = %q, want %q, %t", step, name, got, value, there)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	undone := errors.New("undone")
	for _, tt := range []struct {
		name, note string
		value      []byte
		fail, err  error
		want       string
		there      bool
	}{
		{"first", "a/b", []byte("one"), nil, nil, "one", true},
		{"replaced", "a/b", []byte("two"), nil, nil, "two", true},
		{"undone", "a/b", []byte("three"), undone, undone, "two", true},
		{"empty", "a", []byte{}, nil, nil, "", true},
		{"zero bytes", "a\x00", []byte("\x00"), nil, nil, "\x00", true},
		{"removed", "a/b", nil, nil, nil, "", false},
		{"removed again", "a/b", nil, nil, nil, "", false},
		{"long name", strings.Repeat("x", 3000), []byte("v"), nil, kivis.ErrKeyTooLarge, "", false},
	} {
		if err := set(tt.note, tt.value, tt.fail); !errors.Is(err, tt.err) {
			t.Errorf("%s: SetNote = %v, want %v", tt.name, err, tt.err)
		}
		want(tt.name, tt.note, tt.want, tt.there)
	}
	want("beside the empty one", "a\x00", "\x00", true)
	err = db.View(ctx, func(_ context.Context, tx *kivis.Tx) error { return tx.SetNote("a", nil) })
	if !errors.Is(err, kivis.ErrReadOnly) {
		t.Errorf("SetNote in a View = %v, want ErrReadOnly", err)
	}
	if err := (&kivis.Tx{}).SetNote("a", nil); err == nil {
		t.Error("SetNote of no transaction succeeds")
	}
	report, err := db.Check(ctx, nil)
	if err != nil || !report.Clean() {
		t.Errorf("Check = %v, %v, want nothing wrong", report.Faults, err)
	}
}
