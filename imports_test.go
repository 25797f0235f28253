package kivis_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/kivisdb/kivis"

// imports is what each package may import: ours by their folder, others by
// what their path starts with. A pattern that ends in /... covers the folders
// below it. The standard library is free to all, except unsafe. Tests may
// import what they like.
var imports = map[string][]string{
	"reflectx": {"unsafe"},

	"store":             {},
	"store/occ":         {"store", "github.com/google/btree"},
	"store/memstore":    {"store", "store/occ", "github.com/google/btree"},
	"store/badgerstore": {"store", "store/occ", "store/badgerstore/internal/badgerfile", "github.com/dgraph-io/", "golang.org/x/sys/"},
	"store/filestore":   {"internal/backupfile", "store", "store/occ"},
	"store/storetest":   {"store"},
	"store/faultstore":  {"store"},
	"store/remote":      {"store", "store/occ"},

	"store/remote/remotetest": {"store", "store/remote", "github.com/google/btree"},

	"store/badgerstore/internal/badgerfile": {"github.com/dgraph-io/", "github.com/klauspost/compress/"},

	"codec":            {"reflectx", "internal/msgpack", "github.com/vmihailenco/msgpack/v5"},
	"internal/msgpack": {},
	"schema":           {"reflectx", "codec", "internal/msgpack"},
	"query":            {"reflectx", "schema", "codec", "store", "internal/record"},

	"internal/record": {"schema", "codec", "internal/msgpack", "store"},
	"internal/retry":  {"store"},
	"internal/tables": {"internal/record", "internal/retry", "query", "schema", "codec", "store", "github.com/google/uuid"},

	"internal/migrate": {"internal/record", "internal/tables", "schema", "codec", "store"},
	"internal/check":   {"internal/record", "internal/tables", "schema", "codec", "store"},

	"internal/backup":     {"internal/backupfile", "internal/record", "internal/tables", "schema", "codec", "store"},
	"internal/backupfile": {"store", "github.com/klauspost/compress/"},
	"internal/live":       {"internal/tables", "schema", "store"},
	"internal/histories":  {},
	"internal/testform":   {}, // of tests alone
	"internal/cells":      {"codec"},

	"internal/benchtest":  {},
	"internal/sharedtest": {".", "store", "internal/histories"},

	"cache":           {"store", "store/occ", "store/memstore", "schema", "github.com/google/btree"},
	"cache/slowstore": {"store"},

	".":         {"reflectx", "codec", "schema", "query", "store", "internal/record", "internal/tables", "internal/migrate", "internal/check", "internal/live", "internal/backup", "internal/backupfile"},
	"kivistest": {".", "store", "store/memstore"},

	"examples/...": {".", "kivistest", "cache", "cache/slowstore", "examples/flights/data", "query", "schema", "store", "store/memstore", "store/badgerstore", "golang.org/x/term"},
}

// unreflected are the packages that may not import reflect: they work on encoded
// bytes alone.
var unreflected = []string{"internal/backup", "internal/backupfile", "internal/tables", "internal/record", "internal/check", "internal/retry", "internal/migrate", "internal/live", "query"}

// TestImports holds the direction of imports: downward only, each heavy
// dependency behind one folder, unsafe in reflectx alone.
func TestImports(t *testing.T) {
	eachGoFile(t, func(file string) {
		folder := path.Dir(file)
		allowed, ok := importsOf(folder)
		if !ok {
			t.Errorf("%s: no rule for package %s; add it to imports in imports_test.go", file, folder)
			return
		}
		for _, imp := range importsIn(t, file) {
			if imp == "reflect" && slices.Contains(unreflected, folder) {
				t.Errorf("%s imports reflect; %s works without Go types", file, folder)
			}
			if fault := forbidden(imp, allowed); fault != "" {
				t.Errorf("%s imports %s; %s may import only %v", file, fault, folder, allowed)
			}
		}
	})
}

// importsOf returns what the package in folder may import.
func importsOf(folder string) ([]string, bool) {
	if allowed, ok := imports[folder]; ok {
		return allowed, true
	}
	for dir := folder; dir != "."; dir = path.Dir(dir) {
		if allowed, ok := imports[dir+"/..."]; ok {
			return allowed, true
		}
	}
	return nil, false
}

// forbidden returns the import as the table names it if it is not allowed.
func forbidden(imp string, allowed []string) string {
	switch {
	case imp == module:
		imp = "."
	case strings.HasPrefix(imp, module+"/"):
		imp = strings.TrimPrefix(imp, module+"/")
	case imp != "unsafe" && !strings.Contains(strings.Split(imp, "/")[0], "."):
		return "" // standard library
	default:
		if slices.ContainsFunc(allowed, func(a string) bool { return strings.HasPrefix(imp, a) }) {
			return ""
		}
		return imp
	}
	if slices.Contains(allowed, imp) {
		return ""
	}
	return imp
}

// eachGoFile calls fn with the slash path of each Go file of this module that
// is not a test.
func eachGoFile(t *testing.T, fn func(file string)) {
	t.Helper()
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if p != "." && (name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || isModule(p)) {
				return filepath.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			fn(filepath.ToSlash(p))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// isModule reports whether the folder is a module of its own.
func isModule(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

// importsIn returns the import paths of a Go file.
func importsIn(t *testing.T, file string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Errorf("%s: %v", file, err)
		return nil
	}
	paths := make([]string, len(f.Imports))
	for i, spec := range f.Imports {
		if paths[i], err = strconv.Unquote(spec.Path.Value); err != nil {
			t.Error(fmt.Errorf("%s: %w", file, err))
		}
	}
	return paths
}

// TestForbidden tests the rule itself.
func TestForbidden(t *testing.T) {
	tests := []struct {
		folder, imp string
		want        string
	}{
		{"store/memstore", module + "/store", ""},
		{"store/memstore", module + "/reflectx", "reflectx"},
		{"codec", "unsafe", "unsafe"},
		{"reflectx", "unsafe", ""},
		{"store", "github.com/dgraph-io/badger/v4", "github.com/dgraph-io/badger/v4"},
		{"store/badgerstore", "github.com/dgraph-io/badger/v4/options", ""},
		{".", module + "/store/memstore", "store/memstore"},
		{"examples/flights", module, ""},
		{"query", module, "."},
		{"schema", "encoding/binary", ""},
	}
	for _, tt := range tests {
		allowed, ok := importsOf(tt.folder)
		if !ok {
			t.Errorf("importsOf(%q) has no rule", tt.folder)
		}
		if got := forbidden(tt.imp, allowed); got != tt.want {
			t.Errorf("%s importing %s: forbidden = %q, want %q", tt.folder, tt.imp, got, tt.want)
		}
	}
}
