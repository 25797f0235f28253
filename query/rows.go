package query

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/kivisdb/kivis/store"
)

// Rows are the records of a running plan, pulled one at a time. They belong to
// the goroutine of their transaction, and must be closed.
type Rows struct {
	running
	kept
}

// running is the state of rows.
type running struct {
	ctx   context.Context
	tx    store.Tx
	plan  *Plan
	top   stream
	item  item
	row   Row
	asked Row // what a Func sees
	stats Stats
	err   error
	done  bool
	calls uint

	verified bool // see Verified

	columns int    // how many of a record's columns are looked at
	splitOf []byte // the body that offs is of
	visited *test

	value    source // of Values, where it is in the record
	group    source
	parts    [][]byte // elements that are left of the current record
	single   []byte   // what stands beside each of them
	position []source

	frozen *itemBuffer // what was left when the rows were frozen
	next   int         // of those

	read    int // which of the plan's reads the current item comes from, where they follow each other; or which of a sift's ways
	limiter limiter
	point   point
}

// kept is the memory of rows, and what their streams are made of.
type kept struct {
	offs  []uint32 // where a record's columns are
	buf   []byte
	key   []byte // of a point's record
	visit func(elem []byte) error

	scans    freeList[scan]
	lookups  freeList[lookup]
	fetchers freeList[fetcher]
	sifts    freeList[sift]
}

var rowsPool = sync.Pool{New: func() any { return new(Rows) }}

// Run starts the plan in a transaction.
func (p *Plan) Run(ctx context.Context, tx store.Tx) *Rows {
	r := rowsPool.Get().(*Rows)
	r.ctx, r.tx, r.plan = ctx, tx, p
	r.row.Table = p.table
	r.top = r.build()
	return r
}

// Verified has the rows take records for what was committed, without a look at
// their checksums: the store is a [store.Verified]. It comes before the first Next.
func (r *Rows) Verified() { r.verified = true }

// Release closes the rows and gives their memory to other ones. Neither they
// nor what they have returned may be used afterwards, but for bodies and what
// Err and Stats have said. It is never necessary.
func (r *Rows) Release() {
	if r.plan == nil {
		return // released already
	}
	r.Close()
	r.scans.reset((*scan).reset)
	r.lookups.reset((*lookup).reset)
	r.fetchers.reset((*fetcher).reset)
	r.sifts.reset((*sift).reset)
	if cap(r.buf) > keepBytes {
		r.buf = nil
	}
	r.running = running{}
	rowsPool.Put(r)
}

// build makes the streams of the plan.
func (r *Rows) build() stream {
	p := r.plan
	if a := p.pointAccess(); a != nil {
		r.point = point{r: r, a: a}
		return &r.point
	}
	top := r.combine()
	if p.sort {
		var keyers []*sortKeys
		for _, a := range p.reads {
			keyers = append(keyers, r.newSortKeys(a))
			for i := range a.sieves {
				keyers = append(keyers, r.newSortKeys(a.sieves[i].both), r.newSortKeys(a.sieves[i].other))
			}
		}
		top = r.newSorter(top, p.top(), keyers)
	}
	if p.offset > 0 || p.limit >= 0 && p.limit < p.most() {
		r.limiter = limiter{in: top, skip: p.offset, left: p.limit}
		top = &r.limiter
	}
	if p.fetch && p.mayNeedFetch() {
		top = r.newFetcher(top, true)
	}
	if p.fetch && p.value != nil && len(p.reads) > 0 {
		r.value = r.source(p.reads[0], p.value, false)
		if p.group != nil {
			r.group = r.source(p.reads[0], p.group, false)
		}
	}
	return top
}

// combine makes one stream of the plan's reads.
func (r *Rows) combine() stream {
	p := r.plan
	switch {
	case len(p.reads) == 1:
		return r.branch(p.reads[0])
	case p.merge:
		m := &merger{r: r}
		for _, a := range p.reads {
			m.lanes = append(m.lanes, &lane{in: r.branch(a), keyer: r.newSortKeys(a)})
		}
		return m
	}
	c := &concat{r: r}
	for _, a := range p.reads {
		c.ins = append(c.ins, r.branch(a))
	}
	return c
}

