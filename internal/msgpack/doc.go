// Package msgpack has pure functions on bytes for msgpack, the format of a
// record's body: AppendX adds a value to a slice, ConsumeX takes one from the
// front of a slice and returns the rest. They know nothing of Go types and do
// not allocate, except for errors.
//
// Writing always takes the shortest form. Reading accepts every form that can
// hold the value: a number in any width. A ConsumeX that fails returns as rest
// what it was given, so that the caller can tell where the fault lies.
package msgpack

import (
	"errors"
	"fmt"
)

// ErrCorrupt is wrapped by every error of this package.
var ErrCorrupt = errors.New("corrupt data")

// ErrTruncated and ErrRange tell two faults apart; both match [ErrCorrupt].
var (
	ErrTruncated = fmt.Errorf("%w: it ends early", ErrCorrupt)
	ErrRange     = fmt.Errorf("%w: number out of range", ErrCorrupt)
)

// The first bytes of values. Those that are missing here count up from the
// next lower one: cd, ce, cf are uint16, uint32, uint64.
const (
	fixMap   = 0x80
	fixArray = 0x90
	fixStr   = 0xa0
	codeNil  = 0xc0
	never    = 0xc1
	codeF    = 0xc2 // false
	codeT    = 0xc3 // true
	bin8     = 0xc4
	ext8     = 0xc7
	ext32    = 0xc9
	float32c = 0xca
	float64c = 0xcb
	uint8c   = 0xcc
	uint16c  = 0xcd
	uint32c  = 0xce
	uint64c  = 0xcf
	int8c    = 0xd0
	int16c   = 0xd1
	int32c   = 0xd2
	int64c   = 0xd3
	fixExt1  = 0xd4
	fixExt4  = 0xd6
	fixExt8  = 0xd7
	str8     = 0xd9
	array16  = 0xdc
	array32  = 0xdd
	map16    = 0xde
	map32    = 0xdf
	negative = 0xe0
)

// Nil is the encoding of nil.
const Nil = codeNil

// NameOf returns what the value that starts b is, for messages.
func NameOf(b []byte) string {
	if len(b) == 0 {
		return "nothing"
	}
	switch c := b[0]; {
	case c < fixMap, c >= negative, c >= uint8c && c <= int64c:
		return "an integer"
	case c < fixArray, c == map16, c == map32:
		return "a map"
	case c < fixStr, c == array16, c == array32:
		return "an array"
	case c < codeNil, c >= str8 && c <= str8+2:
		return "a string"
	case c == codeNil:
		return "nil"
	case c == codeF, c == codeT:
		return "a bool"
	case c >= bin8 && c <= bin8+2:
		return "bytes"
	case c == float32c, c == float64c:
		return "a float"
	case c == never:
		return "no msgpack"
	}
	return "an extension"
}

// wrong returns the error of a value that is not the one wanted.
func wrong(b []byte, want string) error {
	if len(b) == 0 {
		return ErrTruncated
	}
	return fmt.Errorf("%w: found %s, want %s", ErrCorrupt, NameOf(b), want)
}

// IntTypeOf returns the Go type that the form of the integer that starts b is
// for: "int16", "uint8". A form of one byte is an int8.
func IntTypeOf(b []byte) string {
	switch c := b[0]; {
	case c >= uint8c && c <= uint64c:
		return [...]string{"uint8", "uint16", "uint32", "uint64"}[c-uint8c]
	case c >= int8c && c <= int64c:
		return [...]string{"int8", "int16", "int32", "int64"}[c-int8c]
	}
	return "int8"
}
