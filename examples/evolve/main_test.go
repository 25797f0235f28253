package main

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write the golden file anew")

// TestRun compares what the four versions print with the golden file.
func TestRun(t *testing.T) {
	golden := filepath.Join("testdata", "output.txt")
	var got bytes.Buffer
	if err := run(t.Context(), &got, io.Discard); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("it prints\n%s\nwant\n%s", got.String(), want)
	}
}
