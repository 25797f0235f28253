package guide

import (
	"testing"

	"github.com/kivisdb/kivis/kivistest"
)

func TestGreeting(t *testing.T) {
	db := kivistest.New(t, &Customer{}) // in memory; checked and closed when the test ends
	id, err := customers.With(db).Insert(t.Context(), &Customer{Name: "Ann"})
	if err != nil {
		t.Fatal(err)
	}
	c, err := customers.With(db).Get(t.Context(), id)
	if err != nil || c.Name != "Ann" {
		t.Errorf("Get = %v, %v", c, err)
	}
}
