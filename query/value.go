package query

import (
	"github.com/kivisdb/kivis/codec"
)

// A source is where the value of a field is found in an item.
type source struct {
	from   origin
	part   int   // of an entry, or of the primary key
	desc   bool  // that part descends
	column int   // of a record
	path   []int // below the column
	each   bool  // the value is a list of values
	key    *codec.KeyType
	value  []byte
}

type origin uint8

const (
	fromRecord origin = iota
	fromEntry         // a part of the index's tuple
	fromKey           // a part of the primary key
	fromWhole         // the primary key
	fromConst         // value
)

// source returns where on is found in the items of an access path. Before records
// are fetched, entries is true: then it must be found there.
func (r *Rows) source(a *accessPath, on *operand, entries bool) source {
	s := source{column: on.column, path: on.path, each: on.each, key: &on.key}
	p, ok := a.c.place(r.plan.table, on)
	switch {
	case ok && p.key && p.part < 0:
		s.from = fromWhole
		return s
	case ok && (p.key || entries && a.c.index != nil):
		s.from, s.part, s.desc = fromEntry, p.part, p.desc
		if p.key {
			s.from = fromKey
		}
		return s
	}
	if entries {
		if v, ok := constantOf(a.root, on); ok {
			return source{from: fromConst, value: v}
		}
	}
	r.columns = max(r.columns, on.column+1)
	return s
}

// append appends the item's value of a field as a key part, ascending and
// exact, or folded for a folded field. It returns false on damage.
func (r *Rows) append(dst []byte, s *source, it *item) ([]byte, bool) {
	switch s.from {
	case fromConst:
		return append(dst, s.value...), true
	case fromWhole:
		return append(dst, it.key...), true
	case fromEntry:
		return appendPart(dst, it.entryPart(s.part), s.desc), true
	case fromKey:
		return r.appendKeyPart(dst, s, it)
	}
	raw, ok := r.raw(s, it)
	if !ok {
		return dst, false
	}
	dst, err := s.key.Transcode(dst, raw)
	if err != nil {
		r.damaged("", it.key, err)
		return dst, false
	}
	return dst, true
}

// entryPart returns one part of the item's index entry.
func (it *item) entryPart(i int) []byte {
	from := 0
	if i > 0 {
		from = it.ends[i-1]
	}
	return it.tuple[from:it.ends[i]]
}

func (r *Rows) appendKeyPart(dst []byte, s *source, it *item) ([]byte, bool) {
	parts := r.plan.table.Key.Parts
	rest := it.key
	for i := range s.part + 1 {
		next, err := parts[i].Key.Skip(rest)
		if err != nil {
			r.damaged("", it.key, err)
			return dst, false
		}
		if i == s.part {
			return appendPart(dst, rest[:len(rest)-len(next)], s.desc), true
		}
		rest = next
	}
	return dst, true // unreachable: s.part is one of them
}

// raw returns the stored value of a field of the item's record.
func (r *Rows) raw(s *source, it *item) ([]byte, bool) {
	if !r.open(it) || !r.split(it) {
		return nil, false
	}
	raw := it.body[r.offs[s.column]:r.offs[s.column+1]]
	if len(s.path) == 0 {
		return raw, true
	}
	raw, err := codec.Select(raw, s.path)
	if err != nil {
		r.damaged("", it.key, err)
		return nil, false
	}
	return raw, true
}

// split finds the columns of the item's body that the plan looks at.
func (r *Rows) split(it *item) bool {
	if len(it.body) > 0 && len(r.splitOf) == len(it.body) && &r.splitOf[0] == &it.body[0] {
		return true
	}
	offs, err := codec.SplitFirst(it.body, r.columns, r.offs)
	r.offs, r.splitOf = offs, it.body
	if err != nil {
		r.splitOf = nil
		r.damaged("", it.key, err)
		return false
	}
	return true
}

// A sortKeys makes sort keys: the terms of the order, then the primary key.
type sortKeys struct {
	terms   []source
	descs   []bool
	keyDesc bool
}

// newSortKeys returns what makes sort keys of the items of an access path.
func (r *Rows) newSortKeys(a *accessPath) *sortKeys {
	return r.sortKeysOf(a, a.c.index != nil && !a.fetch)
}

// sortKeysOf is newSortKeys, for entries or for records.
func (r *Rows) sortKeysOf(a *accessPath, entries bool) *sortKeys {
	p := r.plan
	k := &sortKeys{keyDesc: p.keyDesc}
	for _, t := range p.order {
		k.terms = append(k.terms, r.source(a, t.on, entries))
		k.descs = append(k.descs, t.desc)
	}
	return k
}

// append appends the item's sort key. It returns false on damage.
func (k *sortKeys) append(r *Rows, dst []byte, it *item) ([]byte, bool) {
	for i := range k.terms {
		start := len(dst)
		var ok bool
		if dst, ok = r.append(dst, &k.terms[i], it); !ok {
			return dst, false
		}
		if k.descs[i] {
			complement(dst[start:])
		}
	}
	return appendPart(dst, it.key, k.keyDesc), true
}
