package cache

import (
	"bytes"
	"context"
	"errors"

	"github.com/kivisdb/kivis/store"
)

// change is what is about to be changed in a layer, in one transaction of its
// local store. Its order is the heart of the matter:
//
//	what is no longer known is taken out of known, then the local store
//	commits, then what is known from now on is added.
//
// So at no time does known hold more than the local store does.
type change struct {
	l      *layer
	tx     store.Tx
	less   *draft // known, less what is forgotten; nil while it is the same
	cut    bool   // less is less than known
	forgot bool   // something is forgotten that nobody has written
	bytes  int64  // what the layer is to hold
	buf    []byte
	sealed []byte
	stay   []item // keys of forgotten ranges
	err    error  // of the local store: what comes later is not done
}

// begin begins a change, with the lock of l held.
func (l *layer) begin() (*change, error) {
	tx, err := l.local.Begin(context.Background(), true)
	if err != nil {
		return nil, err
	}
	return &change{l: l, tx: tx, bytes: l.bytes.Load()}, nil
}

// draft returns what is known less what is forgotten, to be changed.
func (c *change) draft() *draft {
	if c.less == nil {
		c.less = c.l.known.Load().draft()
	}
	return c.less
}

// known returns what is known less what is forgotten.
func (c *change) known() *intervals {
	if c.less == nil {
		return c.l.known.Load()
	}
	return &c.less.intervals
}

// entrySize is what an entry counts.
func entrySize(key, value []byte) int64 { return int64(len(key)+len(value)) + itemCost }

// set sets the value of a key.
func (c *change) set(key, value []byte) {
	if c.err != nil {
		return
	}
	old, held := c.held(key)
	c.replace(key, value, old, held)
}

// remove deletes a key, if it is there.
func (c *change) remove(key []byte) {
	if c.err != nil {
		return
	}
	old, held := c.held(key)
	c.drop(key, old, held)
}

// held returns what the local store has under a key, if it has it.
func (c *change) held(key []byte) (old []byte, held bool) {
	old, err := c.tx.Get(c.l.keyOf(&c.buf, key))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		c.err = err
	}
	return old, err == nil
}

// replace is set for who knows what is held.
func (c *change) replace(key, value, old []byte, held bool) {
	if c.err != nil {
		return
	}
	if held {
		c.bytes -= entrySize(key, old)
	}
	if c.l.keeps {
		c.sealed = seal(c.sealed[:0], key, value)
		value = c.sealed
	}
	c.bytes += entrySize(key, value)
	c.err = c.tx.Set(c.l.keyOf(&c.buf, key), value)
}

// drop is remove for who knows what is held.
func (c *change) drop(key, old []byte, held bool) {
	if c.err != nil || !held {
		return
	}
	c.bytes -= entrySize(key, old)
	c.err = c.tx.Delete(c.l.keyOf(&c.buf, key))
}

// lose takes [lo, hi) out of what is known.
func (c *change) lose(lo, hi []byte) {
	c.draft().cut(lo, hi)
	c.cut = true
}

// forget drops what is held and known in [lo, hi). The local store's cursor is
// over what it has, so nothing is deleted under it.
func (c *change) forget(lo, hi []byte) {
	c.lose(lo, hi)
	c.forgot = true
	if c.err != nil {
		return
	}
	if len(hi) == len(lo)+1 && bytes.HasPrefix(hi, lo) && hi[len(lo)] == 0 {
		c.remove(lo)
		return
	}
	cur, err := c.tx.Scan(c.l.rangeOf(store.Range{Lo: lo, Hi: hi}))
	if err != nil {
		c.err = err
		return
	}
	defer cur.Close()
	for c.err == nil && cur.Next() {
		key := cur.Key()[len(c.l.prefix):]
		size := entrySize(key, cur.Value())
		if c.stays(key, size) {
			continue
		}
		c.bytes -= size
		c.err = c.tx.Delete(cur.Key())
	}
	if c.err == nil {
		c.err = cur.Err()
	}
}

// stays says whether a key of a range that is forgotten stays, since it was asked
// for by itself: a scan that has brought it once more must not take it away.
func (c *change) stays(key []byte, size int64) bool {
	p := c.l.policy
	if p == nil {
		return false
	}
	hash := p.hash(key)
	if p.counter(hash).load() == 0 {
		return false
	}
	c.stay = append(c.stay, item{bytes.Clone(key), behind(key), hash, size})
	return true
}

