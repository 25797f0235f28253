package codec

import (
	"bytes"
	"math"
	"net/netip"
	"reflect"
	"testing"
	"time"

	vmsgpack "github.com/vmihailenco/msgpack/v5"

	"github.com/kivisdb/kivis/reflectx"
)

type inner struct {
	S string
	B []byte
	T time.Time
	P *point
	M map[int]string
}

// An everything has a field of each kind that a record can have.
type everything struct {
	Bool     bool
	Int      int
	Int8     int8
	Int16    int16
	Int32    int32
	Int64    int64
	Uint     uint
	Uint8    uint8
	Uint16   uint16
	Uint32   uint32
	Uint64   uint64
	Float32  float32
	Float64  float64
	String   string
	Word     word
	Bytes    []byte
	Array    [4]byte
	Time     time.Time
	Duration time.Duration
	PtrInt   *int
	PtrTime  *time.Time
	PtrBytes *[]byte
	Ints     []int
	Strings  []string
	Floats   []float32
	Structs  []inner
	Ptrs     []*inner
	Pair     [2]inner
	Nested   inner
	Pointed  *inner
	Tree     tree
	MapSI    map[string]int
	MapSS    map[string]string
	MapSA    map[string]any
	MapTB    map[time.Time]bool
	MapIM    map[int16]map[string][]inner
	MapFS    map[float32]string
	MapAS    map[[2]byte]struct{}
	Any      any
	Color    color
	Version  *version
	Couple   couple
	Addr     netip.Addr
}

// fillAny sets v, of any type that can be stored, to a random value of at most
// a depth.
func fillAny(s source, v reflect.Value, depth int) {
	switch v.Type() {
	case reflect.TypeFor[color]():
		v.Set(reflect.ValueOf(color{byte(s.Uint32()), 1, 2}))
		return
	case reflect.TypeFor[version]():
		v.Set(reflect.ValueOf(version{byte(s.Uint32()), 1}))
		return
	case reflect.TypeFor[couple]():
		v.Set(reflect.ValueOf(couple{"a", "b"}))
		return
	case reflect.TypeFor[raw]():
		v.Set(reflect.ValueOf(raw{[]byte{1}}))
		return
	case reflect.TypeFor[netip.Addr]():
		v.Set(reflect.ValueOf(netip.AddrFrom4([4]byte{byte(s.Uint32())})))
		return
	}
	if reflectx.IsTime(v.Type()) {
		v.Set(reflect.ValueOf(s.time().UTC()).Convert(v.Type()))
		return
	}
	none := depth <= 0 || s.IntN(4) == 0
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fillAny(s, v.Field(i), depth-1)
		}
	case reflect.Array:
		for i := range v.Len() {
			fillAny(s, v.Index(i), depth-1)
		}
	case reflect.Pointer:
		if !none {
			v.Set(reflect.New(v.Type().Elem()))
			fillAny(s, v.Elem(), depth-1)
			switch e := v.Elem(); {
			case e.Kind() == reflect.Slice && e.IsNil():
				e.Set(reflect.MakeSlice(e.Type(), 0, 0))
			case e.Kind() == reflect.Map && e.IsNil():
				e.Set(reflect.MakeMap(e.Type()))
			}
		}
	case reflect.Slice:
		if none {
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), s.IntN(20)*s.IntN(2), 20))
		for i := range v.Len() {
			fillAny(s, v.Index(i), depth-1)
		}
	case reflect.Map:
		if none {
			return
		}
		v.Set(reflect.MakeMap(v.Type()))
		for range s.IntN(20) {
			k, e := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fillAny(s, k, depth)
			fillAny(s, e, depth-1)
			if k.CanFloat() && math.IsNaN(k.Float()) {
				continue // reflect.DeepEqual cannot find it
			}
			v.SetMapIndex(k, e)
		}
	case reflect.Interface:
		if !none {
			v.Set(reflect.ValueOf(s.any(depth)))
		}
	default:
		s.fill(v)
	}
}

// randomTypes has the types that random types are made of.
var randomTypes = []reflect.Type{
	reflect.TypeFor[bool](), reflect.TypeFor[int8](), reflect.TypeFor[int](), reflect.TypeFor[uint16](), reflect.TypeFor[uint64](),
	reflect.TypeFor[float32](), reflect.TypeFor[float64](), reflect.TypeFor[word](), reflect.TypeFor[[3]byte](), reflect.TypeFor[time.Time](),
	reflect.TypeFor[time.Duration](), reflect.TypeFor[color](), reflect.TypeFor[version](), // the keys of maps
	reflect.TypeFor[[]byte](), reflect.TypeFor[raw](), reflect.TypeFor[couple](), reflect.TypeFor[any](), reflect.TypeFor[tree](), reflect.TypeFor[inner](),
}

