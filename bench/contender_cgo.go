//go:build cgo

package main

import _ "github.com/mattn/go-sqlite3" // SQLite in C, as the driver "sqlite3"

// cgoSQLite is SQLite itself.
var cgoSQLite = sqliteDriver{"sqlite3", func(name, value string) string {
	return "_" + name + "=" + value
}}

// cgoEntries are the contenders that need a C compiler.
var cgoEntries = []Entry{
	{Name: "gorm-cgo", Title: "GORM, SQLite in C", Field: onDisk, Open: openGORMCgo},
	{Name: "sqlite-cgo", Title: "SQL by hand, SQLite in C", Field: onDisk, Open: openSQLiteCgo},
}

func openGORMCgo(cfg Config) (Contender, error) { return openGORM(cgoSQLite, cfg) }

func openSQLiteCgo(cfg Config) (Contender, error) { return openSQLite(cgoSQLite, cfg) }
