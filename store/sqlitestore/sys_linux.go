package sqlitestore

import "golang.org/x/sys/unix"

// setLock takes a lock that belongs to an open file, and not to the process.
const setLock = unix.F_OFD_SETLK
