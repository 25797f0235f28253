package main

import (
	"bytes"
	"context"
	"testing"
)

func TestRun(t *testing.T) {
	var out bytes.Buffer
	if err := run(context.Background(), &out); err != nil {
		t.Fatal(err)
	}
	if got, want := out.String(), "2 Persuasion 1817\n"; got != want {
		t.Errorf("output = %q, want %q", got, want)
	}
}
