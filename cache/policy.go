package cache

import (
	"hash/maphash"
	"sync/atomic"
)

// policy says what a layer forgets when it is full. It is S3-FIFO: Yang, Zhang,
// Qiu, Yue, Vigfusson, "FIFO queues are all you need for cache eviction", SOSP
// 2023. What comes in waits in a small queue; what is asked for again there goes
// on to the main one, the rest leaves. So a scan of everything passes through the
// small queue and leaves the main one as it is. What leaves the main queue and
// has been asked for meanwhile goes around again. What has left the small queue
// lately, and comes in again, goes to the main one at once.
//
// An item is what one read brought: a key, or a range with its keys. How often a
// key was asked for is counted in a table by its hash: so to count costs little,
// and nothing is to be found. Keys that share a place there are kept a little
// longer.
//
// The counters may be used at any time, the rest under the layer's lock.
type policy struct {
	max   int64
	small fifo
	main  fifo
	ghost ghost

	seed     maphash.Seed
	counters []atomic.Uint32 // sixteen of two bits in each
}

const (
	smallShare = 10 // the small queue has one part in so many of the bytes
	often      = 3  // counting ends there: it is what two bits hold
	itemCost   = 64 // about what an item and its entries cost besides their bytes
)

// item is what one read brought in: one key, or a range with whatever it holds.
type item struct {
	lo, hi []byte // a nil hi is no upper bound
	hash   uint64 // of the key whose count decides
	size   int64
}

func newPolicy(max int64) *policy {
	n := int64(1 << 12)
	for n < 1<<20 && n*256 < max {
		n *= 2
	}
	// Sixteen counters for each item, so that few share one: who comes in sets
	// its counter back.
	return &policy{
		max:      max,
		seed:     maphash.MakeSeed(),
		counters: make([]atomic.Uint32, n),
		ghost:    ghost{ring: make([]uint64, n), set: make(map[uint64]int)},
	}
}

func (p *policy) hash(key []byte) uint64 { return maphash.Bytes(p.seed, key) }

// counter is a place in the table: two bits of a word.
type counter struct {
	word  *atomic.Uint32
	shift uint8
}

func (p *policy) counter(hash uint64) counter {
	return counter{&p.counters[hash>>4&uint64(len(p.counters)-1)], uint8(hash&15) * 2}
}

// load returns the count, up to often.
func (c counter) load() uint32 { return c.word.Load() >> c.shift & often }

// store sets the count. The counters beside it stay as they are.
func (c counter) store(n uint32) {
	for {
		old := c.word.Load()
		if c.word.CompareAndSwap(old, old&^(often<<c.shift)|n<<c.shift) {
			return
		}
	}
}

// asked counts that key was asked for, and found.
func (p *policy) asked(key []byte) {
	// Two at the same time may count as one, which does no harm.
	c := p.counter(p.hash(key))
	old := c.word.Load()
	if old>>c.shift&often < often {
		c.word.CompareAndSwap(old, old+1<<c.shift)
	}
}

// enter takes in an item.
func (p *policy) enter(it item) {
	p.counter(it.hash).store(0)
	if p.ghost.has(it.hash) {
		p.main.push(it)
		return
	}
	p.small.push(it)
}

// next takes out the item that is to leave, and says whether there is one. The
// others that it comes across go around again.
func (p *policy) next() (item, bool) {
	for {
		if p.small.size*smallShare >= p.max || p.main.len() == 0 {
			it, ok := p.small.pop()
			if !ok || !p.wanted(it, 1) {
				p.ghost.put(it.hash)
				return it, ok
			}
			p.main.push(it)
			continue
		}
		it, _ := p.main.pop()
		if !p.wanted(it, 0) {
			return it, true
		}
		p.main.push(it)
	}
}

// wanted says whether an item was asked for more than so often since it came in,
// and takes one off the count.
func (p *policy) wanted(it item, more uint32) bool {
	c := p.counter(it.hash)
	n := c.load()
	if n <= more {
		return false
	}
	c.store(n - 1)
	return true
}

// empty forgets all items.
func (p *policy) empty() {
	p.small, p.main = fifo{}, fifo{}
}

// fifo is a queue of items.
type fifo struct {
	items []item
	size  int64
}

func (q *fifo) len() int { return len(q.items) }

func (q *fifo) push(it item) {
	q.items = append(q.items, it)
	q.size += it.size
}

func (q *fifo) pop() (item, bool) {
	if len(q.items) == 0 {
		return item{}, false
	}
	it := q.items[0]
	q.items[0] = item{}
	q.items = q.items[1:]
	q.size -= it.size
	return it, true
}

// ghost remembers the hashes of what has left lately.
type ghost struct {
	ring []uint64
	at   int
	set  map[uint64]int // how often each is in the ring
}

func (g *ghost) put(hash uint64) {
	if old := g.ring[g.at]; old != 0 {
		g.drop(old)
	}
	g.ring[g.at] = hash
	g.set[hash]++
	g.at = (g.at + 1) % len(g.ring)
}

func (g *ghost) drop(hash uint64) {
	if n := g.set[hash]; n > 1 {
		g.set[hash] = n - 1
		return
	}
	delete(g.set, hash)
}

// has says whether hash has left lately.
func (g *ghost) has(hash uint64) bool { return g.set[hash] > 0 }
