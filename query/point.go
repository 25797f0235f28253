package query

import (
	"errors"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/store"
)

// A point is the stream of the most common query there is: one record by its
// key, or by a unique index, and nothing else to it.
type point struct {
	r    *Rows
	a    *accessPath
	done bool
}

// pointAccess returns the access path of a plan that a point does, or nil.
func (p *Plan) pointAccess() *accessPath {
	if len(p.reads) != 1 || !p.fetch || p.sort || p.merge || p.offset > 0 || p.value != nil || p.after != nil {
		return nil
	}
	a := p.reads[0]
	if a.kind == accessScan || len(a.ranges) != 1 || len(a.entry)+len(a.filter)+len(a.with) > 0 || a.first != nil {
		return nil
	}
	return a
}

func (p *point) next(it *item) bool {
	if p.done {
		return false
	}
	p.done = true
	key := p.a.ranges[0].lo
	value, ok := p.r.getOne(key)
	switch {
	case !ok:
		return false
	case p.a.kind == accessUnique:
		return p.follow(it, key, value)
	}
	p.r.stats.Records++
	*it = item{key: key[len(p.r.plan.table.Prefix(0)):], value: value}
	return true
}

// follow makes it the record that a unique entry is for.
func (p *point) follow(it *item, entry, value []byte) bool {
	r := p.r
	r.stats.Entries++
	tuple, err := codec.OpenEntry(value, entry)
	if err != nil {
		r.damaged(p.a.c.index.Name, nil, err)
		return false
	}
	prefix := r.plan.table.Prefix(0)
	r.key = append(append(r.key[:0], prefix...), tuple...)
	value, ok := r.getOne(r.key)
	if !ok {
		if r.err == nil {
			r.damaged(p.a.c.index.Name, tuple, errNoRecord)
		}
		return false
	}
	r.stats.Records++
	*it = item{key: r.key[len(prefix):], value: value}
	return true
}

func (p *point) close() {}

// getOne reads one value, and says whether there is one.
func (r *Rows) getOne(key []byte) ([]byte, bool) {
	value, err := r.tx.Get(key)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		r.fail(err)
	}
	return value, err == nil
}
