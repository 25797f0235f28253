package occ

// intervals is a set of ranges of keys that says which of them hold a key: a
// treap by lower bound, in which each node knows the furthest upper bound below
// it. The zero value is empty.
type intervals struct {
	root   *interval
	serial uint64
}

// interval is one range of a watch. A bound without memory is none.
type interval struct {
	lo, hi      Entry
	far         Entry // the furthest upper bound in the subtree
	serial      uint64
	prio        uint64
	left, right *interval
	w           *watch
	gone        bool // from the set
}

// add adds [lo, hi) for w; a nil hi is no upper bound.
func (t *intervals) add(lo, hi []byte, w *watch) *interval {
	t.serial++
	n := &interval{lo: Pivot(lo), hi: Pivot(hi), serial: t.serial, prio: scatter(t.serial), w: w}
	n.update()
	below, above := split(t.root, n)
	t.root = join2(join2(below, n), above)
	return n
}

// remove takes n out.
func (t *intervals) remove(n *interval) {
	if n.gone {
		return
	}
	n.gone = true
	t.root = without(t.root, n)
}

// stab calls hit with each interval that holds key. It must not change the set.
func (t *intervals) stab(key Entry, hit func(*interval)) { t.root.stab(key, hit) }

func (n *interval) stab(key Entry, hit func(*interval)) {
	for n != nil && under(key, n.far) {
		n.left.stab(key, hit)
		if Less(key, n.lo) {
			return
		}
		if under(key, n.hi) {
			hit(n)
		}
		n = n.right
	}
}

// under says whether key is below an upper bound.
func under(key, hi Entry) bool { return hi.data == nil || Less(key, hi) }

func further(a, b Entry) Entry {
	if under(a, b) {
		return b
	}
	return a
}

// update sets what n knows of its subtree.
func (n *interval) update() {
	n.far = n.hi
	for _, child := range [...]*interval{n.left, n.right} {
		if child != nil && n.far.data != nil {
			n.far = further(n.far, child.far)
		}
	}
}

// precedes is the order of intervals: by lower bound, then by age.
func (n *interval) precedes(m *interval) bool {
	if Less(n.lo, m.lo) {
		return true
	}
	return equal(n.lo, m.lo) && n.serial < m.serial
}

// split divides a subtree into what precedes m and the rest.
func split(n, m *interval) (below, above *interval) {
	switch {
	case n == nil:
		return nil, nil
	case n.precedes(m):
		n.right, above = split(n.right, m)
		n.update()
		return n, above
	}
	below, n.left = split(n.left, m)
	n.update()
	return below, n
}

// join2 makes one subtree of two, of which the first precedes the second.
func join2(a, b *interval) *interval {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	case a.prio > b.prio:
		a.right = join2(a.right, b)
		a.update()
		return a
	}
	b.left = join2(a, b.left)
	b.update()
	return b
}

// without returns a subtree less m, which is in it.
func without(n, m *interval) *interval {
	switch {
	case n == m:
		return join2(n.left, n.right)
	case m.precedes(n):
		n.left = without(n.left, m)
	default:
		n.right = without(n.right, m)
	}
	n.update()
	return n
}

// scatter makes numbers that follow each other look like random ones.
func scatter(x uint64) uint64 {
	x *= 0x9E3779B97F4A7C15
	x ^= x >> 32
	x *= 0xD6E8FEB86659FD93
	return x ^ x>>32
}
