// Package live follows a database: results that are made again when what they
// have read is written to, and the changes of a table since a position.
//
// # Results
//
// A result is a function of a snapshot. [Follow] runs it in a transaction that
// notes what it reads, and begins to watch that before the transaction ends; see
// [store.Watcher]: the watch marks also what was committed between the snapshot
// and its own beginning. So no commit falls between. There is no queue: while a
// result is being handed on, any number of commits set one mark.
//
// # Changes
//
// The store's feed tells keys; what a record is now is read in a snapshot. [Feed]
// tells each key that has changed since a position once, in the order of the last
// change to each, with the record as of a snapshot in which nothing has changed
// it since. What it tells is relative to what it told before.
package live
