package codec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"reflect"

	"github.com/kivisdb/kivis/internal/msgpack"
	"github.com/kivisdb/kivis/reflectx"
)

// builtins are the forms of types of the standard library, which need no Go type
// of the program's.
var builtins = []*form{
	known(appendAddr, parseAddr, netip.Addr.String, orZero(netip.Addr.String, netip.ParseAddr), storedBinary[netip.Addr]),
	known(appendPrefix, parsePrefix, netip.Prefix.String, orZero(netip.Prefix.String, netip.ParsePrefix), storedBinary[netip.Prefix]),
	known(appendAddrPort, parseAddrPort, netip.AddrPort.String, orZero(netip.AddrPort.String, netip.ParseAddrPort), storedBinary[netip.AddrPort]),
	known(appendIP, parseIP, net.IP.String, textIP, storedIP),
	known(appendBigInt, parseBigInt, func(x big.Int) string { return x.String() }, textBig, storedBig),
}

// known returns the form of a type T.
func known[T any](toKey func([]byte, T) ([]byte, error), fromKey func([]byte) (T, error), text func(T) string,
	fromText func(string) (T, error), stored func([]byte) (T, error)) *form {
	t := reflect.TypeFor[T]()
	return &form{
		name: t.PkgPath() + "." + t.Name(), typ: t,
		append: func(dst []byte, p reflectx.Pointer) ([]byte, error) { return toKey(dst, *reflectx.Ref[T](p)) },
		parse: func(b []byte, p reflectx.Pointer) (err error) {
			if *reflectx.Ref[T](p), err = fromKey(b); err != nil {
				return errBadKey
			}
			return nil
		},
		stored: func(dst, value []byte) ([]byte, error) {
			v, err := stored(value)
			if err != nil {
				return dst, err
			}
			return toKey(dst, v)
		},
		text: func(b []byte) (string, error) {
			v, err := fromKey(b)
			if err != nil {
				return "", errBadKey
			}
			return text(v), nil
		},
		fromText: func(s string) ([]byte, error) {
			v, err := fromText(s)
			if err != nil {
				return nil, err
			}
			return toKey(nil, v)
		},
	}
}

// orZero returns parse, which also reads the text that the zero value has.
func orZero[T any](text func(T) string, parse func(string) (T, error)) func(string) (T, error) {
	return func(s string) (v T, err error) {
		if s == text(v) {
			return v, nil
		}
		return parse(s)
	}
}

var errOwnKey = errors.New("not of this form")

// storedBinary reads a value that its type marshals as bytes.
func storedBinary[T any, P interface {
	*T
	UnmarshalBinary([]byte) error
}](value []byte) (v T, err error) {
	if msgpack.IsNil(value) {
		return v, nil
	}
	b, _, err := msgpack.ConsumeBytes(value)
	if err == nil {
		err = P(&v).UnmarshalBinary(b)
	}
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return v, err
}

// Addresses: how many bytes there are, these, and the zone as a string is in a
// key. So they order as [netip.Addr.Compare] has it.
func appendAddr(dst []byte, a netip.Addr) ([]byte, error) {
	b := a.AsSlice()
	return AppendString(append(append(dst, byte(len(b))), b...), a.Zone()), nil
}

func parseAddr(b []byte) (netip.Addr, error) {
	a, rest, err := cutAddr(b)
	if err == nil && len(rest) > 0 {
		err = errOwnKey
	}
	return a, err
}

// cutAddr returns the address at the start of b, and what follows it.
func cutAddr(b []byte) (a netip.Addr, rest []byte, err error) {
	if len(b) == 0 || len(b) < 1+int(b[0]) {
		return a, nil, errOwnKey
	}
	n := 1 + int(b[0])
	a, ok := netip.AddrFromSlice(b[1:n])
	end, escapes, size := readString(b[n:], 0)
	if size == 0 || !ok && n > 1 || end > 0 && !a.Is6() {
		return a, nil, errOwnKey
	}
	if end > 0 {
		a = a.WithZone(string(appendText(nil, b[n:n+end], escapes, 0)))
	}
	return a, b[n+size:], nil
}

