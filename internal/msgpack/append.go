package msgpack

import (
	"encoding/binary"
	"math"
	"time"
)

var be = binary.BigEndian

// AppendNil appends nil.
func AppendNil(b []byte) []byte { return append(b, codeNil) }

// AppendBool appends v.
func AppendBool(b []byte, v bool) []byte {
	if v {
		return append(b, codeT)
	}
	return append(b, codeF)
}

// AppendInt appends v.
func AppendInt(b []byte, v int64) []byte {
	if v >= 0 {
		return AppendUint(b, uint64(v))
	}
	return appendNegative(b, v)
}

func appendNegative(b []byte, v int64) []byte {
	switch {
	case v >= -32:
		return append(b, byte(v))
	case v >= math.MinInt8:
		return append(b, int8c, byte(v))
	case v >= math.MinInt16:
		return be.AppendUint16(append(b, int16c), uint16(v))
	case v >= math.MinInt32:
		return be.AppendUint32(append(b, int32c), uint32(v))
	}
	return be.AppendUint64(append(b, int64c), uint64(v))
}

// AppendUint appends v.
func AppendUint(b []byte, v uint64) []byte {
	if v < fixMap {
		return append(b, byte(v))
	}
	return appendUint(b, v)
}

func appendUint(b []byte, v uint64) []byte {
	switch {
	case v <= math.MaxUint8:
		return append(b, uint8c, byte(v))
	case v <= math.MaxUint16:
		return be.AppendUint16(append(b, uint16c), uint16(v))
	case v <= math.MaxUint32:
		return be.AppendUint32(append(b, uint32c), uint32(v))
	}
	return be.AppendUint64(append(b, uint64c), v)
}

// AppendIntBits appends v in the form for signed integers of 8, 16, 32 or 64
// bits even where a shorter one would do, so that a reader can tell the type.
func AppendIntBits(b []byte, v int64, bits int) []byte {
	switch bits {
	case 8:
		return append(b, int8c, byte(v))
	case 16:
		return be.AppendUint16(append(b, int16c), uint16(v))
	case 32:
		return be.AppendUint32(append(b, int32c), uint32(v))
	}
	return be.AppendUint64(append(b, int64c), uint64(v))
}

// AppendUintBits is [AppendIntBits] for unsigned integers.
func AppendUintBits(b []byte, v uint64, bits int) []byte {
	switch bits {
	case 8:
		return append(b, uint8c, byte(v))
	case 16:
		return be.AppendUint16(append(b, uint16c), uint16(v))
	case 32:
		return be.AppendUint32(append(b, uint32c), uint32(v))
	}
	return be.AppendUint64(append(b, uint64c), v)
}

// AppendFloat32 appends v, bit for bit.
func AppendFloat32(b []byte, v float32) []byte {
	return be.AppendUint32(append(b, float32c), math.Float32bits(v))
}

// AppendFloat64 appends v, bit for bit.
func AppendFloat64(b []byte, v float64) []byte {
	return be.AppendUint64(append(b, float64c), math.Float64bits(v))
}

// AppendString appends the string s, whose bytes need not be UTF-8.
func AppendString(b []byte, s string) []byte {
	if len(s) < 32 {
		return append(append(b, fixStr|byte(len(s))), s...)
	}
	return append(appendLen(b, str8, len(s)), s...)
}

// AppendStringBytes is [AppendString] for bytes.
func AppendStringBytes(b, s []byte) []byte {
	if len(s) < 32 {
		return append(append(b, fixStr|byte(len(s))), s...)
	}
	return append(appendLen(b, str8, len(s)), s...)
}

// AppendBytes appends the bytes v. For nil too it appends bytes, none.
func AppendBytes(b, v []byte) []byte {
	return append(appendLen(b, bin8, len(v)), v...)
}

// appendLen appends n in 8, 16 or 32 bits after the code for that width, of
// which code is the one for 8 bits.
func appendLen(b []byte, code byte, n int) []byte {
	switch {
	case n <= math.MaxUint8:
		return append(b, code, byte(n))
	case n <= math.MaxUint16:
		return be.AppendUint16(append(b, code+1), uint16(n))
	}
	return be.AppendUint32(append(b, code+2), uint32(n))
}

// AppendArrayLen appends the start of an array of n values, which follow.
func AppendArrayLen(b []byte, n int) []byte {
	switch {
	case n < 16:
		return append(b, fixArray|byte(n))
	case n <= math.MaxUint16:
		return be.AppendUint16(append(b, array16), uint16(n))
	}
	return be.AppendUint32(append(b, array32), uint32(n))
}

// AppendMapLen appends the start of a map of n keys and values, which follow
// in turn.
func AppendMapLen(b []byte, n int) []byte {
	switch {
	case n < 16:
		return append(b, fixMap|byte(n))
	case n <= math.MaxUint16:
		return be.AppendUint16(append(b, map16), uint16(n))
	}
	return be.AppendUint32(append(b, map32), uint32(n))
}

// timeExt is the extension type of times.
const timeExt = 0xff

// AppendTime appends the instant t as msgpack's timestamp extension.
func AppendTime(b []byte, t time.Time) []byte {
	sec, ns := uint64(t.Unix()), uint64(t.Nanosecond())
	switch {
	case ns == 0 && sec <= math.MaxUint32:
		return be.AppendUint32(append(b, fixExt4, timeExt), uint32(sec))
	case sec>>34 == 0:
		return be.AppendUint64(append(b, fixExt8, timeExt), ns<<34|sec)
	}
	b = be.AppendUint32(append(b, ext8, 12, timeExt), uint32(ns))
	return be.AppendUint64(b, sec)
}
