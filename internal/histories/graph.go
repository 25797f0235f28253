package histories

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"
)

// dependency is why one transaction comes before another; a set of bits, so
// that a search can leave some out.
type dependency uint8

const (
	ww dependency = 1 << iota // it appended the value before the other's
	wr                        // it appended the last value that the other saw
	rw                        // it did not see the value that the other appended
	rt                        // it had ended when the other began
)

var dependencyNames = map[dependency]string{ww: "ww", wr: "wr", rw: "rw", rt: "rt"}

// graph has a node for each transaction, and after those one for each end of a
// transaction, in the order of time, by which real time needs few edges.
type graph [][]edge

type edge struct {
	to  int
	why dependency
}

func (g graph) add(from, to int, why dependency) {
	if from != to {
		g[from] = append(g[from], edge{to, why})
	}
}

// graph derives the dependencies of the committed transactions.
func (c *checker) graph(strict bool) graph {
	g := make(graph, 2*len(c.txns))
	for key, list := range c.final {
		for n := 1; n < len(list); n++ {
			if a, b, ok := c.pair(key, list[n-1], list[n]); ok {
				g.add(a, b, ww)
			}
		}
	}
	for _, r := range c.reads {
		list := c.final[r.key]
		if r.n > 0 {
			if w, ok := c.committed(r.key, list[r.n-1]); ok {
				g.add(w, r.txn, wr)
			}
		}
		if r.n < len(list) {
			if w, ok := c.committed(r.key, list[r.n]); ok {
				g.add(r.txn, w, rw)
			}
		}
	}
	if strict {
		g.order(c.txns)
	}
	return g
}

func (c *checker) pair(key, a, b int) (int, int, bool) {
	wa, ok := c.committed(key, a)
	wb, also := c.committed(key, b)
	return wa, wb, ok && also
}

// committed returns the committed transaction that appended a value.
func (c *checker) committed(key, value int) (int, bool) {
	w, ok := c.writers[element{key, value}]
	return w.txn, ok && !c.txns[w.txn].Aborted
}

// order adds the order of real time: from each transaction to its end, from each
// end to the next, and from the last end before a start to what started.
func (g graph) order(txns []Txn) {
	var ends []int
	for i := range txns {
		if !txns[i].Aborted {
			ends = append(ends, i)
		}
	}
	slices.SortFunc(ends, func(a, b int) int { return cmp.Compare(txns[a].End, txns[b].End) })
	for n, i := range ends {
		g.add(i, len(txns)+n, rt)
		if n > 0 {
			g.add(len(txns)+n-1, len(txns)+n, rt)
		}
	}
	for _, i := range ends {
		n := sort.Search(len(ends), func(n int) bool { return txns[ends[n]].End >= txns[i].Start })
		if n > 0 {
			g.add(len(txns)+n-1, i, rt)
		}
	}
}

// anomaly returns the worst cycle: one of the fewest kinds of dependencies.
func (g graph) anomaly(txns []Txn) (Anomaly, bool) {
	for _, kinds := range []dependency{ww, ww | wr, ww | wr | rw, ww | wr | rw | rt} {
		if cycle := g.cycle(kinds, len(txns)); cycle != nil {
			return Anomaly{kindOf(kinds, cycle), describe(cycle, txns)}, true
		}
	}
	return Anomaly{}, false
}

// kindOf names a cycle that was found among the kinds.
func kindOf(kinds dependency, cycle []edge) Kind {
	unseen := 0
	for _, e := range cycle {
		if e.why == rw {
			unseen++
		}
	}
	switch {
	case kinds&rt != 0:
		return RealTime
	case kinds == ww:
		return G0
	case kinds == ww|wr:
		return G1c
	case unseen == 1:
		return GSingle
	default:
		return G2
	}
}

// describe writes a cycle out; the ends of transactions are left out.
func describe(cycle []edge, txns []Txn) string {
	var b strings.Builder
	last := cycle[len(cycle)-1].to
	fmt.Fprint(&b, txns[last].Name)
	for _, e := range cycle {
		if e.to < len(txns) {
			fmt.Fprintf(&b, " -%s-> %s", dependencyNames[e.why], txns[e.to].Name)
		}
	}
	return b.String()
}
