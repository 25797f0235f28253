package cache

import (
	"context"
	"errors"
	"fmt"

	"github.com/kivisdb/kivis/store"
)

// load finds what the local store has of an earlier life of the layer. What is
// damaged, or of a format that is not known, is dropped.
func (l *layer) load() error {
	if l.local == nil {
		return errors.New("has no store")
	}
	tx, err := l.local.Begin(context.Background(), false)
	if err != nil {
		return err
	}
	defer tx.Discard()
	sealed, err := tx.Get(markKey)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return checkEmpty(tx)
	case errors.Is(err, store.ErrCorrupt):
		return nil // start resets it, since it has no incarnation
	case err != nil:
		return err
	case !isMark(sealed):
		return errForeign
	}
	if err := l.loadPins(tx); err != nil {
		return err
	}
	m, ok := decodeMark(sealed)
	if !ok {
		return nil
	}
	d, ok := loadIntervals(tx)
	if !ok {
		return nil
	}
	l.known.Store(&d.intervals)
	l.life, l.saved = m.life, m.position
	l.position.Store(m.position)
	l.bytes.Store(m.bytes)
	l.checked = m.checked
	l.resumed = l.policy != nil && m.bytes > 0
	l.loaded = true
	return nil
}

// errForeign is what a store gets that holds something else.
var errForeign = errors.New("the store holds something that is no layer's; a layer needs a store of its own")

// checkEmpty fails if the local store holds keys, which then are not a layer's.
func checkEmpty(tx store.Tx) error {
	c, err := tx.Scan(store.Range{KeysOnly: true})
	if err != nil {
		return err
	}
	defer c.Close()
	if c.Next() {
		return errForeign
	}
	return c.Err()
}

// isMark says whether a value is a layer's mark, of whatever format, even a
// damaged one.
func isMark(sealed []byte) bool {
	n := len(magic) - 1
	return len(sealed) >= n && string(sealed[:n]) == magic[:n]
}

// loadIntervals reads what is known, and says whether all of it is sound.
func loadIntervals(tx store.Tx) (*draft, bool) {
	d := newIntervals().draft()
	c, err := tx.Scan(store.Range{Lo: intervalKey, Hi: entryKey})
	if err != nil {
		return nil, false
	}
	defer c.Close()
	for c.Next() {
		end, err := unseal(c.Key(), c.Value())
		if err != nil {
			return nil, false
		}
		hi, ok := decodeEnd(end)
		if !ok {
			return nil, false
		}
		d.add(append([]byte{}, c.Key()[len(intervalKey):]...), hi)
	}
	return d, c.Err() == nil
}

// catchUp has each layer follow from where it was closed to what tx sees.
func (s *Store) catchUp(tx store.Tx) error {
	for i, l := range s.layers {
		if err := s.catchUpOne(l, tx); err != nil {
			return fmt.Errorf("cache: layer %d, %s: %w", i+1, l.name, err)
		}
		if l.broken != nil {
			return fmt.Errorf("cache: layer %d, %s: %w", i+1, l.name, l.broken)
		}
	}
	return nil
}

func (s *Store) catchUpOne(l *layer, tx store.Tx) error {
	now := mark{life: s.life, position: tx.Version()}
	if l.behind {
		l.behind = false
		l.off.Store(false)
	}
	if !l.keeps {
		l.life = now.life
		l.position.Store(now.position)
		return nil
	}
	if !l.loaded || l.life != now.life || l.position.Load() > now.position {
		l.reset(now)
		return nil
	}
	writes, err := s.written(context.Background(), l.position.Load(), now.position)
	switch {
	case errors.Is(err, store.ErrGap):
		l.reset(now)
		return nil
	case err != nil:
		return err
	}
	if err := s.complete(tx, writes); err != nil {
		return err
	}
	l.apply(now.position, writes)
	return nil
}
