package occ

import (
	"context"
	"time"

	"github.com/kivisdb/kivis/store"
)

// How much of the log is read at a time, whole commits, so that no transaction
// stays open while somebody is told of it.
const (
	logAtOnce      = 256
	logBytesAtOnce = 256 << 10
)

// scanLog reads the log as of tx.
func (tx *Tx) scanLog(r store.Range, visit func(key, value []byte) bool) error {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if err := tx.usable(); err != nil {
		return err
	}
	return tx.reader.(LogReader).ScanLog(r, visit)
}

// logState returns the state of the log. One that has none is off.
func (tx *Tx) logState() (s logState, err error) {
	scanErr := tx.scanLog(store.Range{Lo: []byte{logStateKey}, Hi: []byte{logStateKey, 0}}, func(_, value []byte) bool {
		s, err = decodeState(value)
		return false
	})
	if scanErr != nil {
		return s, scanErr
	}
	return s, err
}

// logMarks returns the first n entries of the log in r.
func (tx *Tx) logMarks(r store.Range, n int) (marks []logMark, err error) {
	scanErr := tx.scanLog(r, func(key, value []byte) bool {
		var m logMark
		if m, err = markOf(key, value); err == nil {
			marks = append(marks, m)
		}
		return err == nil && len(marks) < n
	})
	if scanErr != nil {
		return nil, scanErr
	}
	return marks, err
}

func markOf(key, value []byte) (m logMark, err error) {
	h, _, err := decodeHead(key, value)
	if err != nil {
		return m, err
	}
	m.version, m.part, err = splitLogKey(key)
	m.time, m.offset, m.end = h.time, h.offset, h.offset+uint64(len(key)+len(value))
	return m, err
}

// logged returns the first commits after one, up to head, from the log: what came
// after the versions that are remembered is in it as well.
func (c *Core) logged(ctx context.Context, after, head uint64) ([]store.Commit, error) {
	tx, err := c.Begin(ctx, false)
	if err != nil {
		return nil, err
	}
	defer tx.Discard()
	s, err := tx.logState()
	if err != nil {
		return nil, err
	}
	if !s.on || after < s.boundary {
		return nil, c.gap(after, s)
	}
	in := logCommits{last: after, head: head}
	if err := tx.scanLog(store.Range{Lo: logKey(after+1, 0), Hi: logEnd}, in.visit); err != nil {
		return nil, err
	}
	return in.end()
}

// gap returns the error of a version that nobody remembers.
func (c *Core) gap(after uint64, s logState) error {
	boundary := c.feed.recent.boundary()
	if s.on {
		boundary = min(boundary, s.boundary)
	}
	return &store.GapError{After: after, Boundary: boundary}
}

// logCommits makes commits of the log's entries.
type logCommits struct {
	logDecoder
	last  uint64 // the version before
	head  uint64 // the last one to be told
	list  []store.Commit
	bytes int
	part  uint32 // of the commit that is being read
	more  bool
	err   error
}

// visit takes an entry, and says whether more are wanted.
func (in *logCommits) visit(key, value []byte) bool {
	version, part, err := splitLogKey(key)
	if err != nil || version > in.head {
		in.err = err
		return false
	}
	switch {
	case in.more && (version != in.last || part != in.part):
		in.err = logDamage("lacks part %d of version %d", in.part, in.last)
	case !in.more && part != 0:
		in.err = logDamage("lacks part 0 of version %d", version)
	default:
		in.err = in.take(version, key, value)
	}
	return in.err == nil && (in.more || len(in.list) < logAtOnce && in.bytes < logBytesAtOnce)
}

// take appends an entry to the list.
func (in *logCommits) take(version uint64, key, value []byte) error {
	var writes []store.Write
	if in.more {
		writes = in.list[len(in.list)-1].Writes
	}
	h, writes, err := in.logDecoder.part(key, value, writes)
	switch {
	case err != nil:
		return err
	case in.more:
		in.list[len(in.list)-1].Writes = writes
	case h.before > in.last:
		return logDamage("lacks version %d", h.before)
	default:
		in.list = append(in.list, store.Commit{Version: version, Time: time.Unix(0, h.time), Writes: writes})
	}
	in.last, in.part, in.more = version, in.part+1, h.more
	if !h.more {
		in.part = 0
	}
	in.bytes += len(value)
	return nil
}

// end returns the commits.
func (in *logCommits) end() ([]store.Commit, error) {
	if in.err == nil && in.more {
		in.err = logDamage("lacks part %d of version %d", in.part, in.last)
	}
	if in.err != nil {
		return nil, in.err
	}
	return in.list, nil
}
