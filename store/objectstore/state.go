package objectstore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/occ"
)

// state is the local store, and how far it has followed the log. It has room for
// two eras: the one that is shown, and one that is being loaded from a checkpoint.
//
// Its keys begin with one byte: 0 the mark, 2 or 4 an entry of an era, 3 or 5 what
// a writer has committed last. So no database is taken for a state.
type state struct {
	local store.Store

	mu      sync.Mutex
	db      [16]byte
	cur     era
	next    *era      // loaded, and shown once one of its versions is asked for
	pending []*commit // of the log behind next or, without one, cur

	clearing sync.Mutex // held by who clears, or fills, the era that is not shown
}

// era is a set of entries in the local store.
type era struct {
	gen byte
	point
	upto uint64 // what is stored may be of versions up to here, if that is higher
}

// The eras, by the byte that their entries begin with.
const (
	genA = 2
	genB = 4
)

// other returns the era's counterpart.
func (e *era) other() byte { return genA + genB - e.gen }

// whole says whether the era is what it was at its version.
func (e *era) whole() bool { return e.upto <= e.version }

var markKey = []byte{0}

// errForeign is what a local store gets that holds something else.
var errForeign = errors.New("objectstore: Options.State holds something that is no state of a log; it needs a store of its own")

// mark returns what the local store says of itself.
func (s *state) mark(e *era) []byte {
	b := append(beginSeal(nil, magicState), s.db[:]...)
	b = e.point.append(append(b, e.gen))
	return endSeal(binary.BigEndian.AppendUint64(b, e.upto))
}

// openState returns the state in a local store. An empty one is of no store yet.
func openState(local store.Store) (*state, error) {
	s := &state{local: local, cur: era{gen: genA}}
	tx, err := local.Begin(context.Background(), false)
	if err != nil {
		return nil, err
	}
	defer tx.Discard()
	sealed, err := tx.Get(markKey)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return s, checkEmpty(tx)
	case err != nil:
		return nil, err
	case len(sealed) < 8 || string(sealed[:8]) != magicState:
		return nil, errForeign
	}
	body, err := unseal("the state's mark", magicState, sealed)
	if err != nil {
		return nil, err
	}
	f := fields{b: body}
	s.db = f.id()
	s.cur = era{gen: f.byte(), point: f.point(), upto: f.uint64()}
	if f.bad || len(f.b) > 0 || s.cur.gen != genA && s.cur.gen != genB {
		return nil, damaged("the state's mark", "it is malformed")
	}
	return s, nil
}

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

// begin has the state be one of a store at its first version.
func (s *state) begin(db [16]byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.db, s.pending = db, nil
	s.cur = era{gen: s.cur.gen, point: point{version: first, id: db}}
	return s.write(func(tx store.Tx) error { return tx.Set(markKey, s.mark(&s.cur)) })
}

// write makes one transaction of the local store, which nobody else writes to.
func (s *state) write(f func(tx store.Tx) error) error {
	tx, err := s.local.Begin(context.Background(), true)
	if err != nil {
		return err
	}
	defer tx.Discard()
	if err := f(tx); err != nil {
		return err
	}
	_, err = tx.Commit()
	return err
}

// target returns the era that follows the log.
func (s *state) target() *era {
	if s.next != nil {
		return s.next
	}
	return &s.cur
}

// push takes in the next commit of the log, to be applied later.
func (s *state) push(c *commit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending = append(s.pending, c)
}

// advance applies what is pending up to a version, none above which is shown.
func (s *state) advance(version uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.apply(version)
}

func (s *state) apply(version uint64) error {
	n := 0
	for n < len(s.pending) && s.pending[n].version <= version {
		n++
	}
	if n == 0 {
		return nil
	}
	a := applier{state: s, era: s.target()}
	if err := a.apply(s.pending[:n]); err != nil {
		return fmt.Errorf("objectstore: Options.State: %w", err)
	}
	a.era.point = s.pending[n-1].point
	s.pending = append([]*commit(nil), s.pending[n:]...)
	return nil
}

