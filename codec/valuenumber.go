package codec

import (
	"encoding/json"
	"fmt"
	"math"
	"math/bits"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// An integer is one of 65 bits: two's complement where it is negative.
type integer struct {
	bits     uint64
	negative bool
}

// integerOf returns v, a number of any Go type, as an integer, and whether it
// is one: a float with a fraction is not.
func integerOf(v any) (integer, bool) {
	if n, ok := v.(json.Number); ok {
		return parseInteger(string(n))
	}
	switch r := reflect.ValueOf(v); {
	case r.CanInt():
		return integer{uint64(r.Int()), r.Int() < 0}, true
	case r.CanUint():
		return integer{r.Uint(), false}, true
	case r.CanFloat():
		return wholeFloat(r.Float())
	}
	return integer{}, false
}

// parseInteger reads an integer as JSON writes numbers: 5, but also 5.0 and 5e3,
// where a float of 64 bits is exact.
func parseInteger(text string) (integer, bool) {
	if u, err := strconv.ParseUint(text, 10, 64); err == nil {
		return integer{u, false}, true
	}
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return integer{uint64(i), i < 0}, true
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.Abs(f) >= 1<<53 {
		return integer{}, false
	}
	return wholeFloat(f)
}

func wholeFloat(f float64) (integer, bool) {
	switch {
	case f != math.Trunc(f): // NaN too
		return integer{}, false
	case f >= 0 && f < 1<<64:
		return integer{uint64(f), false}, true
	case f < 0 && f >= -1<<63:
		return integer{uint64(int64(f)), true}, true
	}
	return integer{}, false
}

// int returns n as an integer of so many bits, and whether it is one.
func (n integer) int(bits uint8) (int64, bool) {
	v, shift := int64(n.bits), 64-bits
	return v, v<<shift>>shift == v && n.negative == (v < 0)
}

// uint returns n as an unsigned integer of so many bits, and whether it is one.
func (n integer) uint(bits uint8) (uint64, bool) {
	shift := 64 - bits
	return n.bits, n.bits<<shift>>shift == n.bits && !n.negative
}

// floatOf returns v, a number of any Go type, as a float, and whether it is
// one. Integers must be exact. A float of 32 bits is the nearest, and must not
// be too large.
func floatOf(v any, bits uint8) (float64, bool) {
	if n, ok := v.(json.Number); ok {
		f, err := strconv.ParseFloat(string(n), int(bits))
		return f, err == nil && !math.IsInf(f, 0) && f == f
	}
	r := reflect.ValueOf(v)
	if r.CanFloat() {
		f := r.Float()
		return f, bits == 64 || math.IsInf(f, 0) || !math.IsInf(float64(float32(f)), 0)
	}
	n, ok := integerOf(v)
	if !ok {
		return 0, false
	}
	f := float64(n.bits)
	if n.negative {
		f = float64(int64(n.bits))
	}
	if bits == 32 {
		f = float64(float32(f))
	}
	back, ok := wholeFloat(f)
	return f, ok && back == n
}

// durationOf returns v, a duration, an integer of nanoseconds, or a text such
// as 1h30m, as a duration.
func durationOf(v any) (time.Duration, bool) {
	if s, ok := v.(string); ok {
		d, err := time.ParseDuration(s)
		return d, err == nil && isWholeNanos(s)
	}
	n, ok := integerOf(v)
	if !ok {
		return 0, false
	}
	d, ok := n.int(64)
	return time.Duration(d), ok
}

// isWholeNanos reports whether s, which [time.ParseDuration] reads, is a number of
// whole nanoseconds: that function drops what is finer.
func isWholeNanos(s string) bool {
	for {
		i := strings.IndexByte(s, '.')
		if i < 0 {
			return true
		}
		s = s[i+1:]
		digits := s[:len(s)-len(strings.TrimLeft(s, "0123456789"))]
		s = s[len(digits):]
		unit, _ := time.ParseDuration("1" + s[:len(s)-len(strings.TrimLeft(s, "nuµμmsh"))])
		if !isWholePart(strings.TrimRight(digits, "0"), uint64(unit)) {
			return false
		}
	}
}

// isWholePart reports whether 0.digits of unit is whole.
func isWholePart(digits string, unit uint64) bool {
	if len(digits) > 13 {
		return false // an hour has 36e11 nanoseconds
	}
	part, pow := uint64(0), uint64(1)
	for _, c := range digits {
		part, pow = 10*part+uint64(c-'0'), 10*pow
	}
	high, low := bits.Mul64(part, unit)
	return bits.Rem64(high, low, pow) == 0
}

// timeOf returns v, a time or a text as [parseTime] reads it, as a time.
func timeOf(v any) (time.Time, error) {
	switch v := v.(type) {
	case time.Time:
		return v, nil
	case string:
		return parseTime(v)
	}
	want := reflect.TypeFor[time.Time]()
	if r := reflect.ValueOf(v); r.IsValid() && r.Kind() == reflect.Struct && r.CanConvert(want) {
		return r.Convert(want).Interface().(time.Time), nil
	}
	return time.Time{}, (&Type{Kind: Time}).refuse(v)
}

// parseTime reads a time of RFC 3339 with up to nine digits of the second.
func parseTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return t, fmt.Errorf("it wants a time such as 2006-01-02T15:04:05.999999999Z, not %s", showValue(s))
	}
	if finerThanNano(s) {
		return t, fmt.Errorf("the time %s is finer than a nanosecond", cutText(s, maxShown))
	}
	return t, nil
}

// finerThanNano reports whether s, a time of RFC 3339, has a digit that is not
// zero after the ninth of its second: package time drops those.
func finerThanNano(s string) bool {
	digits := 0
	for i := len("2006-01-02T15:04:05."); i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
		if digits++; digits > 9 && s[i] != '0' {
			return true
		}
	}
	return false
}
