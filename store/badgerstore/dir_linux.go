package badgerstore

import (
	"os"
	"syscall"
	"time"
)

// dirWatch notices cheaply that nothing has happened to a directory. A rename or
// a removal changes its time of change, as files that come and go do.
type dirWatch struct {
	file  *os.File
	ctime syscall.Timespec
}

// quiet is how long ago a change must be so that another one would have another
// time: that comes from the clock's tick.
const quiet = 50 * time.Millisecond

func (w *dirWatch) open(path string) {
	w.file, _ = os.Open(path) // without it each look is a long one
}

// unchanged says that nothing has happened to the directory since the last call.
func (w *dirWatch) unchanged(now time.Time) bool {
	if w.file == nil {
		return false
	}
	var st syscall.Stat_t
	if err := syscall.Fstat(int(w.file.Fd()), &st); err != nil {
		return false
	}
	same := st.Ctim == w.ctime
	w.ctime = syscall.Timespec{}
	if now.Sub(time.Unix(st.Ctim.Unix())) > quiet {
		w.ctime = st.Ctim
	}
	return same
}

func (w *dirWatch) close() {
	if w.file != nil {
		w.file.Close()
	}
}
