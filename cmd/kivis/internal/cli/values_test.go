package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"net"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/cmd/kivis/internal/place"
)

// A Value has a field of each sort that a record may have.
type Value struct {
	_        struct{} `kivis:"table=values"`
	ID       [16]byte `kivis:"key,auto"`
	Name     string   `kivis:"unique"`
	Pointer  *string
	Bytes    []byte
	Yes      bool
	Tiny     int8
	Big      int64
	Huge     uint64
	Single   float32
	Double   float64
	Took     time.Duration
	At       time.Time
	AtOnce   *time.Time
	Addr     netip.Addr
	Prefix   netip.Prefix
	AddrPort netip.AddrPort
	IP       net.IP
	Int      big.Int
	IntAt    *big.Int
	Price    price
	PriceAt  *price
	Colour   colour
	Level    level
	Maybe    sql.Null[int64]
	MaybeNot sql.NullString
	Sum      kivis.Digest
	Other    *uint64
	Raw      json.RawMessage
	Names    []string
	Pointers []*int
	Lines    []Runway
	Counts   map[string]int
	ByNumber map[int32]Runway
	ByAddr   map[netip.Addr][]string
	Three    [3]int16
	Inside   Runway
	InsideAt *Runway
	Free     any
}

// A price is a decimal number, exact as a text.
type price struct{ cents int64 }

func (p price) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%d.%02d", p.cents/100, p.cents%100), nil
}

func (p *price) UnmarshalText(b []byte) (err error) {
	p.cents, err = strconv.ParseInt(strings.Replace(string(b), ".", "", 1), 10, 64)
	return err
}

// A colour is an enum with a text for each value, a level one that is shown as a
// text.
type (
	colour int
	level  uint8
)

func (c colour) MarshalText() ([]byte, error) { return []byte([]string{"red", "green"}[c]), nil }

func (c *colour) UnmarshalText(b []byte) error {
	*c = colour(bytes.Index([]byte("r g"), b[:1]) / 2)
	return nil
}

func (l level) String() string { return "level " + strconv.Itoa(int(l)) }

// values are records with all there is in them, with nothing, and with what is
// empty and not nil.
func values() []*Value {
	text, n, id := `\N`, -7, uint64(1<<63)
	east := time.FixedZone("east", 5*3600+1800)
	at := time.Date(2026, 3, 29, 2, 30, 0, 123456789, east)
	full := &Value{
		Name: "full", Pointer: &text, Bytes: []byte{0, 255, '\n'}, Yes: true, Tiny: -128, Big: math.MinInt64, Huge: math.MaxUint64,
		Single: float32(math.Inf(-1)), Double: math.NaN(), Took: -90*time.Minute - 1, At: at, AtOnce: &at,
		Addr: netip.MustParseAddr("fe80::1%eth0"), Prefix: netip.MustParsePrefix("10.1.0.0/16"), AddrPort: netip.MustParseAddrPort("[::1]:80"),
		IP: net.ParseIP("192.0.2.1"), IntAt: new(big.Int).Lsh(big.NewInt(-3), 200), Price: price{1999}, PriceAt: &price{5}, Colour: 1, Level: 200,
		Maybe: sql.Null[int64]{V: 0, Valid: true}, MaybeNot: sql.NullString{String: "", Valid: true}, Sum: sha256.Sum256(nil), Other: &id, Raw: json.RawMessage(`{"a":[1,null]}`),
		Names: []string{"", `\N`, "a,\"b\"\r\n"}, Pointers: []*int{nil, &n}, Lines: []Runway{{"x", 1}, {}}, Counts: map[string]int{"": 0, "b": -1},
		ByNumber: map[int32]Runway{-5: {"five", 5}}, ByAddr: map[netip.Addr][]string{netip.MustParseAddr("::1"): {}, netip.MustParseAddr("1.2.3.4"): nil},
		Three: [3]int16{1, -2, 3}, Inside: Runway{"in", 1 << 60}, InsideAt: &Runway{},
		Free: map[any]any{int64(1): []byte("b"), "t": at.UTC(), true: []any{1.5, nil, map[string]any{"k": uint64(math.MaxUint64)}}},
	}
	full.Int.SetString("123456789012345678901234567890", 10)
	var empty string
	return []*Value{full, {Name: "zero"}, {
		Name: "empty", Pointer: &empty, Bytes: []byte{}, AtOnce: &time.Time{}, IP: net.IP{}, IntAt: new(big.Int), PriceAt: &price{}, Names: []string{}, Pointers: []*int{},
		Lines: []Runway{}, Counts: map[string]int{}, ByNumber: map[int32]Runway{}, ByAddr: map[netip.Addr][]string{}, Free: []any{},
	}}
}

// makeValues makes a database at a place with the values, or without records.
func makeValues(t *testing.T, p place.Place, list ...*Value) {
	t.Helper()
	makeTable(t, p, &Value{}, func(db *kivis.DB) error {
		for _, v := range list {
			if _, err := kivis.TableBy[Value, [16]byte](db).Insert(context.Background(), v); err != nil {
				return err
			}
		}
		return nil
	})
}

// makeTable makes a database at a place with one table, which may be filled.
func makeTable(t *testing.T, p place.Place, record any, fill ...func(*kivis.DB) error) {
	t.Helper()
	st, err := p.Open(&place.Options{})
	if err != nil {
		t.Fatal(err)
	}
	db, err := kivis.Open(st, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Register(record); err != nil {
		t.Fatal(err)
	}
	for _, f := range fill {
		if err := f(db); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestFormats exports values of each type and imports them, and has the same bytes
// again, nil apart from empty.
func TestFormats(t *testing.T) {
	dir := t.TempDir()
	from := filepath.Join(dir, "from")
	makeValues(t, place.Place{Kind: place.Bolt, Path: from}, values()...)
	for _, ext := range []string{"csv", "tsv", "json", "jsonl", "parquet"} {
		t.Run(ext, func(t *testing.T) {
			k := &killing{t: t}
			file, to := filepath.Join(dir, "values."+ext), filepath.Join(dir, ext)
			makeValues(t, place.Place{Kind: place.Bolt, Path: to})
			parts := [][]string{nil}
			if ext == "parquet" { // times of nanoseconds and of other centuries do not fit into one file
				parts = [][]string{{"Name = 'full'", "--nanos"}, {"Name != 'full'"}}
			}
			for _, part := range parts {
				k.must(append([]string{"export", from, "values", "--out", file}, part...)...)
				k.must("import", to, "values", file)
			}
			k.must("diff", from, to)
			if got := k.must("query", to, "values", "--count"); got != "3\n" {
				t.Errorf("%s values, want 3", got)
			}
			k.must("check", to)
		})
	}
}
