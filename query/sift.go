package query

// siftLimits are what a sift counts with.
type siftLimits struct {
	alone int // so many entries of the first index are read before the others are looked at
	few   int // no look is worth it where no more rows are wanted, of those that come in order
	bytes int // what may be held
}

// sifting are the limits. Tests have others.
var sifting = siftLimits{alone: 256, few: 1024, bytes: 16 << 20}

// fetchCost is how many entries it takes to make up for reading one record by its
// key: about so many on Badger.
const fetchCost = 10

// The ways by which items come from a sift are numbered, as Rows.read: 0 is the
// first index; then, of each of the others, both and that one alone.
func wayOfBoth(other int) int  { return 1 + 2*other }
func wayOfOther(other int) int { return 2 + 2*other }

// otherAlone returns which of the others items come from alone, if they do.
func otherAlone(way int) (other int, ok bool) { return (way - 2) / 2, way > 0 && way%2 == 0 }

// A sift gives the items of an access path for which there are other indexes. It
// reads entries of all, always of the one which has cost least so far, each with the
// records that would have to be fetched: so the first to end is the best one by
// itself, and the others have cost no more. Its keys are then held against one of
// the others, by seeks or for a while longer, and records are fetched for what is in
// both; or for what is in the best one, if the other goes on.
type sift struct {
	r      *Rows
	a      *accessPath
	first  reading
	held   heldScan // entries of the first
	others []contender
	out    stream // nil until it is chosen
}

// A contender is one of the other indexes.
type contender struct {
	reading
	*sieve
	way  int // among them
	keys keySet
}

// A reading is what has been read of an index.
type reading struct {
	in      stream
	scan    *scan // which in is, if it is one
	fetch   int   // what each entry that passes costs besides
	entries int   // that have been read
	found   int   // that have passed
	ended   bool
}

// cost is what reading the index alone would have cost so far, in entries.
func (x *reading) cost() int { return x.entries + x.fetch*x.found }

// step reads one entry and reports whether it passes the index's tests. Of an
// intersection it reads up to the next entry that it finds.
func (x *reading) step(r *Rows, it *item) bool {
	before := r.stats.Entries
	ok := false
	if x.scan != nil {
		ok = x.scan.advance(it)
	} else {
		ok = x.in.next(it)
	}
	x.entries += r.stats.Entries - before
	x.ended = !ok
	return ok && x.passes(r, it)
}

// passes applies the index's tests to an entry.
func (x *reading) passes(r *Rows, it *item) bool {
	if x.scan != nil && len(x.scan.tests) > 0 && !r.matches(x.scan.tests, it) {
		return false
	}
	x.found++
	return true
}

// seeks reports whether the index has entries of one value only, so that each
// key has its place among them.
func (x *reading) seeks() bool {
	return x.scan != nil && keyOrdered(x.scan.a.c) && len(x.scan.a.ranges) == 1
}

func (r *Rows) newSift(a *accessPath) *sift {
	s := r.sifts.take()
	s.r, s.a = r, a
	if s.first.fetch = fetchCost; len(a.with) > 0 {
		s.first.in = r.newZigzagJoin(a)
	} else {
		s.first.scan = r.newScan(a)
		s.first.in = s.first.scan
	}
	s.held.a = a
	for range a.c.index.Parts {
		s.held.ends = append(s.held.ends, 0)
	}
	return s
}

// reset lets go of all but memory.
func (s *sift) reset() {
	held, ends, others := s.held.held, s.held.ends[:0], emptied(s.others)
	held.reset()
	*s = sift{}
	s.held.held, s.held.ends, s.others = held, ends, others
}

func (s *sift) next(it *item) bool {
	if s.out == nil {
		choice, other := s.look(it)
		if s.r.err != nil {
			return false
		}
		s.note(choice, other)
		s.out = s.streamOf(choice, other)
	}
	return s.out.next(it)
}

// note tells of the look.
func (s *sift) note(choice LookChoice, other *contender) {
	l := &s.r.stats.Look
	l.Choice, l.First = choice, s.first.entries
	if other != nil {
		l.Other = other.way
	}
	for i := range s.others {
		l.Others[i] = s.others[i].entries
	}
}

// look reads entries until it is known which way is the best, and by which other
// index.
func (s *sift) look(it *item) (LookChoice, *contender) {
	for !s.first.ended && s.first.entries < sifting.alone {
		s.stepFirst(it)
	}
	if s.first.ended {
		return NotLooked, nil
	}
	s.begin()
	other := s.race(it)
	switch {
	case s.r.err != nil || !s.first.ended && !other.ended:
		return FirstAlone, nil // too much to hold
	case other.ended && len(other.other.filter) == 0:
		return OtherAlone, other // there is nothing that the first could add
	case s.meet(other, it):
		return BothIndexes, other
	case other.ended:
		return OtherAlone, other
	}
	return FirstAlone, nil
}

// begin opens the other indexes.
func (s *sift) begin() {
	for i := range s.a.sieves {
		c := contender{sieve: &s.a.sieves[i], way: i}
		c.scan = s.r.newScan(c.other)
		c.in = c.scan
		if s.r.plan.fetch || c.other.fetch {
			c.fetch = fetchCost
		}
		s.others = append(s.others, c)
	}
}

