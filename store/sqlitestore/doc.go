// Package sqlitestore keeps a store in one file of SQLite's.
package sqlitestore
