package badgerstore

import (
	"fmt"
	"os"

	"github.com/kivisdb/kivis/store/badgerstore/internal/badgerfile"
)

// currentLog is the log that Badger writes to. Badger numbers logs upwards, and
// looks for room in one before each request, so that a request is in one log as
// a whole, and that one is the newest when the request has been answered.
type currentLog struct {
	dir  string
	fid  int
	next string   // path of the one after it
	file *os.File // nil if Badger syncs, or nobody does
	sync bool
}

// find looks for the current log. It is due at the beginning, and whenever
// requests have passed without a call of moved: logs go, too.
func (l *currentLog) find() error {
	fids, err := badgerfile.ListLogs(l.dir)
	if err != nil {
		return err
	}
	fid := 0
	if len(fids) > 0 {
		fid = fids[len(fids)-1]
	}
	return l.set(fid)
}

func (l *currentLog) set(fid int) (err error) {
	l.fid, l.next = fid, badgerfile.LogPath(l.dir, fid+1)
	if !l.sync {
		return nil
	}
	l.close()
	if l.file, err = os.Open(badgerfile.LogPath(l.dir, fid)); err != nil {
		return fmt.Errorf("badgerstore: %w", err)
	}
	return nil
}

// moved says whether the last request has begun a new log.
func (l *currentLog) moved() (bool, error) {
	if _, err := os.Lstat(l.next); err != nil {
		return false, nil
	}
	return true, l.set(l.fid + 1)
}

// flush makes the last request survive a power failure: what is in the log,
// unless Badger has done that, and the log's entry in its directory, which
// Badger leaves out.
func (l *currentLog) flush() error {
	moved, err := l.moved()
	if err == nil && moved {
		err = syncDir(l.dir)
	}
	if err == nil && l.file != nil {
		err = syncData(l.file)
	}
	return err
}

func (l *currentLog) close() {
	if l.file != nil {
		l.file.Close()
		l.file = nil
	}
}
