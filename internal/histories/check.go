package histories

import (
	"fmt"
	"slices"
)

// Serializable returns what is wrong with a history if some serial order of its
// committed transactions should explain it. final holds the lists as they are
// after all transactions have ended.
func Serializable(txns []Txn, final map[int][]int) []Anomaly { return check(txns, final, false) }

// StrictlySerializable is Serializable for a database whose serial order should
// also keep real time: what began after a transaction had ended comes after it.
func StrictlySerializable(txns []Txn, final map[int][]int) []Anomaly { return check(txns, final, true) }

// checker is one check under way.
type checker struct {
	txns    []Txn
	final   map[int][]int
	writers map[element]writer
	reads   []external
	faults  []Anomaly
}

// element is a value in a list.
type element struct{ key, value int }

// writer is the transaction that appended an element.
type writer struct {
	txn  int
	last bool // it appended nothing to the list after it
}

// external is what a transaction saw of a list apart from its own appends: the
// first n values of the final list.
type external struct{ txn, key, n int }

func check(txns []Txn, final map[int][]int, strict bool) []Anomaly {
	c := &checker{txns: txns, final: final, writers: map[element]writer{}}
	c.index()
	for key, list := range final {
		c.elements("the final state", key, list)
	}
	for i := range txns {
		if !txns[i].Aborted {
			c.follow(i)
			c.kept(i)
		}
	}
	if a, ok := c.graph(strict).anomaly(txns); ok {
		c.faults = append(c.faults, a)
	}
	return c.faults
}

func (c *checker) fail(kind Kind, format string, args ...any) {
	c.faults = append(c.faults, Anomaly{kind, fmt.Sprintf(format, args...)})
}

// index notes who appended what.
func (c *checker) index() {
	for i, t := range c.txns {
		last := map[int]int{}
		for _, op := range t.Ops {
			if op.Append == 0 {
				continue
			}
			e := element{op.Key, op.Append}
			if _, ok := c.writers[e]; ok {
				c.fail(Malformed, "%d was appended to list %d more than once, by %s at last", e.value, e.key, t.Name)
			}
			c.writers[e] = writer{txn: i, last: true}
			if before, ok := last[op.Key]; ok && before != op.Append {
				c.writers[element{op.Key, before}] = writer{txn: i}
			}
			last[op.Key] = op.Append
		}
	}
}

// elements checks that each value of a list was committed, and is there once.
func (c *checker) elements(reader string, key int, list []int) {
	seen := map[int]bool{}
	for _, v := range list {
		w, ok := c.writers[element{key, v}]
		switch {
		case !ok:
			c.fail(Unwritten, "%s saw %d in list %d, which nobody appended", reader, v, key)
		case c.txns[w.txn].Aborted:
			c.fail(AbortedRead, "%s saw %d in list %d, which %s appended and did not commit", reader, v, key, c.txns[w.txn].Name)
		case seen[v]:
			c.fail(Duplicate, "%s saw %d twice in list %d: %v", reader, v, key, list)
		}
		seen[v] = true
	}
}

// follow goes through a transaction's calls, and holds each read against those
// before it.
func (c *checker) follow(i int) {
	known, own := map[int][]int{}, map[int][]int{}
	for _, op := range c.txns[i].Ops {
		if op.Append != 0 {
			own[op.Key] = append(own[op.Key], op.Append)
			continue
		}
		before, again := known[op.Key]
		outside, ok := cutSuffix(op.Read, own[op.Key])
		if !ok || again && !slices.Equal(outside, before) {
			c.fail(Internal, "%s saw %v in list %d, where it had seen %v and appended %v", c.txns[i].Name, op.Read, op.Key, before, own[op.Key])
			continue
		}
		if !again {
			known[op.Key] = outside
			c.read(i, op.Key, outside)
		}
	}
}

// cutSuffix returns list without the suffix, and whether it had it.
func cutSuffix(list, suffix []int) ([]int, bool) {
	n := len(list) - len(suffix)
	if n < 0 || !slices.Equal(list[n:], suffix) {
		return nil, false
	}
	return list[:n], true
}

// read checks what a transaction saw of others.
func (c *checker) read(i, key int, list []int) {
	name := c.txns[i].Name
	c.elements(name, key, list)
	for n, v := range list {
		w, ok := c.writers[element{key, v}]
		switch {
		case ok && w.txn == i:
			c.fail(Internal, "%s saw %d in list %d before it appended it", name, v, key)
		case ok && n == len(list)-1 && !w.last:
			c.fail(Intermediate, "%s saw list %d end in %d, after which %s appended more", name, key, v, c.txns[w.txn].Name)
		}
	}
	final := c.final[key]
	if len(list) > len(final) || !slices.Equal(list, final[:len(list)]) {
		c.fail(Incompatible, "%s saw %v in list %d, which ended as %v", name, list, key, final)
		return
	}
	c.reads = append(c.reads, external{i, key, len(list)})
}

// kept checks that all that a transaction appended is in the final lists.
func (c *checker) kept(i int) {
	for _, op := range c.txns[i].Ops {
		if op.Append != 0 && !slices.Contains(c.final[op.Key], op.Append) {
			c.fail(Lost, "%s appended %d to list %d and committed, and the list ended as %v", c.txns[i].Name, op.Append, op.Key, c.final[op.Key])
		}
	}
}