// Prefixes: the masked address, the bits, the address, as [netip.Prefix.Compare]
// has it; one that is not valid has no bits, and comes first.
func appendPrefix(dst []byte, p netip.Prefix) ([]byte, error) {
	dst, _ = appendAddr(dst, p.Masked().Addr())
	return appendAddr(append(dst, byte(p.Bits()+1)), p.Addr())
}

func parsePrefix(b []byte) (p netip.Prefix, err error) {
	_, rest, err := cutAddr(b)
	if err != nil || len(rest) == 0 {
		return p, errOwnKey
	}
	a, err := parseAddr(rest[1:])
	if err != nil {
		return p, err
	}
	return netip.PrefixFrom(a, int(rest[0])-1), nil
}

// An address with a port: one after the other.
func appendAddrPort(dst []byte, a netip.AddrPort) ([]byte, error) {
	dst, _ = appendAddr(dst, a.Addr())
	return binary.BigEndian.AppendUint16(dst, a.Port()), nil
}

func parseAddrPort(b []byte) (a netip.AddrPort, err error) {
	addr, rest, err := cutAddr(b)
	if err != nil || len(rest) != 2 {
		return a, errOwnKey
	}
	return netip.AddrPortFrom(addr, binary.BigEndian.Uint16(rest)), nil
}

// An IP: its 16 bytes, so that one address has one form; nil and empty have none.
func appendIP(dst []byte, ip net.IP) ([]byte, error) {
	switch len(ip) {
	case 0, net.IPv4len, net.IPv6len:
		return append(dst, ip.To16()...), nil
	}
	return dst, fmt.Errorf("an IP address of %d bytes: it wants 4 or 16, or none", len(ip))
}

func parseIP(b []byte) (net.IP, error) {
	if len(b) != 0 && len(b) != net.IPv6len {
		return nil, errOwnKey
	}
	return append(net.IP(nil), b...), nil
}

func textIP(s string) (net.IP, error) {
	if s == net.IP(nil).String() {
		return nil, nil
	}
	if ip := net.ParseIP(s); ip != nil {
		return ip, nil
	}
	return nil, fmt.Errorf("%q is no IP address", cutText(s, maxShown))
}

func storedIP(value []byte) (net.IP, error) {
	if msgpack.IsNil(value) {
		return nil, nil
	}
	b, _, err := msgpack.ConsumeBytes(value)
	return b, err
}

// Big integers: the sign, as 0, 1 or 2, how many bytes there are, and these; less
// than 0, all of it but the sign is complemented.
func appendBigInt(dst []byte, x big.Int) ([]byte, error) {
	dst = append(dst, byte(1+x.Sign()))
	if x.Sign() == 0 {
		return dst, nil
	}
	start := len(dst)
	b := x.Bytes()
	dst = append(AppendUint(dst, uint64(len(b))), b...)
	if x.Sign() < 0 {
		complement(dst, start)
	}
	return dst, nil
}

func parseBigInt(b []byte) (x big.Int, err error) {
	if len(b) == 0 || b[0] > 2 || b[0] == 1 && len(b) > 1 {
		return x, errOwnKey
	}
	if b[0] == 1 {
		return x, nil
	}
	digits := append([]byte(nil), b[1:]...)
	if b[0] == 0 {
		complement(digits, 0)
	}
	size, neg, n := readInt(digits, 0)
	if n == 0 || neg || size == 0 || uint64(len(digits)-n) != size || digits[n] == 0 {
		return x, errOwnKey
	}
	x.SetBytes(digits[n:])
	if b[0] == 0 {
		x.Neg(&x)
	}
	return x, nil
}

func textBig(s string) (x big.Int, err error) {
	if _, ok := x.SetString(s, 10); !ok {
		return x, fmt.Errorf("%q is no integer", cutText(s, maxShown))
	}
	return x, nil
}

func storedBig(value []byte) (x big.Int, err error) {
	if msgpack.IsNil(value) {
		return x, nil
	}
	b, _, err := msgpack.ConsumeString(value)
	if err == nil {
		if _, ok := x.SetString(string(b), 10); !ok {
			err = fmt.Errorf("%w: not an integer", ErrCorrupt)
		}
	}
	return x, err
}
