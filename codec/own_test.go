package codec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/big"
	"net"
	"net/netip"
	"reflect"
	"slices"
	"testing"

	"github.com/kivisdb/kivis/reflectx"
)

// rank orders against its number.
type rank uint16

func (r rank) AppendKey(dst []byte) []byte { return binary.BigEndian.AppendUint16(dst, ^uint16(r)) }

func (r *rank) ParseKey(b []byte) error {
	if len(b) != 2 {
		return errors.New("not two bytes")
	}
	*r = rank(^binary.BigEndian.Uint16(b))
	return nil
}

// testOwn compares the parts of values, which are in order and differ, made of Go
// values, of stored ones and of texts.
func testOwn[T any](t *testing.T, same func(a, b T) bool, values ...T) {
	typ := reflect.TypeFor[T]()
	k, err := KeyTypeOf(typ, nil)
	if err != nil || k.Kind != Own {
		t.Fatalf("KeyTypeOf(%v) = %v, %v", typ, k, err)
	}
	for _, desc := range []bool{false, true} {
		k.Desc = desc
		plan, err := CompileKey(typ, nil, k)
		if err != nil {
			t.Fatal(err)
		}
		ty := scalarType(kindOf(typ), typ)
		encode, err := (&encoderCompiler{}).compile(typ, &ty)
		if err != nil {
			t.Fatal(err)
		}
		var parts [][]byte
		for _, v := range values {
			part, err := plan.Append(nil, reflectx.To(&v))
			if err != nil {
				t.Fatal(err)
			}
			parts = append(parts, part)
			stored, err := encode(nil, reflectx.To(&v), 0)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := k.Transcode(nil, stored); err != nil || !bytes.Equal(got, part) {
				t.Errorf("Transcode(%v) = %x, %v; want %x", v, got, err, part)
			}
			var back T
			if rest, err := plan.Decode(append(slices.Clone(part), 7), reflectx.To(&back)); err != nil || len(rest) != 1 || !same(back, v) {
				t.Errorf("Decode of %v = %v, %x, %v", v, back, rest, err)
			}
			if rest, err := k.Skip(append(slices.Clone(part), 7)); err != nil || len(rest) != 1 {
				t.Errorf("Skip of %v leaves %x, %v", v, rest, err)
			}
			testOwnText(t, &k, part)
		}
		sorted := slices.IsSortedFunc(parts, bytes.Compare)
		if desc {
			sorted = slices.IsSortedFunc(parts, func(a, b []byte) int { return bytes.Compare(b, a) })
		}
		if !sorted || len(slices.CompactFunc(parts, bytes.Equal)) != len(values) {
			t.Errorf("the parts of %v are not in order (descending: %v): %x", values, desc, parts)
		}
	}
}

// testOwnText reads the text of a part again, and its value.
func testOwnText(t *testing.T, k *KeyType, part []byte) {
	t.Helper()
	text, rest, err := k.Format(part)
	if err != nil || len(rest) > 0 {
		t.Fatalf("Format(%x) = %q, %x, %v", part, text, rest, err)
	}
	list, err := k.Parse(text)
	if err != nil {
		t.Fatalf("Parse(%s): %v", text, err)
	}
	if got, err := k.AppendValue(nil, nil, nil, list[0]); err != nil || !bytes.Equal(got, part) {
		t.Errorf("the text %s is %x, %v; want %x", text, got, err, part)
	}
	v, _, err := k.Value(part)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := k.AppendValue(nil, nil, nil, v); err != nil || !bytes.Equal(got, part) {
		t.Errorf("the value of %x is %v, which is %x, %v", part, v, got, err)
	}
}

