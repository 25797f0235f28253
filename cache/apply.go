package cache

import (
	"context"
	"errors"
	"slices"

	"github.com/kivisdb/kivis/store"
)

// write is what the origin's commits have done to a key in the end.
type write struct {
	key     []byte
	version uint64
	deleted bool
	value   []byte // nil: deleted, or not known
}

// apply takes in what was written up to version, or lets go of it. Nobody reads
// at version before it has returned.
func (l *layer) apply(version uint64, writes []write) {
	l.mu.Lock()
	err := l.applyLocked(version, writes)
	l.mu.Unlock()
	if err != nil {
		l.fail(err)
	}
}

func (l *layer) applyLocked(version uint64, writes []write) error {
	if l.off.Load() {
		l.position.Store(version)
		return nil
	}
	if len(writes) > maxApply {
		if err := l.forgetMany(writes); err != nil {
			return err
		}
		writes = nil
	}
	l.position.Store(version)
	if len(writes) == 0 || len(writes) == 1 && !l.touches(writes[0].key) {
		return l.saveSometimes()
	}
	c, err := l.begin()
	if err != nil {
		return err
	}
	touched := false
	for i := range writes {
		touched = c.write(&writes[i]) || touched
	}
	if !touched && c.err == nil {
		c.tx.Discard()
		return l.saveSometimes()
	}
	l.makeRoom(c, 0)
	return c.commit(nil, nil, false)
}

// maxApply is how many writes are taken in at a time. Of more, a layer lets go,
// some at a time, before it says that it has followed.
const maxApply = 4096

// saveEvery is after how many versions that do not concern a layer its mark is
// written: as many are told again when it is opened after a kill.
const saveEvery = 4096

func (l *layer) saveSometimes() error {
	if l.position.Load() < l.saved+saveEvery {
		return nil
	}
	return l.saveMark(false)
}

// forgetMany forgets the keys of many writes.
func (l *layer) forgetMany(writes []write) error {
	for some := range slices.Chunk(writes, maxApply) {
		c, err := l.begin()
		if err != nil {
			return err
		}
		touched := false
		for i := range some {
			w := write{key: some[i].key}
			touched = c.write(&w) || touched
		}
		c.forgot = true
		if !touched && c.err == nil {
			c.tx.Discard()
			continue
		}
		if err := c.commit(nil, nil, false); err != nil {
			return err
		}
	}
	return nil
}

// touches says whether l knows something of key.
func (l *layer) touches(key []byte) bool {
	if l.known.Load().has(key) {
		return true
	}
	_, err := l.read(key)
	return !errors.Is(err, store.ErrNotFound)
}

// write makes a write of the origin's, and says whether l knew of the key.
func (c *change) write(w *write) bool {
	if c.err != nil {
		return true
	}
	known := c.known().has(w.key)
	old, held := c.held(w.key)
	switch {
	case c.err != nil:
	case !known && !held:
		return false
	case w.deleted:
		c.drop(w.key, old, held)
	case w.value != nil:
		c.replace(w.key, w.value, old, held)
	default:
		c.drop(w.key, old, held)
		if known {
			c.lose(w.key, behind(w.key))
		}
	}
	return true
}

// letGo forgets keys that may have been written.
func (l *layer) letGo(writes []write) {
	if l.off.Load() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	c, err := l.begin()
	if err != nil {
		return // the next call of the local store will say so, too
	}
	for i := range writes {
		c.forget(writes[i].key, behind(writes[i].key))
	}
	c.commit(nil, nil, false)
}

// atOnce is how many keys are deleted in one transaction of a local store.
const atOnce = 1000

// reset has l know nothing, as of a version of an incarnation. Nobody reads at
// that version before it has returned.
func (l *layer) reset(m mark) {
	l.off.Store(true)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forgot.Add(1)
	l.known.Store(newIntervals())
	l.life = m.life
	l.position.Store(m.position)
	l.bytes.Store(0)
	if l.policy != nil {
		l.policy.empty()
	}
	l.resumed, l.hand, l.behind = false, nil, false
	if l.broken = l.clear(); l.broken == nil {
		l.off.Store(false)
	}
	l.saved = 0
	if l.archive || l.pinned() != nil {
		l.wake()
	}
}

// wake has whoever copies look for what is to be copied.
func (l *layer) wake() {
	select {
	case l.lost <- struct{}{}:
	default:
	}
}

// clear deletes what the local store holds. The first transaction has the mark
// say that the layer knows nothing, so that a kill leaves it so.
func (l *layer) clear() error {
	for {
		n, err := l.clearSome()
		if err != nil || n == 0 {
			return err
		}
	}
}

func (l *layer) clearSome() (n int, err error) {
	tx, err := l.local.Begin(context.Background(), true)
	if err != nil {
		return 0, err
	}
	defer tx.Discard()
	if l.keeps {
		if err := tx.Set(markKey, (&mark{}).encode()); err != nil {
			return 0, err
		}
	}
	cur, err := tx.Scan(l.contents())
	if err != nil {
		return 0, err
	}
	defer cur.Close()
	for ; n < atOnce && cur.Next(); n++ {
		if err := tx.Delete(cur.Key()); err != nil {
			return n, err
		}
	}
	if err := cur.Err(); err != nil {
		return n, err
	}
	_, err = tx.Commit()
	return n, err
}

// contents is where the local store holds everything but the mark.
func (l *layer) contents() store.Range {
	if !l.keeps {
		return store.Range{KeysOnly: true}
	}
	return store.Range{Lo: intervalKey, KeysOnly: true}
}
