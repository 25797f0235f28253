module github.com/kivisdb/kivis/store/sqlitestore

go 1.26.0

replace github.com/kivisdb/kivis => ../../

require (
	github.com/kivisdb/kivis v0.0.0-00010101000000-000000000000
	github.com/ncruces/go-sqlite3 v0.37.0
	golang.org/x/sys v0.50.0
)

require (
	github.com/google/btree v1.1.3 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/klauspost/compress v1.20.4 // indirect
	github.com/ncruces/go-sqlite3-wasm/v6 v6.5.35401 // indirect
	github.com/ncruces/julianday v1.0.0 // indirect
	github.com/vmihailenco/msgpack/v5 v5.4.1 // indirect
	github.com/vmihailenco/tagparser/v2 v2.0.0 // indirect
)
