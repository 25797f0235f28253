package kivis_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocs holds the documents to the code: every link to a file leads to one,
// and every block of Go is part of a source file that is compiled and tested.
// A line `...` in a block leaves something out.
func TestDocs(t *testing.T) {
	sources := snippetSources(t)
	for _, doc := range documents(t) {
		text, err := os.ReadFile(doc)
		if err != nil {
			t.Fatal(err)
		}
		for _, link := range localLinks(string(text)) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(doc), link)); err != nil {
				t.Errorf("%s links to %s: %v", doc, link, err)
			}
		}
		for _, block := range goBlocks(string(text)) {
			if !occurs(block, sources) {
				t.Errorf("%s has Go code that is in no file under examples, nor in example_test.go:\n%s", doc, block)
			}
		}
	}
}

// documents returns the Markdown files of the repository.
func documents(t *testing.T) []string {
	t.Helper()
	var docs []string
	for _, pattern := range []string{"*.md", "docs/*.md", "examples/*.md", "examples/*/*.md", "bench/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, found...)
	}
	if len(docs) == 0 {
		t.Fatal("no documents")
	}
	return docs
}

// snippetSources returns the text of the Go files that documents may quote,
// without indentation.
func snippetSources(t *testing.T) []string {
	t.Helper()
	var sources []string
	add := func(file string) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, unindented(string(text)))
	}
	if _, err := os.Stat("example_test.go"); err == nil {
		add("example_test.go")
	}
	err := filepath.WalkDir("examples", func(p string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(p, ".go") {
			add(p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sources
}

// unindented returns text with the space around each line removed, and a
// newline at both ends.
func unindented(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line)
	}
	return "\n" + strings.Join(lines, "\n") + "\n"
}

var linkPattern = regexp.MustCompile(`\]\(([^)#\s]+)(#[^)\s]*)?\)`)

// localLinks returns the files that a document links to.
func localLinks(text string) []string {
	var links []string
	for _, m := range linkPattern.FindAllStringSubmatch(text, -1) {
		if !strings.Contains(m[1], "://") {
			links = append(links, m[1])
		}
	}
	return links
}

// goBlocks returns the fenced blocks of Go in a document.
func goBlocks(text string) []string {
	var blocks []string
	for i, part := range strings.Split("\n"+text, "\n```") {
		if code, ok := strings.CutPrefix(part, "go\n"); ok && i%2 == 1 {
			blocks = append(blocks, code)
		}
	}
	return blocks
}

// occurs reports whether the parts of a block between `...` lines occur in
// one of the sources, in order.
func occurs(block string, sources []string) bool {
	parts := strings.Split(unindented(block), "\n...\n")
	for _, source := range sources {
		if inOrder(source, parts) {
			return true
		}
	}
	return false
}

func inOrder(source string, parts []string) bool {
	for _, part := range parts {
		part = "\n" + strings.TrimSpace(part) + "\n"
		at := strings.Index(source, part)
		if at < 0 {
			return false
		}
		source = source[at+len(part)-1:]
	}
	return true
}

// TestSnippets tests the helpers of TestDocs.
func TestSnippets(t *testing.T) {
	doc := "a [b](c/d.md#e) and [f](https://g)\n```go\nx := 1\n...\n\ty()\n```\n```\nplain\n```\n"
	if got := localLinks(doc); len(got) != 1 || got[0] != "c/d.md" {
		t.Errorf("localLinks = %q", got)
	}
	blocks := goBlocks(doc)
	if len(blocks) != 1 {
		t.Fatalf("goBlocks = %q", blocks)
	}
	source := unindented("func f() {\n\tx := 1\n\tz()\n\ty()\n}")
	if !occurs(blocks[0], []string{source}) {
		t.Error("occurs = false for code with a gap")
	}
	if occurs("y()\nz()\n", []string{source}) {
		t.Error("occurs = true for code in another order")
	}
}