// race reads entries of all indexes until one of them has ended, and returns the
// other one to hold the first against.
func (s *sift) race(it *item) *contender {
	for !s.first.ended && s.fits() && s.r.err == nil {
		least := &s.others[0]
		for i := range s.others[1:] {
			if c := &s.others[1+i]; c.cost() < least.cost() {
				least = c
			}
		}
		if least.cost() > s.first.cost() {
			s.stepFirst(it)
			continue
		}
		if s.stepOther(least, it); least.ended {
			return least
		}
	}
	return &s.others[0]
}

func (s *sift) stepFirst(it *item) {
	if s.first.step(s.r, it) {
		s.held.held.add(it)
	}
}

func (s *sift) stepOther(c *contender, it *item) {
	if c.step(s.r, it) {
		c.keys.add(it.key)
	}
}

// fits reports whether more may be held.
func (s *sift) fits() bool {
	n := s.held.held.size()
	for i := range s.others {
		n += s.others[i].keys.size()
	}
	return n < sifting.bytes
}

// meet finds out what is in the first index and another one, one of which has
// ended. It gives up, and returns false, where the other goes on for too long.
func (s *sift) meet(c *contender, it *item) bool {
	if c.ended {
		return s.rest(c, &s.first, &c.reading, &c.keys, it, func() bool { s.held.held.add(it); return s.fits() })
	}
	var mine keySet
	for i := range s.held.held.len() {
		s.held.item(i, it)
		mine.add(it.key)
	}
	return s.rest(c, &c.reading, &s.first, &mine, it, func() bool { c.keys.add(it.key); return s.fits() })
}

// rest calls hit for what x, the index that has not ended, still has of the keys
// of the better one. It returns false where it gives up, as where hit does.
func (s *sift) rest(c *contender, x, better *reading, keys *keySet, it *item, hit func() bool) bool {
	switch {
	case keys.len() == 0:
		return true
	case x.seeks():
		p := probe{x: x, keys: keys, hit: hit}
		return p.run(it) && s.r.err == nil
	}
	for most := x.entries + s.patience(c, better); x.entries < most && !x.ended; {
		if x.step(s.r, it) && keys.has(it.key) && !hit() {
			return false
		}
	}
	return x.ended && s.r.err == nil
}

// patience is how many more entries may be read: half as many as the better index
// has found records, or as many where what is in both need not be fetched. All that
// are read cost no more than that index by itself.
func (s *sift) patience(c *contender, better *reading) int {
	n := better.found / 2
	if !s.r.plan.fetch && len(c.both.filter) == 0 {
		n = better.found
	}
	spent := s.first.entries
	for i := range s.others {
		spent += s.others[i].entries
	}
	return max(0, min(n, better.cost()-spent))
}

// streamOf makes the stream of one way of reading.
func (s *sift) streamOf(choice LookChoice, other *contender) stream {
	switch choice {
	case BothIndexes:
		s.r.read = wayOfBoth(other.way)
		s.held.only = &other.keys
		return s.ofFirst(other.both)
	case OtherAlone:
		s.r.read = wayOfOther(other.way)
		return s.ofOther(other)
	}
	if choice == FirstAlone && s.a.match.ties != tiesNone {
		s.first.in.close()
		s.first.in = s.r.newTieOrder(s.a) // anew: it holds less than a sort
		return s.r.finish(s.r.project(s.first.in, s.a), s.a)
	}
	if !s.first.ended {
		s.held.then = s.first.in
	}
	return s.ofFirst(s.a)
}

// ofFirst gives the held entries, in the order asked for.
func (s *sift) ofFirst(a *accessPath) stream {
	r := s.r
	out := r.project(&s.held, a)
	if a.match.ties != tiesNone {
		keyers := make([]*sortKeys, r.read+1)
		keyers[r.read] = r.sortKeysOf(a, true)
		out = r.newSorter(out, s.held.held.len(), keyers)
	}
	return r.finish(out, a)
}

// ofOther gives the records of another index, in the order asked for.
func (s *sift) ofOther(c *contender) (out stream) {
	r, p, a := s.r, s.r.plan, c.other
	out = &keyScan{keys: &c.keys, order: c.keys.sorted(false)}
	if a.fetch {
		out = r.newFetcher(out, false)
	}
	if len(a.filter) > 0 {
		out = &filter{r: r, in: out, tests: r.tests(a, a.filter, false)}
	}
	if p.value != nil && !p.fetch {
		out = r.newProjector(out, a, false)
	}
	if !p.ordered || p.sort {
		return out
	}
	most := c.keys.len() // also where there is no limit: so many can be held
	if n := p.top(); n >= 0 {
		most = min(most, n)
	}
	keyers := make([]*sortKeys, r.read+1)
	keyers[r.read] = r.newSortKeys(a)
	return r.newSorter(out, most, keyers)
}

func (s *sift) close() {
	s.first.in.close()
	for i := range s.others {
		s.others[i].in.close()
	}
}
