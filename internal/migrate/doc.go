// Package migrate brings a database's catalog, indexes and stored records to the
// record types that a program registers. It works on encoded records alone: the
// types come as models of package schema.
package migrate
