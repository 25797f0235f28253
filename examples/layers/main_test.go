package main

import (
	"bytes"
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write the golden file anew")

// TestRun compares what the program prints with the golden file: layers change
// what an answer costs, never the answer.
func TestRun(t *testing.T) {
	const golden = "testdata/output.txt"
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-q", "-latency", "200us"}, &out); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(golden, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got := out.String(); got != string(want) {
		t.Errorf("output is\n%s\nwant (go test -update writes it anew)\n%s", got, want)
	}
}
