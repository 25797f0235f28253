package sqlitestore

// setLock takes a lock that belongs to an open file, and not to the process: it is
// F_OFD_SETLK, which has no name yet in golang.org/x/sys/unix.
const setLock = 90
