package kivis

import (
	"encoding/hex"
	"fmt"
)

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
