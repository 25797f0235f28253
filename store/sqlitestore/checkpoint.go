package sqlitestore

import (
	"github.com/ncruces/go-sqlite3"

	"github.com/kivisdb/kivis/store/occ"
)

// logFile is what the committer knows of the log.
type logFile struct {
	frames int // after the last commit
	due    int // at how many it is written to the file
}

// logStep is after how many frames the log is written to the file; tests have less.
var logStep = 2000

// wrote is called at each commit, with the frames that the log then has: fewer than
// before, once it has begun anew.
func (l *logFile) wrote(_ *sqlite3.Conn, _ string, frames int) error {
	if frames < l.frames {
		l.due = logStep
	}
	l.frames = frames
	return nil
}

// checkpoint writes the log to the file, if it is long enough. Once all of it is
// there, and nobody reads an older version, the next commit begins the log anew;
// until then it grows. So it waits, for as many commits again, for a moment in which
// nobody does. No reader waits: what it has not seen stays in the log for it.
func (s *Store) checkpoint() {
	if s.log.frames < s.log.due || s.failed != nil || s.olds.Load() > 0 && s.log.frames < s.log.due+logStep {
		return
	}
	s.log.due = s.log.frames + logStep
	s.marked = s.toFile() || s.marked
}

// toFile writes what it can of the log to the file, and says whether that was all.
// Where it fails, nothing is lost: the log has it all still.
func (s *Store) toFile() (all bool) {
	s.current.rest()
	defer func() {
		if all {
			s.current.renew()
		}
	}()
	var err error
	defer func() {
		if err != nil {
			s.opts.warn("the log cannot be written to the file, and grows", "file", s.path, "error", err)
		}
	}()
	defer s.caught(s.writer, &err)
	frames, written, err := s.writer.db.WALCheckpoint("main", sqlite3.CHECKPOINT_PASSIVE)
	err = s.engineError("writing the log to the file", err)
	return err == nil && frames == written
}

// mark notes in the file, before the first commit, that it is open: from then on it
// is nothing without its log.
func (s *Store) mark() error {
	if s.marked || s.log.frames > 0 {
		return nil
	}
	if err := s.write(state{version: s.core.Version()}, new(occ.Overlay), nil); err != nil {
		return err
	}
	s.current.renew() // who reads the file as it was would keep the note from it
	s.marked = s.toFile()
	return nil
}
