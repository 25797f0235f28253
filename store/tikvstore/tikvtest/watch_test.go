package tikvtest_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store/tikvstore/tikvtest"
)

// A note is a record to be watched.
type note struct {
	kivis.Auto[note]
	Text string
}

// database opens one in a cluster, as a process of its own would.
func database(t testing.TB, l *tikvtest.Local) *kivis.DB {
	t.Helper()
	db, err := kivis.Open(open(t, l, "x", nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return db
}

// TestWatch has one process watch what another writes.
func TestWatch(t *testing.T) {
	l := local(t)
	watching, writing := database(t, l), database(t, l)
	for _, db := range []*kivis.DB{watching, writing} {
		if err := db.Register(&note{}); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(background)
	defer stop()
	want := 0
	for c, err := range kivis.TableOf[note](watching).Follow(ctx, "") {
		switch {
		case err != nil:
			t.Fatal(err)
		case c.Kind == kivis.Inserted:
			if got := c.Record.Text; got != fmt.Sprint(want) {
				t.Errorf("told of %q, want %d", got, want)
			}
			want++
		case c.Kind != kivis.Ready:
			continue
		}
		if want == 5 {
			break
		}
		if _, err := kivis.TableOf[note](writing).Insert(background, &note{Text: fmt.Sprint(want)}); err != nil {
			t.Fatal(err)
		}
	}
}
