// Package pebblestore keeps a store in a directory, by means of Pebble, the engine
// of CockroachDB: a log-structured merge tree.
//
// Take it where there is more data than memory, and where many transactions write
// much for long: it keeps little in memory, opens quickly whatever its size, and
// reads somewhat faster than badgerstore, whose durable commits are level or faster.
// A program gets a good deal bigger by it. For little data that is mostly read,
// boltstore is faster. The figures are in the guide, the benchmark is
// BenchmarkStores of the module bench.
//
// A store is durable unless [Options].NoSync is set: what Commit has returned for
// survives the end of the process and of the machine. Transactions that commit at
// the same time share one batch and one sync. A transaction of any size up to
// [Options].MaxTx is atomic.
//
// One process, through one handle, may hold a directory for writing. Where much is
// written the space of what was deleted comes back by itself; [Store.Compact] gives
// it back at once.
//
// # Errors
//
// Damage in the files is an error that matches [store.ErrCorrupt], at Open or at
// the first read that meets it; after that the store takes no commits. Pebble
// compares a checksum of each block that it reads, but deletes what its list of
// tables does not have, makes a new store where it finds no list, and takes a list
// or a log that ends too early for all there is. So the store notes in a file of
// its own, KIVIS, which lists and logs there are and how each list begins, and
// holds the directory against it before Pebble sees it. The last commit in a log
// that was not closed is an exception: a power failure leaves it torn before
// Commit has returned, and damage to it later looks the same, as does a log that
// has been cut.
//
// Where Pebble would end the process, the store ends instead: every call returns
// [store.ErrCommitUnknown] until it is opened again, as after any commit that
// failed in the engine. A commit that finds too little space on the disk is
// refused with an error that matches [syscall.ENOSPC], before anything is written.
// A store whose directory is removed, renamed or replaced while it is open takes no
// commits; they return an error that matches [io/fs.ErrNotExist]. Close always
// ends: where the engine cannot finish, it returns why, and leaves the files as a
// kill would, which loses nothing.
//
// # Platforms
//
// pebblestore needs a 64-bit Unix; elsewhere Open returns [errors.ErrUnsupported].
package pebblestore
