package codec

import (
	"time"

	"github.com/kivisdb/kivis/internal/msgpack"
)

// AppendZero appends the zero value of the stored type t, whose nested structs
// are in l: nil for pointers, slices and maps, the zeros of its fields for a
// struct, the first instant of the year 1 for a time. For types that marshal
// themselves it is nil too, which their decoders take for the Go type's zero.
func AppendZero(dst []byte, t Type, l *Layout) []byte {
	switch t.Kind {
	case Bool:
		return msgpack.AppendBool(dst, false)
	case Int, Uint, Duration:
		return msgpack.AppendInt(dst, 0)
	case Float:
		if t.Bits == 32 {
			return msgpack.AppendFloat32(dst, 0)
		}
		return msgpack.AppendFloat64(dst, 0)
	case String:
		return msgpack.AppendString(dst, "")
	case ByteArray:
		return msgpack.AppendBytes(dst, make([]byte, t.Len))
	case Time:
		return msgpack.AppendTime(dst, time.Time{})
	case Array:
		dst = msgpack.AppendArrayLen(dst, t.Len)
		for range t.Len {
			dst = AppendZero(dst, *t.Elem, l)
		}
		return dst
	case Struct:
		fields := l.Structs[t.Struct]
		dst = msgpack.AppendArrayLen(dst, len(fields))
		for i := range fields {
			dst = AppendZero(dst, fields[i].Type, l)
		}
		return dst
	}
	return msgpack.AppendNil(dst)
}
