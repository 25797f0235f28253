package badgerstore

import (
	"fmt"
	"io/fs"
	"os"
	"time"
)

// lockName is the file in which Badger, too, leaves the number of the process
// that holds a directory for writing. It is not what holds it.
const lockName = "LOCK"

// dirCheck knows whether the directory of an open store is still the one that
// was opened. Badger writes by path: once another directory has that path, it
// would write, and delete, there.
type dirCheck struct {
	path  string
	was   os.FileInfo
	rest  time.Duration // for how long a look is good
	until time.Time     // is the last one
}

// dirRest is how long a look at the path is good for a store without syncs,
// whose commits take a hundredth of that. A durable one takes so long that each
// can afford a look.
const dirRest = time.Millisecond

// newDirCheck returns the check of a directory that is there.
func newDirCheck(path string, durable bool) (*dirCheck, error) {
	was, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("badgerstore: %w", err)
	}
	d := &dirCheck{path: path, was: was}
	if !durable {
		d.rest = dirRest
	}
	return d, nil
}

// check returns an error if the directory has gone. The committer calls it.
func (d *dirCheck) check() error {
	if d.rest > 0 {
		now := time.Now()
		if now.Before(d.until) {
			return nil
		}
		d.until = now.Add(d.rest)
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
