package codec

import "github.com/kivisdb/kivis/reflectx"

// An encodeFunc appends the value at p, which is inside depth structs.
type encodeFunc func(dst []byte, p reflectx.Pointer, depth int) ([]byte, error)

// A decodeFunc takes one value from b and sets the value at p, which is inside
// depth structs, to it. Where it fails, rest starts with what is wrong.
type decodeFunc func(b []byte, p reflectx.Pointer, depth int) (rest []byte, err error)