// branch makes the streams of one access path.
func (r *Rows) branch(a *accessPath) stream {
	var s stream
	switch {
	case r.plan.sieves(a):
		return r.newSift(a)
	case a.kind != accessScan:
		s = r.newLookup(a)
	case len(a.with) > 0:
		s = r.newZigzagJoin(a)
	case a.match.ties != tiesNone:
		s = r.newTieOrder(a)
	default:
		s = r.newScan(a)
	}
	return r.finish(r.project(s, a), a)
}

// project adds to entries the field that is wanted, where they have it.
func (r *Rows) project(s stream, a *accessPath) stream {
	if r.plan.value != nil && !r.plan.fetch {
		return r.newProjector(s, a, true)
	}
	return s
}

// finish makes the streams behind that of an access path's entries.
func (r *Rows) finish(s stream, a *accessPath) stream {
	if a.fetch {
		s = r.newFetcher(s, false)
	}
	if len(a.filter) > 0 || a.first != nil {
		s = &filter{r: r, in: s, tests: r.tests(a, a.filter, false), first: r.firstTest(a)}
	}
	return s
}

// sortKeyOf returns the sort key of a position.
func (r *Rows) sortKeyOf(at *Position) []byte {
	var k []byte
	for i, t := range r.plan.order {
		k = appendPart(k, at.Parts[i], t.desc)
	}
	return appendPart(k, at.Key, r.plan.keyDesc)
}

// Next goes to the next row and says whether there is one. At the end, and
// after an error, the rows are closed.
func (r *Rows) Next() bool {
	if r.frozen != nil && r.next < len(r.frozen.items) {
		var it item
		r.frozen.get(r.next, &it)
		r.next++
		r.stats.Rows++
		r.row.Key, r.row.Part, r.row.Body, r.row.Decoded = it.key, it.part, it.body, it.decoded
		return true
	}
	if !r.advance() {
		return false
	}
	r.stats.Rows++
	return true
}

func (r *Rows) advance() bool {
	if r.nextPart() {
		return true
	}
	for !r.done && r.err == nil && r.top.next(&r.item) {
		if r.fillRow() {
			return true
		}
	}
	r.Close()
	return false
}

// fillRow makes the current item the row. It returns false where it makes
// none.
func (r *Rows) fillRow() bool {
	it := &r.item
	r.row.Key, r.row.Body, r.row.Part, r.row.Decoded = it.key, nil, it.part, it.decoded
	switch r.plan.want.Kind {
	case Records:
		it.keep()
		if !r.open(it) {
			return false
		}
		r.row.Body = it.body
	case Values:
		if it.part != nil {
			return r.divide() && r.unwrap()
		}
		return r.fillPart(it)
	}
	return true
}

// Row returns the current row, which the next call changes.
func (r *Rows) Row() *Row { return &r.row }

// Err returns the error that ended the rows, or nil.
func (r *Rows) Err() error { return r.err }

// Stats returns what has been read so far.
func (r *Rows) Stats() Stats { return r.stats }

// Close frees what the rows hold of the store. A second Close does nothing.
func (r *Rows) Close() {
	if !r.done {
		r.done = true
		r.top.close()
	}
}

// Position returns the place behind the current row, of a plan for records.
func (r *Rows) Position() (*Position, error) {
	p := r.plan
	if r.position == nil {
		for _, t := range p.order {
			r.position = append(r.position, r.source(p.reads[0], t.on, false))
		}
		r.splitOf = nil
	}
	it := item{key: r.row.Key, body: r.row.Body}
	at := &Position{Key: bytes.Clone(r.row.Key), After: true}
	for i := range r.position {
		part, ok := r.append(nil, &r.position[i], &it)
		if !ok {
			return nil, r.err
		}
		at.Parts = append(at.Parts, part)
	}
	return at, nil
}

