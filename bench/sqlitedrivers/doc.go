// Package sqlitedrivers measures two drivers of SQLite without cgo at the work
// that a store has for them, which is why store/sqlitestore has the one it has. It
// is a module of its own, so that nothing else requires both. Run it with
//
//	go test -run '^$' -bench Drivers -benchtime 1x
package sqlitedrivers
