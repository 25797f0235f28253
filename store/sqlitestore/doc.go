// Package sqlitestore keeps a store in one file of SQLite's, without cgo.
//
// Take it for a database that is to be a file of SQLite's: SQLite's own programs
// look into it, back it up and copy it, also while it is open. It opens in about a
// millisecond whatever its size, needs little memory, and gets of single records are
// quick. A commit writes whole pages, so where much is written for long badgerstore or
// pebblestore are better off, and where all is read from memory boltstore is quicker.
// The figures are in the guide, the benchmark is BenchmarkStores of the module bench.
// Keys and values are what Kivis makes of records, as blobs: SQL over them says
// little.
//
// A store is durable unless [Options].NoSync is set: what Commit has returned for
// survives the end of the process and of the machine. Transactions that commit at
// the same time share one sync. A transaction of any size up to [Options].MaxTx is
// atomic. Readers never wait for writers, nor writers for readers.
//
// # Files
//
// While a store is open there are two files beside it, of the same name with -wal,
// the log of the newest commits, and with -shm. Close takes the log into the file
// and removes both; a copy of the file alone is a copy of the store only then. After a
// kill the log stays, and belongs to the store. The log is written to the file now
// and then, and grows only for as long as somebody reads an old version. The file
// never shrinks by itself: [Compact] writes it anew.
//
// One process, through one handle, may have a store open for writing. Other programs
// may read the file meanwhile, by means of SQLite: sqlite3 FILE ".backup COPY" or VACUUM
// INTO make a copy that is a store. They must not write to it: Kivis knows nothing of
// it, and finds pages without their checksums.
//
// # Errors
//
// Each page has a checksum, in four bytes that SQLite leaves alone, and each frame
// of the log one that is compared whenever it is read from the disk. Damage is an
// error that matches [store.ErrCorrupt], at Open or at the first read that meets it;
// after that the store takes no commits. [Store.Verify] reads everything that is in use.
// Pages that another program has written into a copy have no checksum until they are
// written anew; in those only the structure is checked, and Kivis checks its records.
//
// A store that was not closed is refused if its log is missing, or if more commits lie
// behind a damaged place in it than the one that a power failure may leave torn:
// opened once with Options.NoSync, it goes back to what there is. The last commit in
// such a log is the exception: damage to it, or a log that was cut, looks the same
// as a power failure before Commit had returned.
//
// A commit that finds the disk full has changed nothing, and returns an error that
// matches [syscall.ENOSPC]; later ones go on once there is room. After a commit that
// failed otherwise every call returns [store.ErrCommitUnknown] until the store is
// opened again. A store whose file is removed, renamed or replaced while it is open,
// or whose log is removed, takes no commits; they return an error that matches
// [io/fs.ErrNotExist]. Close still brings what was in such a log into the file.
//
// # Platforms
//
// sqlitestore needs 64 bits, and Linux or macOS, for locks that belong to an open
// file; elsewhere Open returns [errors.ErrUnsupported].
package sqlitestore
