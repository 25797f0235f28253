package main

import "encoding/binary"

// The keys of the stores that are used by hand, in the order of what they
// stand for: a byte for the space, then the fields. An index entry ends in the
// record's ID, but for the unique email's, which has it as value.
const (
	recordSpace = 'r'
	emailSpace  = 'e'
	citySpace   = 'c'
	ageSpace    = 'a'
	teamSpace   = 't'
)

// idBytes is how many bytes an ID takes in a key.
const idBytes = 8

func appendRecordKey(dst []byte, id uint64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, recordSpace), id)
}

func appendEmailKey(dst []byte, email string) []byte {
	return append(append(dst, emailSpace), email...)
}

// appendCityPrefix appends what all entries of the city begin with. No city
// has a NUL.
func appendCityPrefix(dst []byte, city string) []byte {
	return append(append(append(dst, citySpace), city...), 0)
}

// appendAgePrefix appends what all entries of the age begin with. No age is
// negative.
func appendAgePrefix(dst []byte, age int) []byte {
	return binary.BigEndian.AppendUint32(append(dst, ageSpace), uint32(age))
}

func appendTeamPrefix(dst []byte, team uint64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, teamSpace), team)
}

func appendID(dst []byte, id uint64) []byte {
	return binary.BigEndian.AppendUint64(dst, id)
}

// idOf returns the ID that an index entry ends in.
func idOf(key []byte) uint64 {
	return binary.BigEndian.Uint64(key[len(key)-idBytes:])
}

// handKeys are the keys of a record and of its index entries, all in one piece
// of memory.
type handKeys struct {
	record, email, city, age, team []byte
}

// keysOf returns the keys of r in new memory.
func keysOf(r *Record) handKeys {
	b := make([]byte, 0, len(r.Email)+len(r.City)+64)
	cut := func(from int) []byte { return b[from:len(b):len(b)] }
	var k handKeys
	b = appendRecordKey(b, r.ID)
	k.record = cut(0)
	at := len(b)
	b = appendEmailKey(b, r.Email)
	k.email, at = cut(at), len(b)
	b = appendID(appendCityPrefix(b, r.City), r.ID)
	k.city, at = cut(at), len(b)
	b = appendID(appendAgePrefix(b, r.Age), r.ID)
	k.age, at = cut(at), len(b)
	b = appendID(appendTeamPrefix(b, r.TeamID), r.ID)
	k.team = cut(at)
	return k
}

// id returns the ID as it stands in the keys.
func (k *handKeys) id() []byte { return k.record[1:] }
