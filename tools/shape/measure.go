package main

import (
	"bytes"
	"go/ast"
	"go/token"
	"slices"
)

// A shape is what is measured of one package.
type shape struct {
	name       string
	files      []int // lines of each
	funcs      []int // lines of each
	exports    int
	documented int
	comments   int // lines that hold a comment alone
	blank      int // lines that hold nothing
	tests      int // lines of tests
	circle     []string
	reflects   []string // files that import reflect
}

// measure measures a package.
func measure(s *source) shape {
	out := shape{name: s.name, tests: s.tests, circle: largestCircle(s)}
	for _, f := range s.files {
		out.files = append(out.files, lines(f.text))
		out.countLines(s.set, f)
		for _, d := range f.tree.Decls {
			out.decl(s.set, d)
		}
		for _, i := range f.tree.Imports {
			if i.Path.Value == `"reflect"` {
				out.reflects = append(out.reflects, f.name)
			}
		}
	}
	return out
}

// countLines counts the blank lines of a file and those with comments alone.
func (s *shape) countLines(set *token.FileSet, f file) {
	text := bytes.Split(f.text, []byte("\n"))
	for _, line := range text[:lines(f.text)] {
		if len(bytes.TrimSpace(line)) == 0 {
			s.blank++
		}
	}
	for _, g := range f.tree.Comments {
		for _, c := range g.List {
			from, to := set.Position(c.Pos()).Line, set.Position(c.End()).Line
			s.comments += to - from
			if first := bytes.TrimSpace(text[from-1]); bytes.HasPrefix(first, []byte("//")) || bytes.HasPrefix(first, []byte("/*")) {
				s.comments++ // there is nothing before it on its line
			}
		}
	}
}

// decl measures one declaration.
func (s *shape) decl(set *token.FileSet, d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Body != nil {
			s.funcs = append(s.funcs, set.Position(d.End()).Line-set.Position(d.Pos()).Line+1)
		}
		if d.Name.IsExported() && (d.Recv == nil || ast.IsExported(receiver(d))) {
			s.export(d.Doc != nil)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			s.spec(spec, d.Doc != nil)
		}
	}
}

// spec counts the exported names of a declaration, which may be one of a group
// with a comment of its own.
func (s *shape) spec(spec ast.Spec, group bool) {
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		if spec.Name.IsExported() {
			s.export(group || spec.Doc != nil || spec.Comment != nil)
		}
	case *ast.ValueSpec:
		for _, name := range spec.Names {
			if name.IsExported() {
				s.export(group || spec.Doc != nil || spec.Comment != nil)
			}
		}
	}
}

func (s *shape) export(documented bool) {
	s.exports++
	if documented {
		s.documented++
	}
}

// receiver returns the name of the type that a method is of.
func receiver(d *ast.FuncDecl) string {
	t := d.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.ParenExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name
		default:
			return "" // unreachable: the type checker has passed it
		}
	}
}

// quantile returns the value below which the share q of the values is; 0 of
// none.
func quantile(values []int, q float64) int {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[int(q*float64(len(sorted)-1)+0.5)]
}

// over counts the values above a bound.
func over(values []int, bound int) int {
	n := 0
	for _, v := range values {
		if v > bound {
			n++
		}
	}
	return n
}

func sum(values []int) int {
	n := 0
	for _, v := range values {
		n += v
	}
	return n
}
