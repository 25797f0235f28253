package codec

import (
	"bytes"
	"net/netip"
	"unicode/utf8"
)

// The addresses of net/netip marshal themselves as bytes. In JSON, and in all that is made
// of it, they are texts, as predicates have them.
//
// Invariant: a text is written only where reading it gives the same bytes; and no text of
// an address, which has a period or a colon in it, is base64, in which all else is.

// A netText is the text of a type of addresses.
type netText struct {
	text  func(stored []byte) (s string, ok bool)
	bytes func(s string) (stored []byte, ok bool)
}

// addresses has the types of addresses, by their names.
var addresses = map[string]netText{
	"net/netip.Addr":     addressOf(netip.ParseAddr),
	"net/netip.Prefix":   addressOf(netip.ParsePrefix),
	"net/netip.AddrPort": addressOf(netip.ParseAddrPort),
}

func addressOf[T interface {
	MarshalBinary() ([]byte, error)
	String() string
}, P interface {
	*T
	UnmarshalBinary([]byte) error
}](parse func(string) (T, error)) netText {
	fromText := func(s string) ([]byte, bool) {
		v, err := parse(s)
		if err != nil {
			return nil, false
		}
		b, err := v.MarshalBinary()
		return b, err == nil
	}
	return netText{
		text: func(b []byte) (string, bool) {
			var v T
			if P(&v).UnmarshalBinary(b) != nil {
				return "", false
			}
			s := v.String()
			again, ok := fromText(s)
			return s, ok && bytes.Equal(again, b) && utf8.ValidString(s)
		},
		bytes: fromText,
	}
}

// isAddress reports whether t is a type of addresses.
func (t *Type) isAddress() bool {
	_, ok := addresses[t.Name]
	return ok && t.Kind == Binary
}

// addressText returns the text of a stored value, where t is of addresses and it has one.
func (t *Type) addressText(stored []byte) (string, bool) {
	if !t.isAddress() {
		return "", false
	}
	return addresses[t.Name].text(stored)
}

// addressBytes returns what is stored of an address, where t is of addresses and s one.
func (t *Type) addressBytes(s string) ([]byte, bool) {
	if !t.isAddress() {
		return nil, false
	}
	return addresses[t.Name].bytes(s)
}