// A transaction of the local store takes about so much.
const (
	applyBytes = 4 << 20
	applyKeys  = 8192
)

// applier writes commits into an era.
type applier struct {
	*state
	era   *era
	tx    store.Tx
	buf   []byte
	keys  int
	bytes int
}

// apply writes commits and then that they are there. Where that takes several
// transactions the first one says so: what is in the store is then of no version
// until the last one.
func (a *applier) apply(list []*commit) (err error) {
	last := list[len(list)-1]
	defer func() {
		if a.tx != nil {
			a.tx.Discard()
		}
	}()
	for _, c := range list {
		for i := range c.changes {
			if err := a.room(last.version); err != nil {
				return err
			}
			if err := a.set(a.era.gen, c.changes[i].Key, c.changes[i].Value); err != nil {
				return err
			}
		}
		if err := a.room(last.version); err != nil {
			return err
		}
		if err := a.set(a.era.gen+1, c.writer[:], c.point.append(nil)); err != nil {
			return err
		}
	}
	done := era{gen: a.era.gen, point: last.point}
	if a.era != a.next { // which the mark is to name when all of it is shown
		if err := a.tx.Set(markKey, a.mark(&done)); err != nil {
			return err
		}
	}
	_, err = a.tx.Commit()
	a.tx = nil
	return err
}

// set writes one key of the local store; a nil value deletes it.
func (a *applier) set(first byte, key, value []byte) error {
	a.buf = append(append(a.buf[:0], first), key...)
	a.keys++
	a.bytes += len(key) + len(value)
	if value == nil {
		return a.tx.Delete(a.buf)
	}
	return a.tx.Set(a.buf, value)
}

// room has a transaction under way that takes more.
func (a *applier) room(upto uint64) (err error) {
	if a.tx != nil && a.keys < applyKeys && a.bytes < applyBytes {
		return nil
	}
	if a.tx != nil {
		if a.era.upto = upto; a.era != a.next {
			if err := a.tx.Set(markKey, a.mark(a.era)); err != nil {
				return err
			}
		}
		if _, err := a.tx.Commit(); err != nil {
			return err
		}
	}
	a.keys, a.bytes = 0, 0
	a.tx, err = a.local.Begin(context.Background(), true)
	return err
}

// snapshot returns a reader of a version, which is the newest that anybody sees.
func (s *state) snapshot(version uint64) (occ.Reader, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next != nil && version >= s.next.version {
		if err := s.adopt(); err != nil {
			return nil, err
		}
	}
	if err := s.apply(version); err != nil {
		return nil, err
	}
	if s.cur.version != version || !s.cur.whole() {
		return nil, fmt.Errorf("objectstore: version %d is being read anew, the one here is %d: %w", version, s.cur.version, store.ErrUnreachable)
	}
	tx, err := s.local.Begin(context.Background(), false)
	if err != nil {
		return nil, err
	}
	return newReader(tx, s.cur.gen), nil
}

// adopt shows the era that was loaded. What the other one held is deleted by and by.
func (s *state) adopt() error {
	if err := s.write(func(tx store.Tx) error { return tx.Set(markKey, s.mark(s.next)) }); err != nil {
		return err
	}
	s.cur, s.next = *s.next, nil
	return nil
}

// position returns the point that is here whole, or false where there is none.
func (s *state) position() (point, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cur.point, s.cur.version >= first && s.cur.whole()
}

// here returns a transaction that sees the entries of an era at a point, for as long
// as it takes, or false where there is no such point just now.
func (s *state) here() (tx store.Tx, e era, ok bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next != nil || s.cur.version < first || !s.cur.whole() {
		return nil, e, false, nil
	}
	tx, err = s.local.Begin(context.Background(), false)
	return tx, s.cur, err == nil, err
}