// Freeze reads what is left into memory, so that the rows go on as they would
// have whatever is written in their transaction. It takes the key and the part
// of the current row away.
func (r *Rows) Freeze() {
	if r.done || r.frozen != nil {
		return
	}
	s, size := &itemBuffer{}, 0
	for r.advance() {
		s.add(&item{key: r.row.Key, part: r.row.Part, body: r.row.Body, decoded: r.row.Decoded})
		if size += len(r.row.Body); size+s.size() > MaxSortBytes {
			r.fail(fmt.Errorf("%w: a write while the rows are read holds those that are left, over %d MB", ErrSortTooLarge, MaxSortBytes>>20))
		}
	}
	r.frozen = s
}

// fail keeps the first error.
func (r *Rows) fail(err error) {
	if r.err == nil && err != nil {
		r.err = err
	}
}

// damaged keeps an error about stored bytes as a [record.CorruptError].
func (r *Rows) damaged(index string, key []byte, err error) {
	r.fail(damage(r.plan, index, key, err))
}

// indexName is the index that records are fetched for, if it is one.
func (r *Rows) indexName() string {
	if len(r.plan.reads) != 1 {
		return ""
	}
	a := r.plan.reads[0]
	if i, ok := otherAlone(r.read); ok {
		a = a.sieves[i].other
	}
	return a.c.index.Name
}

// tick reports whether to go on, having looked at the context now and then.
func (r *Rows) tick() bool {
	if r.calls++; r.calls%64 == 0 && r.err == nil {
		r.fail(r.ctx.Err())
	}
	return r.err == nil
}

// few is how many items are wanted at most.
func (r *Rows) few() int {
	most := r.plan.most()
	if n := r.plan.top(); n >= 0 && !r.plan.sort {
		return min(max(n, 1), most)
	}
	return most
}

// most is how many items the reads give at most.
func (p *Plan) most() int {
	n := 0
	for _, a := range p.reads {
		if a.kind == accessScan {
			return math.MaxInt
		}
		n += len(a.ranges)
	}
	return n
}

// Count runs the plan, which should be for [Count], and returns how many rows
// it has.
func (p *Plan) Count(ctx context.Context, tx store.Tx) (int, Stats, error) {
	if n, s, ok, err := p.countKeys(tx); ok || err != nil {
		return n, s, err
	}
	r := p.Run(ctx, tx)
	defer r.Release()
	n := 0
	for r.Next() {
		n++
	}
	return n, r.stats, r.err
}

// countKeys counts the keys of the plan's ranges, if that is all there is to do.
func (p *Plan) countKeys(tx store.Tx) (n int, s Stats, ok bool, err error) {
	if len(p.reads) != 1 || p.limit >= 0 || p.fetch {
		return 0, s, false, nil
	}
	a := p.reads[0]
	if a.kind != accessScan || a.fetch || a.first != nil || len(a.with)+len(a.entry)+len(a.filter) > 0 || p.sort || a.match.ties != tiesNone {
		return 0, s, false, nil
	}
	for _, rng := range a.ranges {
		k, err := store.Count(tx, store.Range{Lo: rng.lo, Hi: rng.hi, KeysOnly: true})
		if err != nil {
			return 0, s, false, err
		}
		n += k
	}
	if s.Entries = n; a.c.index == nil {
		s.Entries, s.Records = 0, n
	}
	s.Rows = max(n-p.offset, 0)
	return s.Rows, s, true, nil
}

// Analyze runs the plan to its end and returns it with what that has read.
func (p *Plan) Analyze(ctx context.Context, tx store.Tx) (Plan, error) {
	began := time.Now()
	r := p.Run(ctx, tx)
	defer r.Release()
	for r.Next() {
		continue
	}
	return p.WithAnalysis(Analysis{r.stats, time.Since(began)}), r.err
}
