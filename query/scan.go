package query

import (
	"bytes"
	"fmt"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/store"
)

// A scan gives the records or entries of an access path's ranges, those of entries
// that pass its tests.
type scan struct {
	r       *Rows
	a       *accessPath
	keys    bool // no values are needed
	tests   []test
	prefix  int
	at      int // how many of the ranges have been begun
	rng     byteRange
	cur     store.Cursor
	sealed  store.SealedCursor // cur, if it is one
	ends    []int
	fixed   bool // all entries of the range have one tuple, and ends are its
	eachAt  int  // the part of elements that entries are told apart by, or -1
	stands  bool // on an entry
	nextKey []byte
}

func (r *Rows) newScan(a *accessPath) *scan {
	s := r.scans.take()
	r.setScan(s, a)
	return s
}

// setScan makes s, which is as reset left it, the scan of an access path.
func (r *Rows) setScan(s *scan, a *accessPath) {
	s.r, s.a, s.eachAt, s.tests = r, a, -1, r.tests(a, a.entry, true)
	x := a.c.index
	if x == nil {
		s.prefix, s.keys = len(r.plan.table.Prefix(0)), r.plan.keysOnly(a)
		return
	}
	s.prefix, s.keys = len(r.plan.table.Prefix(x.ID)), !x.Unique
	for i := range x.Parts {
		s.ends = append(s.ends, 0)
		if a.first != nil && x.Parts[i].Each {
			s.eachAt = i
		}
	}
}

// reset lets go of all but memory.
func (s *scan) reset() {
	ends, nextKey := s.ends[:0], s.nextKey[:0]
	*s = scan{}
	s.ends, s.nextKey = ends, nextKey
}

func (s *scan) next(it *item) bool {
	for s.advance(it) {
		if len(s.tests) == 0 || s.r.matches(s.tests, it) {
			return s.r.err == nil
		}
	}
	return false
}

// advance goes to the next record or entry, whether it passes the tests or not.
func (s *scan) advance(it *item) bool {
	for s.r.tick() {
		if s.cur == nil && !s.begin() {
			return false
		}
		if s.stands = s.cur.Next(); s.stands {
			return s.read(it)
		}
		s.r.fail(s.cur.Err())
		s.close()
	}
	return false
}

// begin opens the next range.
func (s *scan) begin() bool {
	if s.at >= len(s.a.ranges) {
		return false
	}
	i := s.at
	if s.a.match.reverse {
		i = len(s.a.ranges) - 1 - i
	}
	s.at++
	return s.open(s.a.ranges[i])
}

// open opens a range.
func (s *scan) open(rng byteRange) bool {
	s.close()
	cur, err := s.r.tx.Scan(store.Range{Lo: rng.lo, Hi: rng.hi, Reverse: s.a.match.reverse, KeysOnly: s.keys})
	if err != nil {
		s.r.fail(err)
		return false
	}
	s.rng, s.cur, s.fixed = rng, cur, false
	s.sealed, _ = cur.(store.SealedCursor)
	if c := s.a.c; c.index != nil && c.points >= len(c.index.Parts) && len(rng.lo) >= s.prefix {
		_, s.fixed = s.split(rng.lo[s.prefix:])
	}
	return true
}

func (s *scan) close() {
	if s.cur != nil {
		s.cur.Close()
		s.cur, s.sealed = nil, nil
	}
}

// split finds the ends of the index's parts in what follows the prefix of an
// entry's key, and returns what follows them.
func (s *scan) split(tuple []byte) (rest []byte, ok bool) {
	rest = tuple
	for i := range s.a.c.index.Parts {
		var err error
		if rest, err = s.a.c.index.Parts[i].Key.Skip(rest); err != nil {
			return nil, false
		}
		s.ends[i] = len(tuple) - len(rest)
	}
	return rest, true
}

// read makes it the current record or entry. It returns false on damage.
func (s *scan) read(it *item) bool {
	k := s.cur.Key()
	if s.a.c.index == nil {
		s.r.stats.Records++
		*it = item{key: k[s.prefix:]}
		if !s.keys {
			it.cur, it.sealed = s.cur, s.sealed != nil && s.sealed.Sealed()
		}
		return true
	}
	s.r.stats.Entries++
	tuple := k[s.prefix:]
	if !s.fixed {
		if _, ok := s.split(tuple); !ok {
			s.r.damaged(s.a.c.index.Name, nil, errBadEntry)
			return false
		}
	}
	*it = item{tuple: tuple, ends: s.ends, key: tuple[s.ends[len(s.ends)-1]:]}
	if len(it.key) == 0 && s.a.c.index.Unique && !s.holder(it, k, s.cur.Value()) {
		return false
	}
	if s.eachAt >= 0 {
		it.elem = it.entryPart(s.eachAt)
	}
	return true
}

// holder makes the item's key that of the record which a unique entry, stored
// under the key k, is for. It returns false on damage.
func (s *scan) holder(it *item, k, value []byte) bool {
	key, err := codec.OpenEntry(value, k)
	if err != nil {
		s.r.damaged(s.a.c.index.Name, nil, err)
		return false
	}
	it.key = key
	return true
}

var errBadEntry = fmt.Errorf("%w: an entry's key is damaged", codec.ErrCorrupt)

// A lookup gives the records, or entries of a unique index, with given keys.
type lookup struct {
	scan
	keysOf [][]byte
	values [][]byte
	i      int
}

// newLookup returns the stream of an access path that looks up keys.
func (r *Rows) newLookup(a *accessPath) *lookup {
	l := r.lookups.take()
	r.setScan(&l.scan, a)
	return l
}

