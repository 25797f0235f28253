package main

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden file anew")

// TestRun compares what the program prints with the golden file, on both
// stores: they differ in cost, never in results.
func TestRun(t *testing.T) {
	golden := filepath.Join("testdata", "output.txt")
	for _, store := range []string{"mem", "badger"} {
		t.Run(store, func(t *testing.T) {
			if testing.Short() && store != "mem" {
				t.Skip("loads 20,000 flights")
			}
			got := output(t, "-q", "-store", store)
			if *update && store == "mem" {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			diff(t, got, string(want))
		})
	}
}

// TestKept runs the program twice on one directory: the second run finds the
// data there.
func TestKept(t *testing.T) {
	if testing.Short() {
		t.Skip("loads 20,000 flights")
	}
	dir := filepath.Join(t.TempDir(), "flights.db")
	first := output(t, "-q", "-dir", dir)
	second := output(t, "-q", "-dir", dir)
	diff(t, second, strings.Replace(first, "Loaded", "Found", 1))
}

// TestFlags tests what the program refuses.
func TestFlags(t *testing.T) {
	tests := []struct {
		name string
		args []string
		want string
	}{
		{"store", []string{"-store", "paper"}, `-store is "paper"`},
		{"memory and directory", []string{"-store", "mem", "-dir", "x"}, "leave out -dir"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := run(context.Background(), tt.args, &bytes.Buffer{})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("run(%q) = %v, want an error with %q", tt.args, err, tt.want)
			}
		})
	}
}

func TestBar(t *testing.T) {
	const want = "[####################....................] 1,500 of 3,000"
	if got := bar(1500, 3000); got != want {
		t.Errorf("bar = %q, want %q", got, want)
	}
}

func TestThousands(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", -999: "-999", -1000: "-1,000", 1234567: "1,234,567"} {
		if got := thousands(n); got != want {
			t.Errorf("thousands(%d) = %q, want %q", n, got, want)
		}
	}
}

// output runs the program and returns what it prints.
func output(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	if err := run(context.Background(), args, &out); err != nil {
		t.Fatalf("run(%q): %v\n%s", args, err, &out)
	}
	return out.String()
}

// diff reports the first line in which got and want differ.
func diff(t *testing.T, got, want string) {
	t.Helper()
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		var a, b string
		if i < len(g) {
			a = g[i]
		}
		if i < len(w) {
			b = w[i]
		}
		if a != b {
			t.Fatalf("line %d is %q, want %q (go test -update writes the golden file)", i+1, a, b)
		}
	}
}
