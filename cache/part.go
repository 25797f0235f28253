package cache

import (
	"bytes"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/occ"
)

var _ occ.PartSource = (*reader)(nil)

// FillPart implements [occ.PartSource]: with what a layer in memory has, if that is the
// nearest. A scan that it knows whole goes through no other cursor.
func (r *reader) FillPart(dst []occ.Entry, rg store.Range) (filled []occ.Entry, rest store.Range, left bool) {
	if len(r.s.layers) == 0 || r.s.layers[0].mem == nil {
		return dst, rg, true
	}
	return r.s.layers[0].fillPart(dst, rg, r.v.as)
}

// fillPart appends the entries that l has of the beginning of r at a moment to dst, as
// far as there is room. If it ends before, and r has a rest, it returns that and true.
// As with one key, the local store is read without a snapshot: nothing may have been
// forgotten meanwhile, and what was written since ends the part.
func (l *layer) fillPart(dst []occ.Entry, r store.Range, m moment) (filled []occ.Entry, rest store.Range, left bool) {
	if l.off.Load() {
		return dst, r, true
	}
	forgot := l.forgot.Load()
	part, ok := l.known.Load().beginning(r)
	if !ok {
		return dst, r, true
	}
	if filled, ok = l.mem.FillNewest(dst, part); !ok {
		return dst, r, true
	}
	if len(filled) == cap(dst) {
		part = through(part, filled[len(filled)-1].Key())
	}
	now, ok := l.hist.unwritten(part, m)
	if !ok || l.forgot.Load() != forgot {
		clear(filled)
		return dst, r, true
	}
	n := ending(now, filled)
	clear(filled[n:])
	l.handedOut(filled[:n])
	if n == cap(dst) || sameEnd(now, r) {
		return filled[:n], r, false
	}
	return filled[:n], beyond(now, r), true
}

// handedOut counts entries of a scan as asked for: a few more than are looked at, if the
// scan stops early.
func (l *layer) handedOut(entries []occ.Entry) {
	l.hits.Add(1)
	if l.policy == nil || l.bytes.Load() < l.max/2 {
		return
	}
	for _, e := range entries {
		l.policy.asked(e.Key())
	}
}

// through returns the beginning of r, in its direction, up to key, which is in it.
func through(r store.Range, key []byte) store.Range {
	if r.Reverse {
		r.Lo = key
	} else {
		r.Hi = behind(key)
	}
	return r
}

// ending returns how many of entries, which are in the direction of r, are in it.
func ending(r store.Range, entries []occ.Entry) int {
	n := len(entries)
	for ; n > 0; n-- {
		key := entries[n-1].Key()
		if r.Reverse && bytes.Compare(key, r.Lo) >= 0 || !r.Reverse && under(key, r.Hi) {
			break
		}
	}
	return n
}

// sameEnd says whether part, a beginning of r, is all of it.
func sameEnd(part, r store.Range) bool {
	if r.Reverse {
		return bytes.Equal(part.Lo, r.Lo)
	}
	return covers(part.Hi, r.Hi)
}

// beyond returns what comes in r after part, a beginning of it.
func beyond(part, r store.Range) store.Range {
	if r.Reverse {
		r.Hi = part.Lo
	} else {
		r.Lo = part.Hi
	}
	return r
}
