// Package codec turns Go values into bytes and back: the parts of keys and
// index entries, whose bytes order as the values do, and records, which are
// msgpack. Both follow plans that are compiled once for each type.
//
// # Keys
//
// A key or an index entry is a tuple: the parts of its values, one after the
// other. [KeyTypeOf] and [KeyTypeFor] say how a type is encoded as a part, and
// which types are not. A part comes to be in two ways that agree in each bit:
// [KeyPlan.Append] encodes a Go value, and [KeyType.Transcode] takes the msgpack
// value from a record, with no Go type at hand.
//
// The format has these properties, each held by a test:
//
//   - Order: [bytes.Compare] of two tuples compares their values, part by part.
//   - Self-delimiting: no part begins with another part of its type, so tuples
//     order as their parts do, and no two different tuples share an encoding.
//   - Canonical: values that are equal have one encoding, and decoding refuses
//     all others with [ErrCorrupt].
//   - Nothing to look up: bytes and [KeyType] are enough to read a tuple.
//
// The parts, ascending and exact:
//
//	bool        the integer 0 or 1
//	integers    of all kinds and widths alike, Duration too: one byte, or a byte
//	            that tells sign and length and as few bytes as will do, the
//	            highest first
//	              0 to 111       0x80 + x
//	              from 112       0xEF + n, n bytes of x
//	              -64 to -1      0x80 + x
//	              to -65         0x40 - n, n bytes of x in two's complement
//	floats      of both widths alike: 8 bytes, the bits of a float64 with the
//	            sign bit inverted if it was 0, and all inverted if it was 1;
//	            -0 is 0, and every NaN is FF F8 00 00 00 00 00 00, after +Inf
//	string      its bytes with 00 written as 00 FF, then 00 01
//	[]byte      as a string; nil is empty
//	[N]byte     its N bytes
//	time        5 bytes of seconds since the year 1 in UTC with the top bit set,
//	            4 bytes of nanoseconds; the years 1 to 9999 in UTC
//	struct      the parts of its stored fields in order
//	pointer     00 for nil, or else 01 and the value's part; a nullable as one
//
// A part may descend: then each of its bytes is complemented, a pointer's first
// byte and a whole struct's too. A string may be folded: then it is that of
// [Fold], which is equal where [strings.EqualFold] says so.
//
// A literal, such as a predicate compares with, is an ascending and exact part;
// [KeyType.AppendLiteral] makes of it what an index holds.
//
// In a store, a tuple comes after the ordered integers ([AppendUint]) of its
// table and of its space: 0 for records, 1 and up for indexes. A range of keys
// is half-open; [PrefixEnd] ends the range of a prefix.
//
// # Records
//
// The value of a record is
//
//	01                 the format
//	uvarint            the schema version
//	body               one msgpack value for each field of that version, in order
//	4 bytes            CRC-32C over table id, key tuple, and all of the above
//
// The values are written in the shortest form; a reader takes numbers in any:
//
//	bool, string       as such; a string may hold any bytes
//	integers           as such, Duration too; they must fit what they are read into
//	floats             with their own width, bit for bit
//	[]byte, [N]byte    bin; nil for a nil slice
//	time               msgpack's timestamp extension, the years 1 to 9999
//	pointer            nil, or the value; a pointer to a nil slice or map, which
//	                   would come back as a nil pointer, is refused
//	nullable           as a pointer: a struct that [reflectx.NullableOf] knows
//	slice, array       an array; nil for a nil slice
//	map                a map in the order of the bytes of its encoded keys, which
//	                   are scalars, times, strings, arrays of bytes, or marshal
//	                   themselves; nil for a nil map
//	struct             an array of its stored fields in order
//	any                what github.com/vmihailenco/msgpack writes; see below
//
// Scalars, strings and bytes are stored by kind whatever methods they have, other
// than those of msgpack. Other types with methods of their own are bin if they
// have MarshalBinary, or else a string if they have MarshalText, or MarshalJSON
// where they could not be stored without. Each needs its reverse. What a type
// writes with msgpack's methods is the value if it is one value and not bin;
// else, if it is several or none, the value is bin that holds it. A nil in place
// of any of these is the zero value of the Go type.
//
// Of a value in an any, the kind comes back and not the Go type:
//
//	bool, string            as such, named ones without their name
//	integers                int64, or uint64 where that is too small; Duration too
//	floats                  float32 or float64, as they went in
//	[]byte, [N]byte         []byte, also of named bytes
//	time                    time.Time in UTC
//	slice, array            []any
//	map                     map[string]any, or map[any]any where a key is no string
//	struct                  map[string]any, by the msgpack library's names
//	pointer, nullable       what it points to or holds
//	nil of any kind         nil
//	MarshalBinary or -Text  []byte of what it returns, but for named scalars and bytes
//	msgpack's methods       what they have written, as one of these
//	extension               what the program has registered for it, or else [Raw]
//
// What could not come back is refused when it is written, such as two keys of a
// map that are the same number in two Go types, and keys that are bytes, lists or
// maps.
//
// A type that would come back as less than it was is refused: see [Describe].
//
// At most 1,000 structs may be inside each other. [Encoder] and [Decoder] are
// for Go types; [Split], [Select], [Elements], [Converter] and [Digest] work on
// bodies without. [Layout.Value] and [Layout.AppendValue] make values of bytes
// and bytes of values where there is no Go type, [Layout.AppendJSON] and
// [Layout.AppendFromJSON] do so with JSON, and a [FieldPath] leads to one field.
//
// # Compatibility
//
// Both formats are on disk. A part never changes its form: a new form would be
// a new [Kind]. A number may be widened, since all widths share one form. The
// numbers of kinds are in catalogs and stay as they are.
package codec
