package backup

import (
	"bytes"

	"github.com/kivisdb/kivis/store"
)

// side is one of two cursors that go on side by side.
type side struct {
	store.Cursor
	live bool // at an entry
}

// next moves on.
func (s *side) next() error {
	s.live = s.Next()
	return s.Err()
}

// order compares the keys of two sides; the end is behind all keys.
func order(a, b *side) int {
	switch {
	case !b.live:
		return -1
	case !a.live:
		return 1
	}
	return bytes.Compare(a.Key(), b.Key())
}

// increment writes what differs between the snapshot and the earlier backup, by
// reading both.
func (x *writing) increment() error {
	cur, err := x.kv.Scan(store.Range{})
	if err != nil {
		return err
	}
	now, then := side{Cursor: cur}, side{Cursor: x.opts.Since.Scan(store.Range{})}
	defer now.Close()
	defer then.Close()
	if err := now.next(); err != nil {
		return err
	}
	if err := then.next(); err != nil {
		return err
	}
	for now.live || then.live {
		if err := x.compare(&now, &then); err != nil {
			return err
		}
	}
	return nil
}

// compare writes the difference at the first of the two keys, if there is one,
// and moves past it.
func (x *writing) compare(now, then *side) error {
	at := order(now, then)
	if at > 0 {
		if err := x.out.Delete(then.Key()); err != nil {
			return err
		}
		return then.next()
	}
	key, value := now.Key(), now.Value()
	if err := x.read(key, value); err != nil {
		return err
	}
	if at < 0 || !bytes.Equal(value, then.Value()) {
		if err := x.out.Set(key, value); err != nil {
			return err
		}
	}
	if at == 0 {
		if err := then.next(); err != nil {
			return err
		}
	}
	return now.next()
}
