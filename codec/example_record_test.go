package codec_test

import (
	"fmt"
	"log"
	"reflect"
	"time"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/reflectx"
)

type City struct {
	Name    string
	People  uint32
	Area    float32
	Founded *time.Time
	Twins   []string
	Sights  map[string]int
	Place   struct{ Lat, Long float64 }
}

// A record's body is one msgpack value for each field.
func Example_body() {
	typ := reflect.TypeFor[City]()
	layout, err := codec.Describe(typ, fieldsOf)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(layout)
	enc, err := codec.CompileEncoder(typ, layout, fieldsOf)
	if err != nil {
		log.Fatal(err)
	}
	city := City{Name: "Kivis", People: 1200, Twins: []string{}, Sights: map[string]int{"tower": 3, "park": 5}}
	body, offs, err := enc.Encode(nil, reflectx.To(&city), nil)
	if err != nil {
		log.Fatal(err)
	}
	for i, f := range layout.Fields {
		fmt.Printf("%-8s% x\n", f.Name, body[offs[i]:offs[i+1]])
	}

	dec, err := codec.CompileDecoder(typ, layout, layout, fieldsOf)
	if err != nil {
		log.Fatal(err)
	}
	var back City
	if err := dec.Decode(body, reflectx.To(&back)); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%+v\n", back)
	// Output:
	// Name string
	// People uint32
	// Area float32
	// Founded *time
	// Twins []string
	// Sights map[string]int64
	// Place struct 0
	// struct 0
	// 	Lat float64
	// 	Long float64
	// Name    a5 4b 69 76 69 73
	// People  cd 04 b0
	// Area    ca 00 00 00 00
	// Founded c0
	// Twins   90
	// Sights  82 a4 70 61 72 6b 05 a5 74 6f 77 65 72 03
	// Place   92 cb 00 00 00 00 00 00 00 00 cb 00 00 00 00 00 00 00 00
	// {Name:Kivis People:1200 Area:0 Founded:<nil> Twins:[] Sights:map[park:5 tower:3] Place:{Lat:0 Long:0}}
}

// A record's value is its body between a header and a checksum, which holds
// for the record's own key alone.
func Example_value() {
	const table = 7
	key := codec.AppendUint(nil, 42)
	value := codec.AppendHeader(nil, 3)
	value = append(value, 0xa2, 'h', 'i') // the body
	value = codec.Seal(value, 0, table, key)
	fmt.Printf("% x\n", value)

	version, body, err := codec.Open(value, table, key)
	fmt.Printf("version %d, body % x, %v\n", version, body, err)
	_, _, err = codec.Open(value, table, codec.AppendUint(nil, 43))
	fmt.Println(err)
	// Output:
	// 01 03 a2 68 69 a7 8d cf ba
	// version 3, body a2 68 69, <nil>
	// corrupt data: the checksum of a record does not match
}

// Bodies of an older layout become bodies of a newer one without any Go type.
func ExampleConverter() {
	old := &codec.Layout{Fields: []codec.Field{
		{ID: 1, Name: "First", Type: codec.Type{Kind: codec.String}},
		{ID: 2, Name: "Shoe", Type: codec.Type{Kind: codec.Uint, Bits: 8}},
		{ID: 3, Name: "Height", Type: codec.Type{Kind: codec.Float, Bits: 32}},
	}}
	current := &codec.Layout{Fields: []codec.Field{
		{ID: 3, Name: "Height", Type: codec.Type{Kind: codec.Float, Bits: 64}},
		{ID: 1, Name: "Name", Type: codec.Type{Kind: codec.String}},
		{ID: 4, Name: "Active", Type: codec.Type{Kind: codec.Bool}},
	}}
	conv, err := codec.CompileConverter(old, current)
	if err != nil {
		log.Fatal(err)
	}
	body, err := conv.Convert(nil, []byte{0xa2, 'j', 'o', 0x2a, 0xca, 0x3f, 0xc0, 0x00, 0x00})
	fmt.Printf("% x, %v\n", body, err)
	// Output:
	// cb 3f f8 00 00 00 00 00 00 a2 6a 6f c2, <nil>
}

// An error names the field and where in the body it is.
func ExampleError() {
	type Order struct {
		ID    uint64
		Lines []struct{ Count uint8 }
	}
	typ := reflect.TypeFor[Order]()
	layout, err := codec.Describe(typ, fieldsOf)
	if err != nil {
		log.Fatal(err)
	}
	dec, err := codec.CompileDecoder(typ, layout, layout, fieldsOf)
	if err != nil {
		log.Fatal(err)
	}
	err = dec.Decode([]byte{1, 0x92, 0x91, 5, 0x91, 0xcd, 1, 0}, reflectx.To(new(Order)))
	fmt.Println(err)
	// Output:
	// codec: decode codec_test.Order: Lines[1].Count at byte 5: corrupt data: number out of range: 256 is no uint8
}