func TestOwn(t *testing.T) {
	var addrs []netip.Addr
	for _, s := range []string{"0.0.0.0", "9.255.0.0", "10.0.0.1", "255.255.255.255", "::", "::1", "::ffff:10.0.0.1", "fe80::1", "fe80::1%a", "fe80::1%eth0", "fe80::2"} {
		addrs = append(addrs, netip.MustParseAddr(s))
	}
	addrs = slices.SortedFunc(slices.Values(append(addrs, netip.Addr{})), netip.Addr.Compare)
	testOwn(t, func(a, b netip.Addr) bool { return a == b }, addrs...)

	var prefixes []netip.Prefix
	var ports []netip.AddrPort
	for _, a := range addrs {
		for _, bits := range []int{0, 8, 31, 100} {
			if p := netip.PrefixFrom(a.WithZone(""), bits); p.IsValid() {
				prefixes = append(prefixes, p)
			}
		}
		ports = append(ports, netip.AddrPortFrom(a, 0), netip.AddrPortFrom(a, 65535), netip.AddrPortFrom(a, 256))
	}
	prefixes = slices.Compact(slices.SortedFunc(slices.Values(append(prefixes, netip.Prefix{})), netip.Prefix.Compare))
	testOwn(t, func(a, b netip.Prefix) bool { return a == b }, prefixes...)
	ports = slices.DeleteFunc(ports, func(p netip.AddrPort) bool { return !p.IsValid() && p.Port() > 0 })
	testOwn(t, func(a, b netip.AddrPort) bool { return a == b }, slices.SortedFunc(slices.Values(ports), netip.AddrPort.Compare)...)

	ips := []net.IP{nil, net.IPv6zero, net.ParseIP("::1"), net.IPv4(9, 0, 0, 1).To4(), net.IPv4(10, 0, 0, 1), net.ParseIP("fe80::1")}
	testOwn(t, net.IP.Equal, ips...)

	var numbers []big.Int
	for _, s := range []string{"-123456789012345678901234567890", "-18446744073709551616", "-256", "-255", "-1", "0", "1", "255", "256", "18446744073709551615", "18446744073709551616"} {
		x, _ := new(big.Int).SetString(s, 10)
		numbers = append(numbers, *x)
	}
	testOwn(t, func(a, b big.Int) bool { return a.Cmp(&b) == 0 }, numbers...)
	testOwn(t, func(a, b rank) bool { return a == b }, 65535, 300, 7, 0)
}

// TestOwnIsOneForm has equal addresses have equal parts.
func TestOwnIsOneForm(t *testing.T) {
	k, _ := KeyTypeOf(reflect.TypeFor[net.IP](), nil)
	plan, err := CompileKey(reflect.TypeFor[net.IP](), nil, k)
	if err != nil {
		t.Fatal(err)
	}
	long, short := net.IPv4(1, 2, 3, 4), net.IPv4(1, 2, 3, 4).To4()
	a, _ := plan.Append(nil, reflectx.To(&long))
	b, _ := plan.Append(nil, reflectx.To(&short))
	if !bytes.Equal(a, b) {
		t.Errorf("one address has the parts %x and %x", a, b)
	}
	bad := net.IP{1, 2, 3}
	if _, err := plan.Append(nil, reflectx.To(&bad)); err == nil {
		t.Error("an address of 3 bytes has a part")
	}
}

// TestOwnGolden has the bytes that are on disk.
func TestOwnGolden(t *testing.T) {
	for _, tt := range []struct {
		value any
		want  string
	}{
		{netip.MustParseAddr("10.0.0.1"), "\x04\x0a\x00\xff\x00\xff\x01\x00\xff\x01\x00\x01"},
		{netip.MustParsePrefix("10.0.0.0/8"), "\x04\x0a\x00\xff\x00\xff\x00\xff\x00\xff\x01\x09\x04\x0a\x00\xff\x00\xff\x00\xff\x00\xff\x01\x00\x01"},
		{netip.MustParseAddrPort("1.2.3.4:80"), "\x04\x01\x02\x03\x04\x00\xff\x01\x00\xffP\x00\x01"},
		{net.IPv4(1, 2, 3, 4).To4(), "\x00\xff\x00\xff\x00\xff\x00\xff\x00\xff\x00\xff\x00\xff\x00\xff\x00\xff\x00\xff\xff\xff\x01\x02\x03\x04\x00\x01"},
		{*big.NewInt(258), "\x02\x82\x01\x02\x00\x01"},
		{*big.NewInt(-1), "\x00\xff\x7e\xfe\x00\x01"},
		{*big.NewInt(0), "\x01\x00\x01"},
	} {
		k, err := KeyTypeOf(reflect.TypeOf(tt.value), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := k.AppendValue(nil, nil, nil, tt.value); err != nil || string(got) != tt.want {
			t.Errorf("%v is %q, %v; want %q", tt.value, got, err, tt.want)
		}
	}
}
