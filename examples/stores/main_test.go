package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

const answer = `6 readings in a store of kind %s
  35 degrees, attic
  27 degrees, kitchen
  19 degrees, roof
moved into a store of kind %s
  35 degrees, attic
  27 degrees, kitchen
  19 degrees, roof
0 faults
`

// TestStores moves the readings from each kind of store into the next: it makes no
// difference which they are.
func TestStores(t *testing.T) {
	kinds := slices.Sorted(maps.Keys(stores))
	for i, kind := range kinds {
		into := kinds[(i+1)%len(kinds)]
		t.Run(kind, func(t *testing.T) {
			var out bytes.Buffer
			if err := run(context.Background(), []string{"-store", kind, "-into", into}, &out); err != nil {
				t.Fatal(err)
			}
			if want := fmt.Sprintf(answer, kind, into); out.String() != want {
				t.Errorf("it prints\n%s, want\n%s", out.String(), want)
			}
		})
	}
}

func TestUnknownStore(t *testing.T) {
	err := run(context.Background(), []string{"-store", "paper"}, new(bytes.Buffer))
	if err == nil || !strings.Contains(err.Error(), `"paper"; there are badger, bolt, memory, pebble, sqlite`) {
		t.Errorf("run = %v, want the kinds that there are", err)
	}
}