// commit makes the change, after which [lo, hi) is known, if whole says so.
func (c *change) commit(lo, hi []byte, whole bool) error {
	defer c.tx.Discard()
	l := c.l
	if c.forgot {
		l.forgot.Add(1)
	}
	if c.cut {
		less := c.less.intervals
		l.known.Store(&less)
	}
	more := c.less
	if whole && c.err == nil {
		more = c.draft()
		if c.cut {
			more = &draft{*more.intervals.draftOf(), more.touched}
		}
		more.add(lo, hi)
	}
	if c.err == nil {
		c.err = l.save(c.tx, more, c.bytes)
	}
	if c.err == nil {
		_, c.err = c.tx.Commit()
	}
	if c.err != nil {
		return c.err
	}
	for _, it := range c.stay {
		l.policy.main.push(it)
	}
	l.bytes.Store(c.bytes)
	if more != nil {
		l.known.Store(&more.intervals)
	}
	l.saved = l.position.Load()
	if whole {
		l.changed()
	}
	if c.cut && (l.archive || l.pinned() != nil) {
		l.wake()
	}
	return nil
}

// draftOf returns a copy of s that may be changed.
func (s *intervals) draftOf() *intervals { return &intervals{s.tree.Clone()} }

// filling is what a read has brought, to be kept.
type filling struct {
	lo, hi  []byte // what it covers
	whole   bool   // the range is known whole; else a key that is there
	entries []entry
	as      moment
	kept    bool // it was read to be kept
}

type entry struct{ key, value []byte }

// fill takes in what was read at a version, unless it was written since. It says
// whether it has.
func (l *layer) fill(f *filling) bool {
	if l.off.Load() {
		return false
	}
	size := int64(0)
	for _, e := range f.entries {
		size += entrySize(e.key, e.value)
	}
	if l.max > 0 && size > l.max/smallShare && !f.kept {
		return false
	}
	l.mu.Lock()
	ok, err := l.mayFill(f), error(nil)
	if ok {
		err = l.fillLocked(f, size)
	}
	l.mu.Unlock()
	if err != nil {
		l.fail(err)
	}
	return ok && err == nil
}

// mayFill says whether what was read still holds.
func (l *layer) mayFill(f *filling) bool {
	newest := l.hist.newest.Load()
	if l.off.Load() || f.as.version > newest || l.position.Load() != newest {
		return false
	}
	_, some, _ := l.hist.firstIn(f.lo, f.hi, false, f.as)
	return !some
}

func (l *layer) fillLocked(f *filling, size int64) error {
	c, err := l.begin()
	if err != nil {
		return err
	}
	l.makeRoom(c, size)
	for _, e := range f.entries {
		c.set(e.key, e.value)
	}
	if err := c.commit(f.lo, f.hi, f.whole); err != nil {
		return err
	}
	if l.policy != nil && !(f.kept && l.keepsAll(f.lo, f.hi)) {
		hash := l.policy.hash(f.lo)
		if len(f.entries) > 0 {
			hash = l.policy.hash(f.entries[0].key)
		}
		l.policy.enter(item{bytes.Clone(f.lo), bytes.Clone(f.hi), hash, size + itemCost})
	}
	return nil
}

// makeRoom has the layer forget until there is room for size bytes.
func (l *layer) makeRoom(c *change, size int64) {
	if l.max == 0 {
		return
	}
	for c.err == nil && l.full(c, size) {
		it, ok := l.leaving(c)
		if !ok {
			return
		}
		l.unpinned(it.lo, it.hi, c.forget)
		l.evictions.Add(1)
	}
}

// full says whether size bytes have no room. What was written by others leaves
// items that stand for nothing: these are bounded as well.
func (l *layer) full(c *change, size int64) bool {
	return c.bytes+size+itemCost*int64(c.known().len()) > l.max || l.policy.small.size+l.policy.main.size > l.max+l.max/2
}

// leaving returns what is to leave next: what the policy says or, where the layer
// has been opened with something in it, that first, in the order of its keys.
func (l *layer) leaving(c *change) (item, bool) {
	for l.resumed {
		it, wanted, ok := l.handful(c)
		if !ok {
			break
		}
		if !wanted {
			return it, true
		}
		l.policy.main.push(it)
	}
	return l.policy.next()
}

// handful returns some keys that lie where the last ones ended, and whether one
// of them was asked for.
func (l *layer) handful(c *change) (it item, wanted, ok bool) {
	r := l.rangeOf(store.Range{Lo: l.hand})
	cur, err := c.tx.Scan(r)
	if err != nil {
		c.err = err
		return item{}, false, false
	}
	defer cur.Close()
	it.lo = l.hand
	n := 0
	for ; n < perHandful && cur.Next(); n++ {
		key := cur.Key()[len(l.prefix):]
		wanted = wanted || l.policy.counter(l.policy.hash(key)).load() > 0
		it.hi = append(append(it.hi[:0], key...), 0)
		it.size += entrySize(key, cur.Value())
		if n == 0 {
			it.hash = l.policy.hash(key)
		}
	}
	c.err = cur.Err()
	l.hand, l.resumed = it.hi, n == perHandful
	return it, wanted, n > 0 && c.err == nil
}

// perHandful is how many keys that were there when the layer was opened leave at
// a time.
const perHandful = 32
