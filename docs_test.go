package kivis_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocs holds the documents to the code: the files they link to, the tests
// and the names of ours they mention are there, every block of Go is part of a
// source that is compiled and tested, and every block of text part of what an
// example says it prints, or of a golden file. A line `...` in a block leaves
// something out.
func TestDocs(t *testing.T) {
	sources, outputs := quotable(t)
	tests, names := testNames(t), declared(t)
	for _, doc := range documents(t) {
		text := string(readFile(t, doc))
		for _, link := range localLinks(text) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(doc), link)); err != nil {
				t.Errorf("%s links to %s: %v", doc, link, err)
			}
		}
		for _, m := range testPattern.FindAllStringSubmatch(text, -1) {
			if !tests[m[1]] {
				t.Errorf("%s names the test %s, which is not there", doc, m[1])
			}
		}
		for _, m := range namePattern.FindAllStringSubmatch(text, -1) {
			if !names[m[2]] && !foreign[m[1]] && !extensions[m[2]] {
				t.Errorf("%s names %s.%s, and nothing of that name is declared", doc, m[1], m[2])
			}
		}
		for _, block := range blocks(text, "go") {
			if !occurs(block, sources) {
				t.Errorf("%s has Go code that no source has:\n%s", doc, block)
			}
		}
		for _, block := range blocks(text, "text") {
			if !occurs(block, outputs) {
				t.Errorf("%s has text that no example prints:\n%s", doc, block)
			}
		}
	}
}

// TestGuideHasErrors holds the guide's table of errors to the package's.
func TestGuideHasErrors(t *testing.T) {
	guide := string(readFile(t, "docs/guide.md"))
	n := 0
	walk(t, ".go", func(p string) {
		if filepath.Dir(p) != "." || strings.HasSuffix(p, "_test.go") {
			return
		}
		for _, m := range errorPattern.FindAllStringSubmatch(string(readFile(t, p)), -1) {
			n++
			if !regexp.MustCompile(`\b` + m[1] + `\b`).MatchString(guide) {
				t.Errorf("docs/guide.md lacks %s", m[1])
			}
		}
	})
	if n == 0 {
		t.Error("no errors found")
	}
}

// documents returns the Markdown files of the repository.
func documents(t *testing.T) []string {
	t.Helper()
	var docs []string
	walk(t, ".md", func(p string) { docs = append(docs, p) })
	if len(docs) == 0 {
		t.Fatal("no documents")
	}
	return docs
}

// quotable returns what documents may quote, as squeezed texts: the sources of
// all examples, and what these print.
func quotable(t *testing.T) (sources, outputs []string) {
	t.Helper()
	walk(t, ".go", func(p string) {
		if !strings.HasPrefix(p, "examples/") && !strings.HasPrefix(filepath.Base(p), "example") {
			return
		}
		text := string(readFile(t, p))
		sources = append(sources, squeezed(text))
		outputs = append(outputs, squeezed(uncommented(text)))
	})
	walk(t, ".txt", func(p string) { outputs = append(outputs, squeezed(string(readFile(t, p)))) })
	return sources, outputs
}

// testNames returns the names of all tests.
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	walk(t, "_test.go", func(p string) {
		for _, m := range funcPattern.FindAllStringSubmatch(string(readFile(t, p)), -1) {
			names[m[1]] = true
		}
	})
	return names
}

// declared returns the names of all functions, methods and types.
func declared(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	walk(t, ".go", func(p string) {
		for _, m := range declPattern.FindAllStringSubmatch(string(readFile(t, p)), -1) {
			names[m[1]] = true
		}
	})
	return names
}

// What stands before or after the dot of a name that is not ours.
var (
	foreign    = map[string]bool{"time": true, "errors": true, "bytes": true, "encoding": true, "json": true, "unsafe": true, "testing": true, "uuid": true, "sql": true, "netip": true, "net": true, "big": true}
	extensions = map[string]bool{"go": true, "md": true, "mod": true, "txt": true, "awk": true, "csv": true, "gz": true, "db": true}
)

// walk calls fn with the slash path of each file whose name ends in ext.
func walk(t *testing.T, ext string, fn func(p string)) {
	t.Helper()
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && p != "." && strings.HasPrefix(d.Name(), ".") {
			return filepath.SkipDir
		}
		if !d.IsDir() && strings.HasSuffix(p, ext) {
			fn(filepath.ToSlash(p))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// squeezed returns text without the space around each line, and with a newline
// at both ends.
func squeezed(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line)
	}
	return "\n" + strings.Join(lines, "\n") + "\n"
}

// uncommented returns text without the slashes of comments.
func uncommented(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(strings.TrimSpace(line), "//")
	}
	return strings.Join(lines, "\n")
}

var (
	codePattern  = regexp.MustCompile("(?s)```.*?```|`[^`\n]*`")
	linkPattern  = regexp.MustCompile(`\]\(([^)#\s]+)(#[^)\s]*)?\)`)
	testPattern  = regexp.MustCompile("`(Test[A-Z]\\w*)`")
	namePattern  = regexp.MustCompile("`(?:[a-z]+/)*(\\w+)\\.(\\w+)(?:\\[[^`]*\\])?(?:\\([^`]*\\))?`")
	declPattern  = regexp.MustCompile(`(?m)^(?:func (?:\([^)]*\) )?|type |\t)(\w+)`)
	errorPattern = regexp.MustCompile(`(?m)^\s*(?:var )?(Err[A-Z]\w*)\s+= `)
	funcPattern  = regexp.MustCompile(`(?m)^func (Test\w+)\(`)
)

// localLinks returns the files that a document links to.
func localLinks(text string) []string {
	var links []string
	for _, m := range linkPattern.FindAllStringSubmatch(codePattern.ReplaceAllString(text, ""), -1) {
		if !strings.Contains(m[1], "://") {
			links = append(links, m[1])
		}
	}
	return links
}

// blocks returns the fenced blocks of a kind in a document.
func blocks(text, kind string) []string {
	var list []string
	for i, part := range strings.Split("\n"+text, "\n```") {
		if code, ok := strings.CutPrefix(part, kind+"\n"); ok && i%2 == 1 {
			list = append(list, code)
		}
	}
	return list
}

// occurs reports whether the parts of a block between `...` lines occur in
// one of the squeezed texts, in order.
func occurs(block string, texts []string) bool {
	parts := strings.Split(squeezed(block), "\n...\n")
	for _, text := range texts {
		if inOrder(text, parts) {
			return true
		}
	}
	return false
}

func inOrder(text string, parts []string) bool {
	for _, part := range parts {
		part = "\n" + strings.TrimSpace(part) + "\n"
		at := strings.Index(text, part)
		if at < 0 {
			return false
		}
		text = text[at+len(part)-1:]
	}
	return true
}

// TestQuoting tests the helpers of TestDocs.
func TestQuoting(t *testing.T) {
	doc := "a [b](c/d.md#e) and [f](https://g)\n```go\nx := 1\n...\n\ty()\n```\n```\nplain\n```\n"
	if got := localLinks(doc); len(got) != 1 || got[0] != "c/d.md" {
		t.Errorf("localLinks = %q", got)
	}
	found := blocks(doc, "go")
	if len(found) != 1 {
		t.Fatalf("blocks = %q", found)
	}
	source := squeezed("func f() {\n\tx := 1\n\tz()\n\ty()\n}")
	if !occurs(found[0], []string{source}) {
		t.Error("occurs = false for code with a gap")
	}
	if occurs("y()\nz()\n", []string{source}) {
		t.Error("occurs = true for code in another order")
	}
}
