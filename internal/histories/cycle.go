package histories

import "slices"

// cycle returns a cycle along edges of the kinds, as the edges from its last
// node around to it, or nil. Of those through the transactions of one component
// it is a shortest.
func (g graph) cycle(kinds dependency, txns int) (shortest []edge) {
	for _, component := range g.components(kinds) {
		if len(component) == 1 {
			continue
		}
		for _, from := range component {
			if from >= txns {
				continue
			}
			if c := g.around(from, kinds); shortest == nil || len(c) < len(shortest) {
				shortest = c
			}
		}
		return shortest
	}
	return nil
}

// around returns a shortest way from a node back to it.
func (g graph) around(from int, kinds dependency) []edge {
	type step struct {
		edge
		before int // in steps
	}
	steps := []step{{edge{to: from}, -1}}
	seen := map[int]bool{}
	for i := 0; i < len(steps); i++ {
		for _, e := range g[steps[i].to] {
			if e.why&kinds == 0 || seen[e.to] {
				continue
			}
			seen[e.to] = true
			steps = append(steps, step{e, i})
			if e.to != from {
				continue
			}
			var way []edge
			for at := len(steps) - 1; at > 0; at = steps[at].before {
				way = append(way, steps[at].edge)
			}
			slices.Reverse(way)
			return way
		}
	}
	return nil
}

// components returns the strongly connected components, by Tarjan's algorithm.
func (g graph) components(kinds dependency) [][]int {
	t := &tarjan{g: g, kinds: kinds, index: make([]int, len(g)), low: make([]int, len(g)), on: make([]bool, len(g))}
	for v := range g {
		if t.index[v] == 0 {
			t.visit(v)
		}
	}
	return t.found
}

// tarjan is a search for components. An index of 0 is a node not visited.
type tarjan struct {
	g          graph
	kinds      dependency
	index, low []int
	on         []bool
	next       int
	stack      []int
	found      [][]int
}

func (t *tarjan) visit(v int) {
	t.next++
	t.index[v], t.low[v], t.on[v] = t.next, t.next, true
	t.stack = append(t.stack, v)
	for _, e := range t.g[v] {
		switch {
		case e.why&t.kinds == 0:
		case t.index[e.to] == 0:
			t.visit(e.to)
			t.low[v] = min(t.low[v], t.low[e.to])
		case t.on[e.to]:
			t.low[v] = min(t.low[v], t.index[e.to])
		}
	}
	if t.low[v] != t.index[v] {
		return
	}
	at := slices.Index(t.stack, v)
	component := slices.Clone(t.stack[at:])
	for _, w := range component {
		t.on[w] = false
	}
	t.stack = t.stack[:at]
	t.found = append(t.found, component)
}
