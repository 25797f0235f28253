package badgerstore

import (
	"fmt"
	"io/fs"
	"os"
	"time"
)

// dirCheck knows whether the directory of an open store is still the one that
// was opened. Badger writes by path: once another directory has that path, it
// would write, and delete, there.
type dirCheck struct {
	path  string
	was   os.FileInfo
	watch dirWatch
	until time.Time // when the path is looked at in any case
	each  bool      // look at the path each time
}

// dirInterval is how long it may take until a directory further up is noticed
// to be renamed, where a look at the path at each commit would show.
const dirInterval = 100 * time.Millisecond

// newDirCheck returns the check of a directory that is there. A durable commit
// takes so long that each can afford to look at the path.
func newDirCheck(path string, durable bool) (*dirCheck, error) {
	was, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("badgerstore: %w", err)
	}
	d := &dirCheck{path: path, was: was, each: durable}
	if !durable {
		d.watch.open(path)
	}
	return d, nil
}

// check returns an error if the directory has gone. The committer calls it.
func (d *dirCheck) check() error {
	if !d.each {
		now := time.Now()
		if now.Before(d.until) && d.watch.unchanged(now) {
			return nil
		}
		d.until = now.Add(dirInterval)
	}
	return d.gone()
}

// gone looks at the path, and returns an error if another directory, or none,
// is there. It is safe for concurrent use.
func (d *dirCheck) gone() error {
	now, err := os.Stat(d.path)
	if err == nil && os.SameFile(now, d.was) {
		return nil
	}
	what := "has been removed or renamed"
	if err == nil {
		what = "has been replaced by another one"
	}
	return fmt.Errorf("badgerstore: the directory %s %s since it was opened; nothing is written any more: %w", d.path, what, fs.ErrNotExist)
}

// replaced says whether something else has the path now.
func (d *dirCheck) replaced() bool {
	now, err := os.Stat(d.path)
	return err == nil && !os.SameFile(now, d.was)
}

func (d *dirCheck) close() { d.watch.close() }
