package occ

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/kivisdb/kivis/store"
)

// LogEngine is an [Engine] on a disk that keeps the feed's log: an ordered map
// of its own, beside the user's keys. Its store calls [Core.OpenLog] after Init,
// writes what [Core.LogWrites] returns together with [Core.Writes], and its
// readers are each a [LogReader].
type LogEngine interface {
	Engine

	// CommitLog calls begin as the committer, unless commits are refused, and if
	// that returns true commits a version with nothing in its batch.
	CommitLog(begin func() bool) error
}

// LogReader is a [Reader] that also reads the log, in its version.
type LogReader interface {
	Reader

	// ScanLog calls visit with what the log has in r, in its order, until visit
	// returns false. The bytes are good during the call.
	ScanLog(r store.Range, visit func(key, value []byte) bool) error
}

// feedLog is what the committer knows of the log.
//
// The invariants, of each version that the engine has:
//
//   - Where the log is on, it has all commits after its boundary, each with the
//     version of the one before, so that one that is missing shows.
//   - What is dropped is below the boundary in the same version.
//   - Off, and with nothing left of it, it costs a commit one comparison.
type feedLog struct {
	logState
	newest uint64    // the version of the newest entry, or the boundary
	offset uint64    // of the next entry
	oldest []logMark // the oldest entries there are, as far as they have been looked up
	at     logMark   // where those begin that have not

	wish *logState // what KeepFeed asks for
	next *logNext  // what is being committed

	keeping sync.Mutex // one KeepFeed at a time
}

// logMark is an entry of the log that is still to be deleted.
type logMark struct {
	version uint64
	part    uint32
	time    int64
	offset  uint64
	end     uint64 // the offset of the next
}

// logNext is the log after the commit that is being made.
type logNext struct {
	logState
	newest  uint64
	offset  uint64
	time    int64
	dropped int // of the oldest
}

// How many entries a commit deletes at most, besides twice as many as it adds, or
// with nothing else to do; and what share of a bound is given back at a time.
const (
	logDrops      = 256
	logDropsAlone = 1 << 14
	logSlack      = 16
)

// OpenLog reads the state of the log. Nothing is committed before.
func (c *Core) OpenLog() error {
	tx, err := c.Begin(context.Background(), false)
	if err != nil {
		return err
	}
	defer tx.Discard()
	l := &c.log
	if l.logState, err = tx.logState(); err != nil {
		return err
	}
	l.newest = l.boundary
	marks, err := tx.logMarks(store.Range{Lo: logKey(0, 0), Hi: logEnd, Reverse: true}, 1)
	if err != nil {
		return err
	}
	for _, m := range marks {
		l.newest, l.offset = max(l.newest, m.version), m.end
		c.feed.recent.last = m.time
	}
	l.at = logMark{version: l.from + 1}
	c.boundRecent(l.logState)
	return nil
}

// boundRecent has what is remembered in memory keep the log's bounds, too.
func (c *Core) boundRecent(s logState) {
	if s.on {
		c.feed.recent.bound(s.keep, min(s.max, maxRecent))
	} else {
		c.feed.recent.bound(0, maxRecent)
	}
}

// LogWrites returns what the log is to become in version, in which writes, those
// of the batch, are to be committed: keys with their values, or with nil for those
// to be deleted. The engine writes them together with the batch.
func (c *Core) LogWrites(version uint64, writes *Overlay) ([]store.Change, error) {
	l := &c.log
	l.next = nil
	if !l.on && l.wish == nil && !l.left() {
		return nil, nil
	}
	next := &logNext{logState: l.logState, newest: l.newest, offset: l.offset}
	next.time = max(time.Now().UnixNano(), c.feed.recent.last)
	if l.wish != nil {
		next.become(*l.wish, version)
	}
	changes := next.add(version, writes)
	changes, err := c.dropOldest(changes, next, writes.Len() == 0)
	if err != nil {
		return nil, err
	}
	if next.logState != l.logState {
		changes = append(changes, store.Change{Key: []byte{logStateKey}, Value: next.encode()})
	}
	l.next = next
	return changes, nil
}

// left says whether there may be something to be deleted still.
func (l *feedLog) left() bool { return l.from < l.newest }

// published says that what LogWrites has returned is in the engine, and returns
// the time of the commit.
func (l *feedLog) published() int64 {
	next := l.next
	if next == nil {
		return time.Now().UnixNano()
	}
	l.logState, l.newest, l.offset = next.logState, next.newest, next.offset
	l.oldest = l.oldest[next.dropped:]
	l.next, l.wish = nil, nil
	return next.time
}

