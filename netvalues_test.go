package kivis_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/kivistest"
)

// sorted returns values in their order.
func sorted[T any](compare func(a, b T) int, values ...T) []T {
	slices.SortFunc(values, compare)
	return values
}

func addrs(texts ...string) (list []netip.Addr) {
	for _, s := range texts {
		list = append(list, netip.MustParseAddr(s))
	}
	return append(list, netip.Addr{})
}

func TestAddresses(t *testing.T) {
	list := sorted(netip.Addr.Compare, addrs("10.0.0.1", "0.0.0.0", "255.255.255.255", "9.255.0.0", "::", "::1", "::ffff:10.0.0.1", "fe80::1", "fe80::1%a", "fe80::1%eth0", "fe80::2")...)
	p := positions[netip.Addr]{values: list, exact: true}
	p.run(t)
	runKeys(t, p)
}

func TestIPs(t *testing.T) {
	ips := []net.IP{nil, net.IPv4(10, 0, 0, 1).To4(), net.ParseIP("9.0.0.1"), net.ParseIP("::1"), net.ParseIP("fe80::1"), net.IPv6zero}
	slices.SortFunc(ips, func(a, b net.IP) int { return bytes.Compare(a.To16(), b.To16()) })
	positions[net.IP]{values: ips}.run(t)
}

func TestBigInts(t *testing.T) {
	var list []*big.Int
	for _, s := range []string{"0", "1", "-1", "255", "256", "-255", "-256", "18446744073709551616", "-18446744073709551616", "18446744073709551615", "123456789012345678901234567890"} {
		x, _ := new(big.Int).SetString(s, 10)
		list = append(list, x, new(big.Int).Lsh(x, 40))
	}
	slices.SortFunc(list, (*big.Int).Cmp)
	list = slices.CompactFunc(list, func(a, b *big.Int) bool { return a.Cmp(b) == 0 })
	var values []big.Int
	for _, x := range list {
		values = append(values, *x)
	}
	t.Run("big.Int", func(t *testing.T) { inText(values).run(t) })
}

// inText are positions of big integers, whose text is one of the pointer.
func inText(values []big.Int) positions[big.Int] {
	return positions[big.Int]{values: values, text: func(x big.Int) string { return x.String() }}
}

// host has addresses that are nil, or of equal forms.
type host struct {
	_ struct{} `kivis:"table=hosts,index=both(IP,-Big)"`
	kivis.Auto[host]
	IP   net.IP
	Big  *big.Int            `kivis:"unique"`
	Page url.URL             // without an order
	Link *url.URL            `kivis:"unique"`
	By   map[netip.Addr]bool `kivis:"index,each"`
}

func TestEqualForms(t *testing.T) {
	db := kivistest.New(t, &host{})
	table := kivis.TableOf[host](db)
	ip := kivis.FieldOf(func(h *host) *net.IP { return &h.IP })
	number := kivis.FieldOf(func(h *host) **big.Int { return &h.Big })
	page := kivis.FieldOf(func(h *host) *url.URL { return &h.Page })
	link := kivis.FieldOf(func(h *host) **url.URL { return &h.Link })
	example := url.URL{Scheme: "https", Host: "example.com", Path: "/a"}
	four := must(table.Insert(bg, &host{IP: net.IPv4(1, 2, 3, 4).To4(), Big: big.NewInt(-5), Page: example, Link: &example, By: map[netip.Addr]bool{netip.MustParseAddr("::1"): true}}))(t)
	must(table.Insert(bg, &host{}))(t)
	for i, q := range []kivis.Query[host, kivis.ID[host]]{
		table.Where(ip.Eq(net.ParseIP("1.2.3.4"))),
		table.Where(ip.In(net.IPv4(1, 2, 3, 4).To4())),
		table.WhereText("IP = '1.2.3.4'"),
		table.WhereText("IP = ?", net.ParseIP("::ffff:1.2.3.4")),
		table.WhereText("IP = ?", "1.2.3.4"),
		table.Where(number.Eq(big.NewInt(-5))),
		table.WhereText("Big = -5"),
		table.WhereText("Big = ?", -5),
		table.Where(kivis.Deref(number).Lt(*big.NewInt(0))),
		table.Where(page.Eq(example)),
		table.Where(page.Ne(url.URL{})),
		table.Where(link.In(&example)),
		table.Where(kivis.Deref(link).Eq(example)),
		table.Where(kivis.HasKey(kivis.FieldOf(func(h *host) *map[netip.Addr]bool { return &h.By }), netip.MustParseAddr("::1"))),
	} {
		if got, err := q.One(bg); err != nil || got.ID != four {
			plan, _ := q.Explain()
			t.Errorf("query %d: %v, %v\n%v", i, got.ID, err, plan)
		}
	}
	_, err := table.Insert(bg, &host{Big: big.NewInt(-5)})
	wantErr(t, err, kivis.ErrExists)
	again := example
	_, err = table.Insert(bg, &host{Link: &again})
	wantErr(t, err, kivis.ErrExists)
	_, err = table.Insert(bg, &host{IP: net.IP{1, 2, 3}})
	wantText(t, err, "IP")
	wantText(t, err, "an IP address of 3 bytes")
	_, err = table.Where(ip.Eq(net.IP{1, 2, 3})).Collect(bg)
	wantText(t, err, "an IP address of 3 bytes")
	_, err = table.Where(page.Lt(example)).Collect(bg)
	wantText(t, err, "cannot be compared")
	_, err = table.Query().OrderBy(page.Asc()).Collect(bg)
	wantText(t, err, "cannot be compared")
	_, err = table.WhereText("IP = 'here'").Collect(bg)
	wantText(t, err, "it wants a net.IP")
	mustBeClean(t, db)
}

// TestKeysThatGoCompares refuses keys that would be compared by their addresses.
func TestKeysThatGoCompares(t *testing.T) {
	db := kivistest.New(t)
	type byIP struct {
		IP net.IP `kivis:"key"`
	}
	type byBig struct {
		Big big.Int `kivis:"key"`
	}
	type byPointer struct {
		Big *big.Int `kivis:"key"`
	}
	for _, rec := range []any{&byIP{}, &byBig{}, &byPointer{}} {
		wantText(t, db.Register(rec), "cannot be a key, as Go does not compare it with ==")
	}
}

// A decimal orders by its value, whatever its text is.
type decimal struct{ units, scale int64 }

func (d decimal) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%de-%d", d.units, d.scale), nil
}

func (d *decimal) UnmarshalText(text []byte) error {
	_, err := fmt.Sscanf(string(text), "%de-%d", &d.units, &d.scale)
	return err
}

// AppendKey orders by the value, of up to 9 places.
func (d decimal) AppendKey(dst []byte) []byte {
	value := d.units
	for range 9 - d.scale {
		value *= 10
	}
	return binary.BigEndian.AppendUint64(dst, uint64(value)^1<<63)
}

func (d *decimal) ParseKey(b []byte) error {
	if len(b) != 8 {
		return errors.New("not 8 bytes")
	}
	*d = decimal{int64(binary.BigEndian.Uint64(b) ^ 1<<63), 9}
	for d.scale > 0 && d.units%10 == 0 {
		d.units, d.scale = d.units/10, d.scale-1
	}
	return nil
}

func TestOwnOrder(t *testing.T) {
	p := positions[decimal]{values: []decimal{{-15, 1}, {-1, 0}, {0, 0}, {1, 3}, {1, 1}, {11, 2}, {2, 1}, {2, 0}, {19, 0}}, exact: true}
	p.run(t)
	runKeys(t, p)
}
