// Package backup writes a snapshot of a database as a file, or what has changed
// since earlier files, and restores such files into an empty store of any kind.
// The file is package backupfile's; here is what the entries in it mean.
//
// A restore verifies all files before it writes. Then it marks the store, copies
// everything but the catalog's header, and at last, in one transaction, writes
// the header and a new incarnation and removes the mark. So a restore that is
// broken off anywhere leaves a store that no release takes for a database.
package backup