// typ returns a random type that can be stored, of at most a depth.
func (s source) typ(depth int) reflect.Type {
	if depth > 0 {
		switch s.IntN(8) {
		case 0:
			t := s.typ(depth - 1)
			if t.Kind() != reflect.Pointer && t.Kind() != reflect.Interface {
				return reflect.PointerTo(t)
			}
		case 1:
			return reflect.SliceOf(s.typ(depth - 1))
		case 2:
			return reflect.ArrayOf(s.IntN(4), s.typ(depth-1))
		case 3:
			return reflect.MapOf(randomTypes[s.IntN(13)], s.typ(depth-1))
		case 4:
			return s.structType(depth - 1)
		}
	}
	return randomTypes[s.IntN(len(randomTypes))]
}

// structType returns a random struct type whose fields have at most a depth.
func (s source) structType(depth int) reflect.Type {
	fields := make([]reflect.StructField, 1+s.IntN(5))
	for i := range fields {
		fields[i] = reflect.StructField{Name: string(rune('A' + i)), Type: s.typ(depth)}
	}
	return reflect.StructOf(fields)
}

// eachRandom calls check with random records of random types, as encoded.
func eachRandom(t *testing.T, check func(l *Layout, body []byte, offs []uint32)) {
	for seed := range uint64(400) {
		s := source{newRand(seed)}
		typ := s.structType(3)
		e, _ := mustCodec(t, typ)
		l, err := Describe(typ, storedFields)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			v := reflect.New(typ)
			fillAny(s, v.Elem(), 5)
			body, offs := bodyOf(t, e, v)
			check(l, body, offs)
			if t.Failed() {
				t.Fatalf("seed %d, type %v", seed, typ)
			}
		}
	}
}

// any returns a value that a msgpack value of unknown type comes back as.
func (s source) any(depth int) any {
	switch n := s.IntN(9); {
	case n == 0:
		return int64(int8(s.Uint32()))
	case n == 1:
		return s.Int64()
	case n == 2:
		return s.Uint64() | 1<<63
	case n == 3:
		return "text"
	case n == 4:
		return []byte{1, 2}
	case n == 5:
		return time.Unix(s.Int64N(1<<33), 0).UTC()
	case n == 6 && depth > 0:
		return []any{s.any(depth - 1), nil, s.any(depth - 1)}
	case n == 7 && depth > 0:
		return map[string]any{"a": s.any(depth - 1), "b": true}
	}
	return float32(1.5)
}

// TestRecordRandom checks of random records that they come back, that the same
// record always has the same bytes, and that the msgpack library reads them.
func TestRecordRandom(t *testing.T) {
	typ := reflect.TypeFor[everything]()
	e, d := mustCodec(t, typ)
	for seed := range uint64(500) {
		s := source{newRand(seed)}
		in, out := new(everything), new(everything)
		fillAny(s, reflect.ValueOf(in).Elem(), 4)
		fillAny(s, reflect.ValueOf(out).Elem(), 3)
		body, offs, err := e.Encode([]byte("before"), reflectx.To(in), nil)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		body = bytes.TrimPrefix(body, []byte("before"))
		if err := d.Decode(bytes.Clone(body), reflectx.To(out)); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		again, _, err := e.Encode(nil, reflectx.To(out), nil)
		if err != nil || !bytes.Equal(again, body) {
			t.Fatalf("seed %d: decoded and encoded again\n%x, want\n%x, error %v", seed, again, body, err)
		}
		if !hasNaN(body) && !reflect.DeepEqual(in, out) {
			t.Fatalf("seed %d: got\n%+v, want\n%+v", seed, out, in)
		}
		split, err := Split(body, typ.NumField(), nil)
		if err != nil || !reflect.DeepEqual(split, offs) {
			t.Fatalf("seed %d: Split = %v, %v, want %v", seed, split, err, offs)
		}
		checkLibrary(t, body, offs)
	}
}

// hasNaN reports, with some false alarms, whether body may have a NaN in it,
// which no value equals.
func hasNaN(body []byte) bool {
	return bytes.Contains(body, []byte{0xca, 0x7f}) || bytes.Contains(body, []byte{0xca, 0xff}) ||
		bytes.Contains(body, []byte{0xcb, 0x7f}) || bytes.Contains(body, []byte{0xcb, 0xff})
}

// checkLibrary checks that the library finds the same values in body.
func checkLibrary(t *testing.T, body []byte, offs []uint32) {
	t.Helper()
	r := bytes.NewReader(body)
	dec := vmsgpack.NewDecoder(r)
	dec.SetMapDecoder(func(d *vmsgpack.Decoder) (any, error) { return d.DecodeUntypedMap() })
	for i := range len(offs) - 1 {
		field := body[offs[i]:offs[i+1]]
		if reflect.TypeFor[everything]().Field(i).Name == "MapAS" {
			// Go cannot have a map by slices of bytes, which the library reads.
			if err := dec.Skip(); err != nil {
				t.Fatalf("the library cannot skip field %d, %x: %v", i, field, err)
			}
		} else if _, err := dec.DecodeInterface(); err != nil {
			t.Fatalf("the library cannot read field %d, %x: %v", i, field, err)
		}
		if end := int(offs[i+1]); len(body)-r.Len() != end {
			t.Fatalf("the library reads field %d to byte %d, want %d", i, len(body)-r.Len(), end)
		}
	}
}
