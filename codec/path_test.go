package codec

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// A place is a record with structs inside each other.
type place struct {
	Name    string
	Address address
	Home    *address
	Deep    struct{ Way *struct{ Point point } }
	Tail    []int
}

func TestPath(t *testing.T) {
	l := mustDescribe(t, place{})
	for _, tt := range []struct{ name, want string }{
		{"Name", ""},
		{"Address.Since", ""},
		{"Home.Geo", ""},
		{"Deep.Way.Point.Y", ""},
		{"name", `codec: there is no field "name"; did you mean "Name"?`},
		{"Address.Sinse", `codec: Address: there is no field "Sinse"; did you mean "Since"?`},
		{"Name.First", "codec: Name is string, which has no fields"},
		{"Home.Geo.0", "codec: Home.Geo is [2]float32, which has no fields"},
		{"", `codec: there is no field ""; there are Name, Address, Home, Deep, Tail`},
		{"Address.", `codec: Address: there is no field ""; there are Street, Geo, Since`},
	} {
		p, err := l.Path(tt.name)
		if tt.want != "" {
			if err == nil || err.Error() != tt.want {
				t.Errorf("Path(%q) = %v, want %s", tt.name, err, tt.want)
			}
			continue
		}
		if err != nil || p.Name != tt.name || l.TypeAt(p.Column, p.Inner) != p.Type {
			t.Errorf("Path(%q) = %v, %v", tt.name, p, err)
		}
	}
}

// TestPathGetSet sets one field after another, and compares each body with that
// of the whole record.
func TestPathGetSet(t *testing.T) {
	typ := reflect.TypeFor[place]()
	e, _ := mustCodec(t, typ)
	l := mustDescribe(t, place{})
	rec := &place{Name: "a", Home: &address{}, Tail: []int{1}}
	body, offs := bodyOf(t, e, reflect.ValueOf(rec))
	long := strings.Repeat("x", 300)
	for _, tt := range []struct {
		path string
		in   any
		want any
		set  func()
	}{
		{"Name", long, long, func() { rec.Name = long }},
		{"Name", "", "", func() { rec.Name = "" }},
		{"Address.Street", long, long, func() { rec.Address.Street = long }},
		{"Address.Since", "1s", time.Second, func() { rec.Address.Since = time.Second }},
		{"Home.Geo", []float64{1, 2}, []any{1.0, 2.0}, func() { rec.Home.Geo = [2]float32{1, 2} }},
		{"Home", nil, nil, func() { rec.Home = nil }},
		{"Deep.Way", map[string]any{"Point": map[string]any{"X": 5}}, Members{{"Point", Members{{"X", int64(5)}, {"Y", 0.0}}}},
			func() { rec.Deep.Way = &struct{ Point point }{point{5, 0}} }},
		{"Deep.Way.Point.X", 1 << 30, int64(1 << 30), func() { rec.Deep.Way.Point.X = 1 << 30 }},
		{"Tail", nil, nil, func() { rec.Tail = nil }},
	} {
		p, err := l.Path(tt.path)
		if err != nil {
			t.Fatal(err)
		}
		before := bytes.Clone(body)
		got, gotOffs, err := p.Set([]byte("x"), body, offs, tt.in)
		if err != nil || !bytes.Equal(before, body) {
			t.Fatalf("Set(%s) = %v, or changes the body", tt.path, err)
		}
		tt.set()
		body, offs = bodyOf(t, e, reflect.ValueOf(rec))
		if string(got) != "x"+string(body) || !slices.Equal(gotOffs, offs) {
			t.Errorf("Set(%s) = %x, %v, want %x, %v", tt.path, got[1:], gotOffs, body, offs)
		}
		if v, err := p.Get(body, offs); !reflect.DeepEqual(v, tt.want) || err != nil {
			t.Errorf("Get(%s) = %#v, %v, want %#v", tt.path, v, err, tt.want)
		}
	}
}

func TestPathErrors(t *testing.T) {
	e, _ := mustCodec(t, reflect.TypeFor[place]())
	l := mustDescribe(t, place{})
	body, offs := bodyOf(t, e, reflect.ValueOf(&place{}))
	for _, tt := range []struct {
		path string
		in   any
		want string
	}{
		{"Home.Street", "x", "codec: encode: Home.Street: Home is nil; set it to a struct first"},
		{"Deep.Way.Point.X", 1, "codec: encode: Deep.Way.Point.X: Deep.Way is nil; set it to a struct first"},
		{"Address.Street", 1, "codec: encode: Address.Street: it wants a string, not the int 1"},
		{"Address.Geo", []any{1, "x"}, "codec: encode: Address.Geo[1]: it wants a number of 32 bits, not \"x\""},
		{"Name", nil, "codec: encode: Name: it wants a string, not nil"},
	} {
		p, err := l.Path(tt.path)
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := p.Set([]byte("x"), body, offs, tt.in)
		if err == nil || err.Error() != tt.want || errors.Is(err, ErrCorrupt) || string(got) != "x" {
			t.Errorf("Set(%s, %v) = %q, %v, want %s", tt.path, tt.in, got, err, tt.want)
		}
	}
	p, _ := l.Path("Deep.Way.Point.X")
	if v, err := p.Get(body, offs); v != nil || err != nil {
		t.Errorf("Get through nil = %v, %v, want nil", v, err)
	}
}

// TestPathDamaged reads paths of damaged bodies: no panic, and errors that match
// ErrCorrupt.
func TestPathDamaged(t *testing.T) {
	e, _ := mustCodec(t, reflect.TypeFor[place]())
	l := mustDescribe(t, place{})
	rec := &place{Name: "a", Home: &address{}, Tail: []int{1}}
	rec.Deep.Way = &struct{ Point point }{}
	whole, _ := bodyOf(t, e, reflect.ValueOf(rec))
	rnd := newRand(1)
	for range 20000 {
		body := bytes.Clone(whole)
		for range 1 + rnd.IntN(2) {
			body[rnd.IntN(len(body))] = randomByte(rnd)
		}
		offs, err := Split(body, len(l.Fields), nil)
		if err != nil {
			continue
		}
		for _, name := range []string{"Name", "Address.Since", "Home.Geo", "Deep.Way.Point.X"} {
			p, _ := l.Path(name)
			if _, err := p.Get(body, offs); err != nil && !errors.Is(err, ErrCorrupt) {
				t.Fatalf("Get(%s) of %x = %v, want ErrCorrupt", name, body, err)
			}
			if _, _, err := p.Set(nil, body, offs, nil); err == nil && p.Type.Kind != Slice {
				t.Fatalf("Set(%s) to nil succeeds", name)
			}
		}
	}
}

// randomByte returns a byte, often one that starts a value.
func randomByte(r *rand.Rand) byte {
	if r.IntN(2) == 0 {
		return []byte{0xc0, 0x90, 0x91, 0x93, 0x81, 0xa1, 0xc4, 0xdd}[r.IntN(8)]
	}
	return byte(r.Uint32())
}