func (l *lookup) next(it *item) bool {
	for l.r.tick() {
		if l.i == len(l.keysOf) && !l.fetch() {
			return false
		}
		key, value := l.keysOf[l.i], l.values[l.i]
		l.i++
		if value == nil {
			continue
		}
		if !l.found(it, key, value) {
			return false
		}
		if len(l.tests) == 0 || l.r.matches(l.tests, it) {
			return l.r.err == nil
		}
	}
	return false
}

// found makes it the record or entry that was looked up.
func (l *lookup) found(it *item, k, value []byte) bool {
	tuple := k[l.prefix:]
	if l.a.c.index == nil {
		l.r.stats.Records++
		*it = item{key: tuple, value: value}
		return true
	}
	l.r.stats.Entries++
	if _, ok := l.split(tuple); !ok {
		l.r.damaged(l.a.c.index.Name, nil, errBadEntry)
		return false
	}
	*it = item{tuple: tuple, ends: l.ends}
	if !l.holder(it, k, value) {
		return false
	}
	if l.eachAt >= 0 {
		it.elem = it.entryPart(l.eachAt)
	}
	return true
}

// lookupBatch is how many keys are looked up at once.
const lookupBatch = 64

// fetch looks up the next keys.
func (l *lookup) fetch() bool {
	n := min(len(l.a.ranges)-l.at, lookupBatch, l.r.few())
	if n == 0 {
		return false
	}
	l.keysOf, l.i = emptied(l.keysOf), 0
	for i := range n {
		j := l.at + i
		if l.a.match.reverse {
			j = len(l.a.ranges) - 1 - j
		}
		l.keysOf = append(l.keysOf, l.a.ranges[j].lo)
	}
	l.at += n
	l.values = resize(l.values, n)
	err := l.r.get(l.keysOf, l.values)
	l.r.fail(err)
	return err == nil
}

// reset lets go of all but memory.
func (l *lookup) reset() {
	l.scan.reset()
	l.keysOf, l.values, l.i = emptied(l.keysOf), emptied(l.values), 0
}

// resize returns s with n elements, which are not cleared.
func resize(s [][]byte, n int) [][]byte {
	if cap(s) < n {
		return make([][]byte, n)
	}
	return s[:n]
}

func (l *lookup) close() {}

// A zigzagJoin gives the entries whose records are in several indexes: entries of
// one value each, in key order.
type zigzagJoin struct {
	r     *Rows
	scans []*scan
	stems [][]byte // what the keys of each scan's entries begin with
	begun bool
	key   []byte
}

func (r *Rows) newZigzagJoin(a *accessPath) *zigzagJoin {
	m := &zigzagJoin{r: r}
	for _, one := range append([]*accessPath{a}, a.with...) {
		s := r.newScan(one)
		if one != a {
			s.tests = nil
		}
		m.scans, m.stems = append(m.scans, s), append(m.stems, one.stem)
	}
	return m
}

func (m *zigzagJoin) next(it *item) bool {
	if !m.begun {
		m.begun = true
		for _, s := range m.scans {
			if !s.begin() {
				return false
			}
		}
	}
	for m.move(0) && m.agree() {
		s := m.scans[0]
		if !s.read(it) {
			return false
		}
		if len(s.tests) == 0 || m.r.matches(s.tests, it) {
			return m.r.err == nil
		}
	}
	return false
}

// move goes to the next entry of a scan.
func (m *zigzagJoin) move(i int) bool {
	if !m.r.tick() {
		return false
	}
	m.r.stats.Entries++
	if m.scans[i].cur.Next() {
		m.scans[i].stands = true
		return true
	}
	m.r.fail(m.scans[i].cur.Err())
	m.r.stats.Entries--
	return false
}

// agree moves the scans until all of them stand on the same record.
func (m *zigzagJoin) agree() bool {
	m.key = append(m.key[:0], m.keyAt(0)...)
	for i, same := 1, 1; same < len(m.scans); i = (i + 1) % len(m.scans) {
		if !m.reach(i) {
			return false
		}
		if k := m.keyAt(i); bytes.Equal(k, m.key) {
			same++
		} else {
			m.key, same = append(m.key[:0], k...), 1
		}
	}
	m.r.stats.Entries-- // read counts it again
	return true
}

// keyAt returns the record's key at which a scan stands.
func (m *zigzagJoin) keyAt(i int) []byte { return m.scans[i].cur.Key()[len(m.stems[i]):] }

// maxSteps is how far a seek is still dearer than going step by step.
const maxSteps = 4

// reach moves a scan to the first entry at or beyond m.key: step by step if
// that is near, else by a seek.
func (m *zigzagJoin) reach(i int) bool {
	s := m.scans[i]
	if !s.stands && !m.move(i) {
		return false
	}
	for steps := 0; ; steps++ {
		c := bytes.Compare(m.keyAt(i), m.key)
		if c == 0 || (c > 0) != s.a.match.reverse {
			return true
		}
		if steps == maxSteps {
			break
		}
		if !m.move(i) {
			return false
		}
	}
	s.nextKey = append(append(s.nextKey[:0], m.stems[i]...), m.key...)
	m.r.stats.Entries++
	if s.cur.Seek(s.nextKey) {
		return true
	}
	m.r.stats.Entries--
	m.r.fail(s.cur.Err())
	return false
}

func (m *zigzagJoin) close() {
	for _, s := range m.scans {
		s.close()
	}
}
