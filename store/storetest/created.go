package storetest

import (
	"context"
	"slices"
	"testing"

	"github.com/kivisdb/kivis/store"
)

// testFeedCreated: which keys are new is what the writer says, seen from before
// the commit.
func testFeedCreated(t *testing.T, h *harness) {
	s, f, first := fed(t, h)
	if _, ok := begin(t, s, true).(store.Creator); !ok {
		t.Skip("its transactions are no store.Creator")
	}
	sealed := false
	create := func(tx store.Tx, key string) {
		if sealed {
			wantErr(t, "SetSealed", store.SetSealed(tx, []byte(key), []byte("new"), true), nil)
			return
		}
		wantErr(t, "Create", store.Create(tx, []byte(key), []byte("new")), nil)
	}
	steps := []struct {
		name string
		do   func(tx store.Tx)
		want []string // + for created, = for set, - for deleted
	}{
		{"created and set", func(tx store.Tx) { create(tx, "a"); create(tx, "b"); write(t, tx, "c=1") }, []string{"a+", "b+", "c="}},
		{"created, then set", func(tx store.Tx) { create(tx, "d"); write(t, tx, "d=2") }, []string{"d+"}},
		{"deleted, then created", func(tx store.Tx) { write(t, tx, "a"); create(tx, "a") }, []string{"a="}},
		{"created, then deleted", func(tx store.Tx) { create(tx, "e"); write(t, tx, "e"); write(t, tx, "b=5") }, []string{"b="}},
		{"deletion undone", func(tx store.Tx) {
			create(tx, "h")
			sp := tx.Savepoint()
			write(t, tx, "h")
			wantErr(t, "Rollback", tx.Rollback(sp), nil)
			wantGet(t, tx, "h", "new")
		}, []string{"h+"}},
		{"created, deleted, created", func(tx store.Tx) { create(tx, "i"); write(t, tx, "i"); create(tx, "i") }, []string{"i+"}},
		{"created, undone, set", func(tx store.Tx) {
			sp := tx.Savepoint()
			create(tx, "f")
			wantErr(t, "Rollback", tx.Rollback(sp), nil)
			write(t, tx, "f=3")
		}, []string{"f="}},
		{"set, undone, created", func(tx store.Tx) {
			create(tx, "g")
			sp := tx.Savepoint()
			write(t, tx, "g=4")
			wantErr(t, "Rollback", tx.Rollback(sp), nil)
		}, []string{"g+"}},
	}
	for i, step := range append(steps, steps...) { // once more with sealed values
		sealed = i >= len(steps)
		tx := begin(t, s, true)
		step.do(tx)
		version := commit(t, tx)
		got := created(t, f, first)
		if !slices.Equal(got, step.want) {
			t.Errorf("%s: the feed says %v, want %v", step.name, got, step.want)
		}
		first = version
	}
}

// created returns the keys that were written after a version, behind each + where
// it was created, = where it was set, and - where it was deleted.
func created(t testing.TB, f store.Feeder, after uint64) (got []string) {
	t.Helper()
	err := f.Changes(context.Background(), after, func(c store.Commit) bool {
		for _, w := range c.Writes {
			mark := "="
			switch {
			case w.Deleted:
				mark = "-"
			case w.Created:
				mark = "+"
			}
			got = append(got, string(w.Key)+mark)
		}
		return true
	})
	wantErr(t, "Changes", err, nil)
	return got
}
