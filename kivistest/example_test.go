package kivistest_test

import (
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/kivistest"
)

func ExampleNew() {
	var t *testing.T // the test's own

	db := kivistest.New(t, &Note{})
	id, err := kivis.TableOf[Note](db).Insert(t.Context(), &Note{Text: "hello"})
	if err != nil || id != 1 {
		t.Fatalf("Insert = %d, %v", id, err)
	}
	// At the end of the test the database is checked and closed.
}
