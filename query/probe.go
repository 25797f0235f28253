package query

import (
	"bytes"
	"sort"
)

// A probe looks for keys among the entries of an index that have one value, from
// where its scan stands.
type probe struct {
	x     *reading
	keys  *keySet
	hit   func() bool // is called with the item that an entry has been made, and says whether to go on
	order []uint32
	steps int // how far to go step by step before a seek
}

// run looks for the keys, and returns false where hit has.
func (p *probe) run(it *item) bool {
	p.order = p.keys.sorted(p.x.scan.a.match.reverse)
	passed := p.passed()
	if p.order = p.order[passed:]; p.x.entries <= maxSteps*passed {
		p.steps = maxSteps // they are close to each other
	}
	for _, i := range p.order {
		key := p.keys.key(int(i))
		if !p.reach(key) {
			p.x.ended = true
			return true
		}
		if !bytes.Equal(p.at(), key) {
			continue
		}
		p.x.scan.r.stats.Entries-- // read counts it again
		if p.x.scan.read(it) && p.x.passes(p.x.scan.r, it) && !p.hit() {
			return false
		}
	}
	return true
}

// at returns the key at which the scan stands.
func (p *probe) at() []byte { return p.x.scan.cur.Key()[len(p.x.scan.a.stem):] }

// before compares keys in the direction of the scan.
func (p *probe) before(a, b []byte) bool {
	if p.x.scan.a.match.reverse {
		a, b = b, a
	}
	return bytes.Compare(a, b) < 0
}

// passed returns how many of the keys the scan has passed already.
func (p *probe) passed() int {
	if !p.x.scan.stands {
		return 0
	}
	return sort.Search(len(p.order), func(i int) bool { return p.before(p.at(), p.keys.key(int(p.order[i]))) })
}

// reach moves the scan to the first entry at or beyond the key, and reports
// whether there is one.
func (p *probe) reach(key []byte) bool {
	s := p.x.scan
	if s.cur == nil && !s.begin() {
		return false
	}
	for n := 0; !s.stands || p.before(p.at(), key); n++ {
		if !s.r.tick() || !p.move(key, n >= p.steps) {
			return false
		}
	}
	return true
}

// move goes to the next entry, or by a seek to that of the key.
func (p *probe) move(key []byte, seek bool) bool {
	s := p.x.scan
	ok := false
	if seek {
		s.nextKey = append(append(s.nextKey[:0], s.a.stem...), key...)
		ok = s.cur.Seek(s.nextKey)
	} else {
		ok = s.cur.Next()
	}
	if s.stands = ok; !ok {
		s.r.fail(s.cur.Err())
		return false
	}
	s.r.stats.Entries++
	p.x.entries++
	return true
}
