module github.com/kivisdb/kivis/studio/browsertest

go 1.26.0

replace (
	github.com/kivisdb/kivis => ../../
	github.com/kivisdb/kivis/studio => ../
)

require (
	github.com/chromedp/cdproto v0.160.1
	github.com/chromedp/chromedp v0.23.0
	github.com/kivisdb/kivis v0.0.0-00010101000000-000000000000
	github.com/kivisdb/kivis/studio v0.0.0-00010101000000-000000000000
)

require (
	github.com/go-json-experiment/json v0.0.0-20260213210345-44df1a37e875 // indirect
	github.com/google/btree v1.1.3 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/klauspost/compress v1.20.4 // indirect
	github.com/vmihailenco/msgpack/v5 v5.4.1 // indirect
	github.com/vmihailenco/tagparser/v2 v2.0.0 // indirect
)