// aborted says that nothing of it is in the engine.
func (l *feedLog) aborted() { l.next, l.wish = nil, nil }

// become makes the log one that KeepFeed asks for, in a version.
func (n *logNext) become(s logState, version uint64) {
	if !s.on || !n.on {
		n.boundary = version // what there is of before does not reach to here
	}
	n.on, n.keep, n.max = s.on, s.keep, s.max
}

// add returns the parts of a version, unless that alone is too much.
func (n *logNext) add(version uint64, writes *Overlay) []store.Change {
	if !n.on || writes.Len() == 0 {
		return nil
	}
	changes, size := n.parts(version, writes)
	n.newest = version
	if size > uint64(n.max) {
		n.boundary = version
		return nil
	}
	n.offset += size
	return changes
}

// parts returns the parts of a version and their size, or one that is too much.
func (n *logNext) parts(version uint64, writes *Overlay) (changes []store.Change, size uint64) {
	h := logHead{before: n.newest, time: n.time, offset: n.offset}
	var value, last []byte
	for e := range writes.All() {
		if len(value) >= logPart {
			value[logMore] = 1
			changes, size = appendPart(changes, size, version, value)
			if size > uint64(n.max) {
				return changes, size
			}
			value, last, h.offset = nil, nil, n.offset+size
		}
		if value == nil {
			value = h.append(make([]byte, 0, logRoom(writes)))
		}
		value = appendWrite(value, last, e)
		last = e.Key()
	}
	return appendPart(changes, size, version, value)
}

// logRoom returns about how long a part will be.
func logRoom(writes *Overlay) int { return 64 + min(64*writes.Len(), 2*logPart) }

func appendPart(changes []store.Change, size, version uint64, value []byte) ([]store.Change, uint64) {
	key := logKey(version, uint32(len(changes)))
	value = sealLog(key, value)
	return append(changes, store.Change{Key: key, Value: value}), size + uint64(len(key)+len(value))
}

// dropOldest appends to changes the deletions of what the log is to lose: of more
// at a time, if nothing else is committed.
func (c *Core) dropOldest(changes []store.Change, n *logNext, alone bool) ([]store.Change, error) {
	room := logDrops + 2*len(changes)
	if alone {
		room = logDropsAlone
	}
	for ; room > 0; room-- {
		m, ok, err := c.oldestLogged(n.dropped)
		switch {
		case err == errClosing:
			return changes, nil // another time
		case err != nil:
			return nil, err
		case !ok:
			n.from = max(n.from, c.log.newest)
			return changes, nil
		case m.version > n.boundary && !n.due(m):
			return changes, nil
		}
		changes = append(changes, store.Change{Key: logKey(m.version, m.part)})
		n.boundary = max(n.boundary, m.version)
		n.from = max(n.from, m.version-1) // it may have more parts
		n.dropped++
	}
	return changes, nil
}

// due says whether an entry is beyond the bounds. The first one must be so by
// some more than those that go with it, so that not every commit drops one.
func (n *logNext) due(m logMark) bool {
	total, age := int64(n.offset-m.offset), n.time-m.time
	if n.dropped == 0 {
		return total > n.max || age > int64(n.keep+n.keep/logSlack)
	}
	return total > n.max-n.max/logSlack || age > int64(n.keep)
}

// oldestLogged returns the i-th of the oldest entries in the engine, if there are
// so many.
func (c *Core) oldestLogged(i int) (m logMark, ok bool, err error) {
	l := &c.log
	if i == len(l.oldest) {
		if err := c.lookUpOldest(); err != nil {
			return m, false, err
		}
	}
	if i == len(l.oldest) {
		return m, false, nil
	}
	return l.oldest[i], true, nil
}

var errClosing = errors.New("closing")

// lookUpOldest looks up some more of the oldest entries. The committer calls it:
// what is in the engine is published.
func (c *Core) lookUpOldest() error {
	l := &c.log
	if l.at.version > l.newest {
		return nil
	}
	tx, err := c.Begin(context.Background(), false)
	if err != nil {
		return errClosing
	}
	defer tx.Discard()
	marks, err := tx.logMarks(store.Range{Lo: logKey(l.at.version, l.at.part), Hi: logEnd}, 2*logDrops)
	if err != nil || len(marks) == 0 {
		return err
	}
	last := marks[len(marks)-1]
	l.at = logMark{version: last.version, part: last.part + 1}
	l.oldest = append(slices.Clip(l.oldest), marks...)
	return nil
}
