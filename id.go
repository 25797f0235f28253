package kivis

import (
	"encoding/hex"
	"fmt"
	"reflect"
	"strconv"
)

// ID is the auto-increment primary key of the record R. It costs nothing over
// a uint64, compares with ==, is a number in JSON, and is a type of its own for
// each record, so that the id of another record does not compile in its place.
// A field of type ID[T] in another record is a reference to T. Ids start at 1,
// ascend, and are never used again; 0 means not set.
type ID[R any] uint64

// ParseID reads an id in decimal digits, as from the path of a URL.
func ParseID[R any](text string) (ID[R], error) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("kivis: id of %s: %s is not a whole number from 0 to 18446744073709551615", refOf[R](), quoted(text))
	}
	return ID[R](n), nil
}

// RecordType returns R's type. The schema compiler knows an ID by this method.
func (ID[R]) RecordType() reflect.Type { return reflect.TypeFor[R]() }

// MarshalText returns the id in decimal digits.
func (id ID[R]) MarshalText() ([]byte, error) {
	return strconv.AppendUint(nil, uint64(id), 10), nil
}

// UnmarshalText reads decimal digits, as [ParseID] does. After an error the id is
// as it was.
func (id *ID[R]) UnmarshalText(text []byte) error {
	got, err := ParseID[R](string(text))
	if err == nil {
		*id = got
	}
	return err
}

// MarshalJSON returns the id as a number.
func (id ID[R]) MarshalJSON() ([]byte, error) { return id.MarshalText() }

// UnmarshalJSON reads a number, or one in quotes, as the keys of a map are. As of
// other numbers, null changes nothing, and after an error the id is as it was.
func (id *ID[R]) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		return nil
	}
	if n := len(text); n > 2 && text[0] == '"' && text[n-1] == '"' {
		text = text[1 : n-1]
	}
	return id.UnmarshalText(text)
}

// quoted returns s in quotes for a message, cut short where it is long.
func quoted(s string) string {
	const most = 40
	if len(s) > most {
		s = s[:most] + "..."
	}
	return strconv.Quote(s)
}

// Auto gives the record R that embeds it an auto-increment primary key.
type Auto[R any] struct {
	ID ID[R] `json:"id"`
}

// PrimaryKey returns the id. [TableOf] infers the key's type from it.
func (a Auto[R]) PrimaryKey() ID[R] { return a.ID }

// Digest is a SHA-256: the usual type of a content key.
//
//	type Blob struct {
//		Hash kivis.Digest `kivis:"key,content"`
//		Data []byte
//	}
//
// It compares with ==, and is hexadecimal in text and in JSON.
type Digest [32]byte

// ParseDigest reads the 64 hexadecimal digits of a Digest.
func ParseDigest(text string) (d Digest, err error) {
	return d, d.UnmarshalText([]byte(text))
}

// IsZero reports whether the digest is all zeros, which no content has.
func (d Digest) IsZero() bool { return d == Digest{} }

// String returns the digest in 64 hexadecimal digits.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// MarshalText returns the digest in 64 hexadecimal digits.
func (d Digest) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, d[:]), nil }

// UnmarshalText reads 64 hexadecimal digits. After an error d is as it was.
func (d *Digest) UnmarshalText(text []byte) error {
	b, err := hex.AppendDecode(make([]byte, 0, len(d)), text[:min(len(text), 2*len(d)+1)])
	if err != nil || len(text) != 2*len(d) {
		return fmt.Errorf("kivis: digest: %s is not %d hexadecimal digits", quoted(string(text)), 2*len(d))
	}
	copy(d[:], b)
	return nil
}
