// Package pgstore keeps a store in a PostgreSQL server, for any number of
// processes at a time:
//
//	s, err := pgstore.Open(ctx, "postgres://user@host/database?kivis_db=shop", nil)
//
// The URL is PostgreSQL's, with its settings of TLS, of the pool (pool_max_conns)
// and so on; kivis_db names the store, of which there may be several in one database
// of the server. Each has a schema of its own there, kivis_NAME, which Open makes
// and later releases migrate.
//
// A transaction sees one version, and holds nothing at the server meanwhile.
// Versions are kept for [Options].Keep; a transaction that lasts longer gets
// [store.ErrSnapshotTooOld]. A commit is one statement, and one round trip.
// Commits of all processes follow each other, each with the flush of the
// server's log; those of one process that come together are one.
//
// A key may be as long as an entry of an index of PostgreSQL's, about 2,700 bytes
// once it is compressed, a value of some hundred megabytes.
package pgstore
