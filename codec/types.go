package codec

// Kind is what a stored value is, independent of any Go type.
type Kind uint8

// The kinds of stored values. Their numbers are on disk, in the catalog.
const (
	Invalid   Kind = iota
	Bool           // a boolean
	Int            // a signed integer of Bits bits
	Uint           // an unsigned integer of Bits bits
	Float          // a floating-point number of Bits bits
	String         // a string
	Bytes          // a []byte
	ByteArray      // an array of Len bytes
	Time           // an instant, to the nanosecond
	Duration       // a time.Duration: an Int of 64 bits, printed as a duration
	Pointer        // nil, or an Elem
	Slice          // nil, or a list of Elem
	Array          // Len Elems
	Map            // nil, or a map from Key to Elem
	Struct         // the fields Layout.Structs[Struct]
	Binary         // bytes of a type's own MarshalBinary
	Text           // a string of a type's own MarshalText
	Custom         // one msgpack value of a type's own msgpack methods
	Any            // any msgpack value
	JSON           // a string of a type's own MarshalJSON
	Own            // of keys alone: a value in the order of its Go type
	OwnBinary      // of keys alone: the bytes of MarshalBinary, to be compared for equality
	OwnText        // of keys alone: the text of MarshalText, to be compared for equality
)

// Type is the stored type of a value.
type Type struct {
	Kind   Kind
	Bits   uint8  // of Int, Uint, Float
	Len    int    // of ByteArray, Array
	Elem   *Type  // of Pointer, Slice, Array, Map
	Key    *Type  // of Map
	Struct int    // of Struct: index into Layout.Structs
	Name   string // of Binary, Text, Custom and JSON: the Go type, which alone knows what is stored; "" where nobody noted it
}

// Field is one stored field of a record or nested struct.
type Field struct {
	ID   uint32   // from the catalog; 0 where it has not been assigned
	Name string   // the stored name
	Was  []string // the names it had before, by its tag; not stored
	New  bool     // it is none that was, by its tag; not stored
	Type Type
}

// Layout is what one version of a table stores: its fields in order, and the
// nested structs their types refer to by number, so that types may recur.
type Layout struct {
	Fields  []Field
	Structs [][]Field
}

// KeyType is how one part of a key or index is encoded.
type KeyType struct {
	Kind  Kind      // Bool, Int, Uint, Float, String, Bytes, ByteArray, Time, Duration, Struct, Own, OwnBinary or OwnText
	Name  string    // of Own: the Go type, by package path and name
	Len   int       // of ByteArray
	Ptr   bool      // nil is allowed, and sorts first
	Desc  bool      // the part descends
	Fold  bool      // of String: case-folded
	Parts []KeyType // of Struct
}
