package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// module writes a module of two packages and returns its folder.
func module(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module example.com/m\n\ngo 1.26\n",
		// a and b name each other, c names a alone, and e and f each other over a method.
		"a.go": "// Package m is for a test.\npackage m\n\n// A is documented.\ntype A struct{ b *B }\n\nfunc (a A) Undocumented() {}\n\n" +
			"/* a comment of\n   two lines */\nvar x = 1 // not alone\n",
		"b.go":      "package m\n\nimport _ \"reflect\"\n\ntype B struct{ A A }\n\nfunc (b *B) first() int {\n\treturn x\n}\n",
		"c.go":      "package m\n\n// These are documented together.\nconst (\n\tC = 1\n\tD, hidden = 2, 3\n)\n\nfunc c(a A) { a.Undocumented() }\n",
		"a_test.go": "package m\n\nimport \"testing\"\n\nfunc TestNothing(t *testing.T) {}\n",
		"x_test.go": "package m_test\n",
		"sub/e.go":  "package sub\n\ntype E struct{}\n\nfunc (E) m() { f() }\n",
		"sub/f.go": "package sub\n\nimport \"example.com/m\"\n\nfunc f() { E{}.m() }\n\nfunc long() {\n" +
			strings.Repeat("\t_ = m.C\n", 99) + "}\n\nfunc shorter() {\n" + strings.Repeat("\t_ = m.C\n", 60) + "}\n",
		"sub/g.go":      "package sub\n\nvar g = E{}\n",
		"other/go.mod":  "module example.com/other\n",
		"other/main.go": "package main\n\nthis is not looked at\n",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestMeasure measures a small module.
func TestMeasure(t *testing.T) {
	packages, err := load(module(t))
	if err != nil {
		t.Fatal(err)
	}
	want := []shape{
		{name: ".", files: []int{11, 9, 9}, funcs: []int{1, 3, 1}, exports: 5, documented: 3, comments: 5, blank: 8,
			tests: 6, circle: []string{"a.go", "b.go"}, reflects: []string{"b.go"}},
		{name: "sub", files: []int{5, 170, 3}, funcs: []int{1, 1, 101, 62}, exports: 1, blank: 7, circle: []string{"e.go", "f.go"}},
	}
	if len(packages) != len(want) {
		t.Fatalf("%d packages, want %d", len(packages), len(want))
	}
	for i, p := range packages {
		if got := measure(p); !reflect.DeepEqual(got, want[i]) {
			t.Errorf("got  %+v\nwant %+v", got, want[i])
		}
	}
}

// TestReport prints the figures of a small module.
func TestReport(t *testing.T) {
	s := shape{name: "a", files: []int{10, 20, 90}, funcs: []int{1, 2, 3, 4, 5, 6, 7, 8, 61, 101}, exports: 4, documented: 3,
		comments: 30, blank: 20, tests: 60, circle: []string{"x.go", "y.go"}, reflects: []string{"z.go"}}
	var b strings.Builder
	if err := report(&b, []shape{s, {name: "empty"}}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(b.String()) {
		got = append(got, strings.Join(strings.Fields(line), " "))
	}
	want := []string{
		"package files lines file funcs length >60 >100 documented comments test/source circle reflect",
		"a 3 120 20/90 10 6/61/101 2 1 3/4 30.0% 0.50 2 1",
		"empty 0 0 0/0 0 0/0/0 0 0 0/0 - - 0 0",
		"all 3 120 20/90 10 6/61/101 2 1 3/4 30.0% 0.50 2 1",
		"", "the largest circle of files in each package:", "a (2): x y",
		"", "files that import reflect:", "a (1): z",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestCircles finds the largest of several circles.
func TestCircles(t *testing.T) {
	for _, tt := range []struct {
		name  string
		edges map[string][]string
		want  int // circles, those of one file among them
	}{
		{"none", map[string][]string{"a": {"b", "c"}, "b": {"c"}}, 3},
		{"all", map[string][]string{"a": {"b"}, "b": {"c"}, "c": {"a"}}, 1},
		{"two", map[string][]string{"a": {"b"}, "b": {"a", "c"}, "c": {"d"}, "d": {"c"}}, 2},
		{"one within", map[string][]string{"a": {"b"}, "b": {"c"}, "c": {"b", "d"}}, 3},
	} {
		c := circles{edges: tt.edges, seen: make(map[string]int), low: make(map[string]int)}
		c.visit("a")
		if len(c.found) != tt.want {
			t.Errorf("%s: %v, want %d circles", tt.name, c.found, tt.want)
		}
	}
}

// TestLoadErrors loads what is no module of packages.
func TestLoadErrors(t *testing.T) {
	empty := t.TempDir()
	if _, err := load(empty); err == nil {
		t.Error("an empty folder is loaded")
	}
	if err := os.WriteFile(filepath.Join(empty, "go.mod"), []byte("module example.com/m\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := load(empty); err == nil {
		t.Error("a module without packages is loaded")
	}
}
