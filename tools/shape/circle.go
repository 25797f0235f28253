package main

import (
	"go/types"
	"maps"
	"slices"
)

// largestCircle returns the files of the largest strongly connected component
// of the graph in which a file leads to those whose declarations it names. It
// is empty where no two files lead to each other.
func largestCircle(s *source) []string {
	c := circles{edges: references(s), seen: make(map[string]int), low: make(map[string]int)}
	var largest []string
	for _, f := range s.files {
		if c.seen[f.name] == 0 {
			c.visit(f.name)
		}
	}
	for _, circle := range c.found {
		if len(circle) > max(1, len(largest)) {
			largest = circle
		}
	}
	slices.Sort(largest)
	return largest
}

// references returns which other files of the package each file refers to.
func references(s *source) map[string][]string {
	edges := make(map[string][]string)
	for from, reached := range namesUsed(s) {
		edges[from] = slices.Sorted(maps.Keys(reached))
	}
	return edges
}

// namesUsed returns, for each file, the other files of the package that it refers to,
// and by which names.
func namesUsed(s *source) map[string]map[string][]string {
	names := make(map[string]string) // of files, by their full names
	for _, f := range s.files {
		names[s.set.Position(f.tree.Pos()).Filename] = f.name
	}
	used := make(map[string]map[string][]string)
	for ident, object := range s.info.Uses {
		if object.Pkg() != s.pkg || !isDeclaration(object) {
			continue
		}
		from, to := names[s.set.Position(ident.Pos()).Filename], names[s.set.Position(object.Pos()).Filename]
		if from == to {
			continue
		}
		if used[from] == nil {
			used[from] = make(map[string][]string)
		}
		if !slices.Contains(used[from][to], ident.Name) {
			used[from][to] = append(used[from][to], ident.Name)
		}
	}
	return used
}

// isDeclaration reports whether the object is declared at package level, or a
// method.
func isDeclaration(object types.Object) bool {
	if f, ok := object.(*types.Func); ok && f.Signature().Recv() != nil {
		return true
	}
	return object.Parent() == object.Pkg().Scope()
}

// circles finds strongly connected components, as Tarjan does.
type circles struct {
	edges     map[string][]string
	seen, low map[string]int // the order in which files are met; the first that each leads back to
	stack     []string
	found     [][]string
}

// visit follows a file that has not been met.
func (c *circles) visit(f string) {
	at := len(c.seen) + 1
	c.seen[f], c.low[f] = at, at
	c.stack = append(c.stack, f)
	for _, to := range c.edges[f] {
		switch {
		case c.seen[to] == 0:
			c.visit(to)
			c.low[f] = min(c.low[f], c.low[to])
		case slices.Contains(c.stack, to):
			c.low[f] = min(c.low[f], c.seen[to])
		}
	}
	if c.low[f] == at {
		i := slices.Index(c.stack, f)
		c.found = append(c.found, slices.Clone(c.stack[i:]))
		c.stack = c.stack[:i]
	}
}
