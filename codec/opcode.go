package codec

import (
	"reflect"
	"strconv"
)

// An opcode is a kind of field that is encoded and decoded in place, or opFunc.
type opcode uint8

const (
	opFunc opcode = iota
	opInt64
	opUint64
	opString
	opFloat64
	opBool
	opTime
)

// opcodeOf returns the opcode for values of t stored as ty.
func opcodeOf(t reflect.Type, ty *Type) opcode {
	switch ty.Kind {
	case Time:
		return opTime
	case Bool, Int, Uint, Duration, Float, String:
		switch t.Kind() {
		case reflect.Bool:
			return opBool
		case reflect.Int:
			if strconv.IntSize == 64 {
				return opInt64
			}
		case reflect.Int64:
			return opInt64
		case reflect.Uint64:
			return opUint64
		case reflect.String:
			return opString
		case reflect.Float64:
			return opFloat64
		}
	}
	return opFunc
}
