package live

import "slices"

// Kind is what has happened to a record.
type Kind uint8

// The kinds.
const (
	_        Kind = iota
	Inserted      // it is new
	Updated       // it is another now, or in another place
	Deleted       // it is gone
	Reset         // forget all records that were told: what comes next is all there is
	Ready         // all records have been told; what comes next are changes
)

// String returns the kind in lower case.
func (k Kind) String() string {
	return [...]string{"", "inserted", "updated", "deleted", "reset", "ready"}[min(k, Ready)]
}

// A Step changes one item of a list.
type Step struct {
	Kind Kind
	Item int // the item's place in the new list; of a deletion, in the old one
	From int // where it is taken out of the list; -1 for an insertion
	To   int // where it is put in, which is its place in the new list; -1 for a deletion
}

// Steps returns what makes one list of another, step by step. Items are told
// apart by their keys, which are those of the new items at their places, and of
// the old ones; changed says whether an item that is in both has changed, by its
// places in the two.
//
// First go those that are no longer there, the last first; then the new list is
// made from its beginning: what stands at a place that another has in the new
// list is moved down where that leaves the right one there, and else the right
// one is moved up. It takes time in proportion to the items that are moved times
// the length of the list.
func Steps(was, is []string, changed func(was, is int) bool) []Step {
	m := merge{was: was, is: is, place: make(map[string]int, len(is)), changed: changed}
	for i, key := range is {
		m.place[key] = i
	}
	m.drop()
	for i := range is {
		m.settle(i)
	}
	return m.steps
}

// merge is Steps under way.
type merge struct {
	was, is []string
	place   map[string]int // of each key in the new list
	changed func(was, is int) bool

	list  []int          // the list as it is by now: places in was, or -1 for a new item
	old   map[string]int // place in was of each key in both
	moved map[int]bool   // places in was of those that have been moved down
	steps []Step
}

// drop takes out what is no longer there.
func (m *merge) drop() {
	m.old = make(map[string]int, len(m.was))
	m.list = make([]int, 0, max(len(m.was), len(m.is)))
	for i, key := range m.was {
		if _, ok := m.place[key]; ok {
			m.old[key] = i
			m.list = append(m.list, i)
		}
	}
	for i := len(m.was) - 1; i >= 0; i-- {
		if _, ok := m.old[m.was[i]]; !ok {
			m.steps = append(m.steps, Step{Deleted, i, i, -1})
		}
	}
}

// settle sees to the place i, those before it being right.
func (m *merge) settle(i int) {
	at, ok := m.old[m.is[i]]
	switch {
	case !ok:
		m.put(i, -1)
		m.steps = append(m.steps, Step{Inserted, i, -1, i})
		return
	case i+1 < len(m.list) && m.list[i] != at && m.list[i+1] == at && m.list[i] >= 0:
		m.moveDown(i)
	}
	from := i + slices.Index(m.list[i:], at)
	if from == i && (m.moved[at] || !m.changed(at, i)) {
		return
	}
	m.take(from)
	m.put(i, at)
	m.steps = append(m.steps, Step{Updated, i, from, i})
}

// moveDown moves what stands at i to its place in the new list, or as near as
// there is room by now.
func (m *merge) moveDown(i int) {
	at := m.list[i]
	to := m.place[m.was[at]]
	if to >= len(m.list) {
		return
	}
	if m.moved == nil {
		m.moved = make(map[int]bool)
	}
	m.moved[at] = true
	m.take(i)
	m.put(to, at)
	m.steps = append(m.steps, Step{Updated, to, i, to})
}

func (m *merge) take(i int)    { m.list = slices.Delete(m.list, i, i+1) }
func (m *merge) put(i, at int) { m.list = slices.Insert(m.list, i, at) }
