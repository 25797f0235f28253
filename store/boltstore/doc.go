// Package boltstore keeps a store in one file, by means of bbolt: a B+tree that
// is mapped into memory.
//
// Take it for data that fits into memory, or nearly so, and is read much more
// often than it is written: reads are the fastest of all stores on disk, the
// database is one file that a plain copy moves once the store is closed, and it
// needs no maintenance, no cache and no memory of its own. A commit writes whole
// pages and waits for two syncs, so many small commits are better off with
// badgerstore or pebblestore, and the file is several times as big as their tables. The file never shrinks: [Compact] writes it anew.
//
// A store is durable unless [Options].NoSync is set: what Commit has returned
// for survives the end of the process and of the machine. Transactions that
// commit at the same time share the syncs. A transaction of any size up to
// [Options].MaxTx is atomic. Readers never wait for writers, nor writers for
// readers; but the file grows for as long as somebody reads an old version.
//
// One process, through one handle, may hold a file for writing.
//
// # Errors
//
// bbolt has no checksums. So each entry has one, which every read of a value
// compares, and Open and [Store.Verify] read the whole file and check that each of
// its pages has its place: a damaged page number or length would otherwise lead
// bbolt to somewhere else, and on to more damage. Damage is an error that matches
// [store.ErrCorrupt]; a store that has met it takes no commits any more.
//
// The state of a file is in two small pages, written in turn. If one of them is
// damaged and the store was not closed properly, nobody can tell whether the
// newest commit was in it, and the store is refused; opened once with
// Options.NoSync it goes back to what the other page says. A store that has been
// closed has the same state in both.
//
// A commit that finds the disk full, or the file at its limit ([ErrFull]), has
// changed nothing, and later ones go on once there is room; a deletion needs some
// too. After a commit that
// failed otherwise every call returns [store.ErrCommitUnknown] until the store is
// opened again. A store whose file is removed, renamed or replaced while it is
// open takes no commits; they return an error that matches [io/fs.ErrNotExist].
//
// # Platforms
//
// boltstore needs a 64-bit Unix, since it maps far more than the file: on others
// Open returns [errors.ErrUnsupported].
package boltstore
