// Package tables is transactions on encoded records: it keeps what a database
// promises of its tables, whatever the records are made from. A record comes as
// bytes, by way of a [Source]; a table is a *schema.Table, with or without a Go
// type; and errors carry key tuples, of which package kivis makes Go values.
//
// [Open] reads the catalog, or writes that of a new database. [DB.Begin] starts
// a [Tx] on the newest version with the schema as of it, and [DB.Write] runs an
// [Operation] in one, again while its own commit conflicts. [Tx.Put],
// [Tx.Modify] and [Tx.Delete] keep indexes, uniqueness and references;
// [Tx.Run] runs a plan of package query.
//
// Read db.go and tx.go first, then put.go for the life of a write, delete.go
// for what a delete brings with it, and catalog.go for how the schema changes.
package tables
