package kivistest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/kivistest"
)

// Note is a record of the tests.
type Note struct {
	kivis.Auto[Note]
	Text    string `kivis:"unique"`
	Written time.Time
}

// failures is a testing.TB that notes failures instead of failing.
type failures struct {
	testing.TB
	lines    []string
	cleanups []func()
}

func (f *failures) Helper()           {}
func (f *failures) Cleanup(fn func()) { f.cleanups = append(f.cleanups, fn) }
func (f *failures) Errorf(format string, a ...any) {
	f.lines = append(f.lines, fmt.Sprintf(format, a...))
}
func (f *failures) Fatalf(format string, a ...any) { f.Errorf(format, a...) }

func (f *failures) finish() {
	for _, fn := range f.cleanups {
		fn()
	}
}

func TestNew(t *testing.T) {
	f := &failures{TB: t}
	db := kivistest.New(f, &Note{})
	if _, err := kivis.TableOf[Note](db).Insert(t.Context(), &Note{Text: "a"}); err != nil {
		t.Fatal(err)
	}
	f.finish()
	if len(f.lines) > 0 {
		t.Errorf("a sound database failed the test: %q", f.lines)
	}
	if _, err := kivis.TableOf[Note](db).Get(t.Context(), 1); err == nil {
		t.Error("the database is open after the test")
	}
}

func TestOpen(t *testing.T) {
	db := kivistest.Open(t, &kivis.Options{RefuseScans: true}, &Note{})
	notes := kivis.TableOf[Note](db)
	written := kivis.FieldOf(func(n *Note) *time.Time { return &n.Written })
	if _, err := notes.Where(written.Eq(time.Now())).Collect(t.Context()); !errors.Is(err, kivis.ErrFullScan) {
		t.Errorf("Collect = %v; want ErrFullScan", err)
	}
	f := &failures{TB: t}
	kivistest.Open(f, &kivis.Options{MaxAttempts: -1}, &Note{})
	if len(f.lines) == 0 {
		t.Error("bad options did not fail the test")
	}
}

func TestClosedByTheTest(t *testing.T) {
	f := &failures{TB: t}
	if err := kivistest.New(f, &Note{}).Close(); err != nil {
		t.Fatal(err)
	}
	f.finish()
	if len(f.lines) > 0 {
		t.Errorf("failures = %q", f.lines)
	}
}

func TestBadRecord(t *testing.T) {
	f := &failures{TB: t}
	kivistest.New(f, 5)
	if len(f.lines) == 0 {
		t.Error("a record that is no struct did not fail the test")
	}
}

// TestSynctest has time stand still: a database in memory starts no goroutines.
func TestSynctest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := kivistest.New(t, &Note{})
		notes := kivis.TableOf[Note](db)
		began := time.Now()
		go func() {
			time.Sleep(time.Hour)
			if _, err := notes.Insert(context.Background(), &Note{Text: "later", Written: time.Now()}); err != nil {
				t.Error(err)
			}
		}()
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		note, err := notes.Get(t.Context(), 1)
		if err != nil || note.Written.Sub(began) != time.Hour {
			t.Errorf("note = %+v, %v", note, err)
		}
	})
}
