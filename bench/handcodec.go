package main

import (
	"encoding/binary"
	"errors"
	"math"
	"time"
	"unsafe"
)

// A record as the stores that are used by hand keep it: a msgpack array of its
// fields in order, written and read without reflection or interfaces, as fast
// as a program that knows its record can.

const recordFields = 9

// errBytes is what bytes that are no record give.
var errBytes = errors.New("not a record")

// encodeRecord appends r.
func encodeRecord(dst []byte, r *Record) []byte {
	dst = append(dst, 0x90|recordFields)
	dst = appendUint(dst, r.ID)
	dst = appendString(dst, r.Email)
	dst = appendString(dst, r.Name)
	dst = appendUint(dst, uint64(r.Age)) // never negative
	dst = appendString(dst, r.City)
	dst = appendUint(dst, r.TeamID)
	dst = appendString(dst, r.Bio)
	dst = appendTime(dst, r.Created)
	dst = append(dst, 0x90|byte(len(r.Tags)))
	for _, t := range r.Tags {
		dst = appendString(dst, t)
	}
	return dst
}

func appendUint(dst []byte, x uint64) []byte {
	switch {
	case x < 1<<7:
		return append(dst, byte(x))
	case x <= math.MaxUint8:
		return append(dst, 0xcc, byte(x))
	case x <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(dst, 0xcd), uint16(x))
	case x <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(dst, 0xce), uint32(x))
	}
	return binary.BigEndian.AppendUint64(append(dst, 0xcf), x)
}

func appendString(dst []byte, s string) []byte {
	switch n := len(s); {
	case n < 32:
		dst = append(dst, 0xa0|byte(n))
	case n <= math.MaxUint8:
		dst = append(dst, 0xd9, byte(n))
	default:
		dst = binary.BigEndian.AppendUint16(append(dst, 0xda), uint16(n))
	}
	return append(dst, s...)
}

// appendTime appends t as msgpack's timestamp of 64 bits.
func appendTime(dst []byte, t time.Time) []byte {
	bits := uint64(t.Nanosecond())<<34 | uint64(t.Unix())
	return binary.BigEndian.AppendUint64(append(dst, 0xd7, 0xff), bits)
}

// decodeRecord reads b into r, whose strings then share b's memory: nobody may
// change b afterwards.
func decodeRecord(b []byte, r *Record) error {
	d := decoder{b: b}
	d.array(recordFields)
	r.ID = d.uint()
	r.Email = d.string()
	r.Name = d.string()
	r.Age = int(d.uint())
	r.City = d.string()
	r.TeamID = d.uint()
	r.Bio = d.string()
	r.Created = d.time()
	r.Tags = make([]string, d.array(-1))
	for i := range r.Tags {
		r.Tags[i] = d.string()
	}
	if d.bad {
		return errBytes
	}
	return nil
}

// nameIn returns the name of the record in b, without reading what comes after.
func nameIn(b []byte) (string, error) {
	d := decoder{b: b}
	d.array(recordFields)
	d.uint()
	d.string()
	name := d.string()
	if d.bad {
		return "", errBytes
	}
	return name, nil
}

// decoder reads values from the front of b until one is bad.
type decoder struct {
	b   []byte
	bad bool
}

// take returns the next n bytes, or n zeros or fewer after a bad value.
func (d *decoder) take(n int) []byte {
	if len(d.b) < n {
		d.bad, d.b = true, nil
		return zeros[:n&15]
	}
	b := d.b[:n:n]
	d.b = d.b[n:]
	return b
}

var zeros [16]byte

// array returns the length of an array that is next, and takes it as bad if
// it is not n, unless n is negative.
func (d *decoder) array(n int) int {
	c := d.take(1)[0]
	got := int(c & 0x0f)
	if c&0xf0 != 0x90 || n >= 0 && got != n {
		d.bad = true
	}
	return got
}

func (d *decoder) uint() uint64 {
	c := d.take(1)[0]
	switch {
	case c < 0x80:
		return uint64(c)
	case c == 0xcc:
		return uint64(d.take(1)[0])
	case c == 0xcd:
		return uint64(binary.BigEndian.Uint16(d.take(2)))
	case c == 0xce:
		return uint64(binary.BigEndian.Uint32(d.take(4)))
	case c == 0xcf:
		return binary.BigEndian.Uint64(d.take(8))
	}
	d.bad = true
	return 0
}

func (d *decoder) string() string {
	c := d.take(1)[0]
	n := 0
	switch {
	case c&0xe0 == 0xa0:
		n = int(c & 0x1f)
	case c == 0xd9:
		n = int(d.take(1)[0])
	case c == 0xda:
		n = int(binary.BigEndian.Uint16(d.take(2)))
	default:
		d.bad = true
	}
	b := d.take(n)
	return unsafe.String(unsafe.SliceData(b), len(b))
}

func (d *decoder) time() time.Time {
	head := d.take(2)
	if head[0] != 0xd7 || head[1] != 0xff {
		d.bad = true
	}
	bits := binary.BigEndian.Uint64(d.take(8))
	return time.Unix(int64(bits&(1<<34-1)), int64(bits>>34)).UTC()
}
