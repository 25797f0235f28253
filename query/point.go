package query

import (
	"bytes"
	"errors"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/store"
)

// The most common query there is asks for one record by its key, or by a unique
// index, and nothing else: a point. It is read without the streams of other plans,
// and where the store allows it without a transaction.

// A Getter reads the values of single keys, or returns store.ErrNotFound. A
// [store.Tx] is one.
type Getter interface {
	Get(key []byte) ([]byte, error)
}

// ErrMoved: what [Plan.Lookup] has read at two moments does not belong together.
var ErrMoved = errors.New("query: the record was changed between two reads")

// pointAccess returns the access path of a plan that is a point, or nil.
func (p *Plan) pointAccess() *accessPath {
	if len(p.reads) != 1 || !p.fetch && p.want.Kind != Count || p.sort || p.merge || p.offset > 0 || p.value != nil || p.after != nil {
		return nil
	}
	a := p.reads[0]
	if a.kind == accessScan || len(a.ranges) != 1 || len(a.entry)+len(a.filter)+len(a.with) > 0 || a.first != nil {
		return nil
	}
	return a
}

// MayBePoint reports whether the query's form is that of a point: equalities
// alone, of which nothing is skipped. Its plan knows.
func (q *Query) MayBePoint() bool {
	if q.Where == nil || q.After != nil || q.Offset != 0 {
		return false
	}
	var single [1]Expr
	for _, e := range conjunctsOf(q.Where, &single) {
		if c, ok := e.(Cmp); !ok || c.Op != Eq || c.Field.Each {
			return false
		}
	}
	return true
}

// IsPoint reports whether the plan, for records or a count, is one for Lookup.
func (p *Plan) IsPoint() bool { return p.pointAccess() != nil }

// Lookup reads what a plan finds that is a point, and returns its row; there is
// one if the stats say so. The row's key is valid until the plan is released.
//
// With apart, what is read first may be older than what is read afterwards, each
// being the newest at its time. Then a record that is found by an index is held
// against the index's entry.
//
// Invariant: what Lookup returns is what a transaction would at the moment of the
// last read. Without an entry there is no record, and that is the last read. Else
// the record is the newest; if it has the entry still, nobody else has: it is a
// unique one. If not, or where it is gone, the error is ErrMoved, and only a
// transaction can tell why.
func (p *Plan) Lookup(get Getter, apart bool) (row Row, stats Stats, err error) {
	a, m := p.pointAccess(), p.mem
	var value []byte
	row.Table = p.table
	row.Key, value, m.key, err = p.readPoint(a, get, m.key, apart, &stats)
	if err != nil || row.Key == nil {
		return row, stats, err
	}
	if p.want.Kind == Records {
		if row.Body, _, err = record.OpenBytes(p.table, row.Key, value, nil); err != nil {
			return row, stats, err
		}
		if apart && a.kind == accessUnique && !m.hasEntry(a, row.Body) {
			return row, stats, ErrMoved
		}
	}
	stats.Rows = 1
	return row, stats, nil
}

// readPoint returns the key tuple and the value of the record, where there is one
// and it is wanted: the tuple is nil where there is none, and is part of a store's
// key otherwise, be it in buf's memory, which grown is.
func (p *Plan) readPoint(a *accessPath, get Getter, buf []byte, apart bool, stats *Stats) (tuple, value, grown []byte, err error) {
	prefix, key := p.table.Prefix(0), a.ranges[0].lo
	value, err = getOne(get, key)
	if err != nil || value == nil {
		return nil, nil, buf, err
	}
	if a.kind == accessUnique {
		stats.Entries++
		holder, err := codec.OpenEntry(value, key)
		if err != nil {
			return nil, nil, buf, damage(p, a.c.index.Name, nil, err)
		}
		buf = append(append(buf[:0], prefix...), holder...)
		key = buf
		if p.want.Kind == Count {
			return key[len(prefix):], nil, buf, nil
		}
		switch value, err = getOne(get, key); {
		case err != nil:
			return nil, nil, buf, err
		case value == nil && apart:
			return nil, nil, buf, ErrMoved
		case value == nil:
			return nil, nil, buf, damage(p, a.c.index.Name, holder, errNoRecord)
		}
	}
	stats.Records++
	return key[len(prefix):], value, buf, nil
}

// getOne reads one value, nil where there is none.
func getOne(get Getter, key []byte) ([]byte, error) {
	value, err := get.Get(key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return value, err
}

// damage returns an error about stored bytes as a [record.CorruptError].
func damage(p *Plan, index string, key []byte, err error) error {
	return &record.CorruptError{Table: p.table, Index: index, Tuple: bytes.Clone(key), Err: err}
}

// hasEntry reports whether a record with the body has the entry that a point reads.
func (m *planMemory) hasEntry(a *accessPath, body []byte) bool {
	x := a.c.index
	columns := 0
	for i := range x.Parts {
		columns = max(columns, x.Parts[i].Column+1)
	}
	offs, err := codec.SplitFirst(body, columns, m.offs)
	if err != nil {
		return false
	}
	m.offs, m.tuple = offs, m.tuple[:0]
	for i := range x.Parts {
		part := &x.Parts[i]
		v, err := codec.Select(body[offs[part.Column]:offs[part.Column+1]], part.Path)
		if err == nil {
			m.tuple, err = part.Key.Transcode(m.tuple, v)
		}
		if err != nil {
			return false
		}
	}
	return bytes.Equal(m.tuple, a.ranges[0].lo[len(m.plan.table.Prefix(x.ID)):])
}

// A point is the stream of a point's record.
type point struct {
	r    *Rows
	a    *accessPath
	done bool
}

func (p *point) next(it *item) bool {
	if p.done {
		return false
	}
	p.done = true
	r := p.r
	var tuple, value []byte
	var err error
	tuple, value, r.key, err = r.plan.readPoint(p.a, r.tx, r.key, false, &r.stats)
	if r.fail(err); err != nil || tuple == nil {
		return false
	}
	*it = item{key: tuple, value: value}
	return true
}

func (p *point) close() {}
