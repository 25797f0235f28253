package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A source is one package, type-checked, with all that is measured of it.
type source struct {
	name  string // its folder in the module
	set   *token.FileSet
	files []file
	tests int // lines of its tests
	pkg   *types.Package
	info  *types.Info
}

// A file is one file of a package that is no test.
type file struct {
	name string
	text []byte
	tree *ast.File
}

// listed is what go list says of a package.
type listed struct {
	Dir, ImportPath, Export   string
	DepOnly                   bool // only others import it
	GoFiles, CgoFiles         []string
	TestGoFiles, XTestGoFiles []string
	Module                    *struct{ Path string }
}

// load returns the packages of the module in dir, each after those that it
// imports.
func load(dir string) ([]*source, error) {
	list, err := goList(dir)
	if err != nil {
		return nil, err
	}
	exports := make(map[string]string)
	for _, l := range list {
		exports[l.ImportPath] = l.Export
	}
	set := token.NewFileSet()
	imports := importer.ForCompiler(set, "gc", func(path string) (io.ReadCloser, error) {
		if exports[path] == "" {
			return nil, fmt.Errorf("go list has no types of %s", path)
		}
		return os.Open(exports[path])
	})
	var out []*source
	for _, l := range list {
		if l.DepOnly || len(l.GoFiles)+len(l.CgoFiles) == 0 {
			continue
		}
		s, err := check(set, imports, l)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", l.ImportPath, err)
		}
		out = append(out, s)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("there is no package in %s", dir)
	}
	return out, nil
}

// goList returns the packages of the module in dir and all that they import,
// built, so that their types can be read.
func goList(dir string) ([]listed, error) {
	cmd := exec.Command("go", "list", "-export", "-deps", "-json", "./...")
	cmd.Dir = dir
	var faults bytes.Buffer
	cmd.Stderr = &faults
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, faults.Bytes())
	}
	var list []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var l listed
		if err := d.Decode(&l); errors.Is(err, io.EOF) {
			return list, nil
		} else if err != nil {
			return nil, err
		}
		list = append(list, l)
	}
}

// check reads a package and finds out what its names refer to.
func check(set *token.FileSet, imports types.Importer, l listed) (*source, error) {
	s := &source{set: set, name: folder(l), info: &types.Info{
		Defs: make(map[*ast.Ident]types.Object), Uses: make(map[*ast.Ident]types.Object),
	}}
	var trees []*ast.File
	for _, name := range append(l.GoFiles, l.CgoFiles...) {
		text, err := os.ReadFile(filepath.Join(l.Dir, name))
		if err != nil {
			return nil, err
		}
		tree, err := parser.ParseFile(set, filepath.Join(l.Dir, name), text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		s.files, trees = append(s.files, file{name, text, tree}), append(trees, tree)
	}
	for _, name := range append(l.TestGoFiles, l.XTestGoFiles...) {
		text, err := os.ReadFile(filepath.Join(l.Dir, name))
		if err != nil {
			return nil, err
		}
		s.tests += lines(text)
	}
	config := types.Config{Importer: imports, FakeImportC: true}
	var err error
	s.pkg, err = config.Check(l.ImportPath, set, trees, s.info)
	return s, err
}

// folder returns where in its module a package is.
func folder(l listed) string {
	if l.Module == nil || l.ImportPath == l.Module.Path {
		return "."
	}
	return strings.TrimPrefix(l.ImportPath, l.Module.Path+"/")
}

// lines counts the lines of a file.
func lines(text []byte) int {
	n := bytes.Count(text, []byte("\n"))
	if len(text) > 0 && text[len(text)-1] != '\n' {
		n++
	}
	return n
}
