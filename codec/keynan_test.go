package codec_test

import (
	"math"
	"reflect"
	"testing"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/reflectx"
)

// TestRefuseNaN: a NaN is found in a part wherever it is, and nothing else is
// taken for one.
func TestRefuseNaN(t *testing.T) {
	type point struct {
		Name string
		X, Y float64
		Z    *float64
	}
	nan := math.NaN()
	one := 1.0
	desc := func(k codec.KeyType) codec.KeyType { k.Desc = true; return k }
	for _, c := range []struct {
		name  string
		value any
		form  func(codec.KeyType) codec.KeyType
		bad   bool
	}{
		{"float", new(1.5), nil, false},
		{"NaN", &nan, nil, true},
		{"NaN descending", &nan, desc, true},
		{"infinity", new(math.Inf(1)), desc, false},
		{"string", new("NaN"), nil, false},
		{"first of a struct", &point{X: nan}, nil, true},
		{"second of a struct", &point{Name: "a\x00b", Y: nan}, nil, true},
		{"second of a descending struct", &point{Name: "a\x00b", Y: nan}, desc, true},
		{"behind a pointer", &point{Z: &nan}, desc, true},
		{"none of a struct", &point{Name: "x", Y: math.Inf(-1), Z: &one}, desc, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := reflect.ValueOf(c.value)
			k, err := codec.KeyTypeOf(v.Type().Elem(), fieldsOf)
			if err != nil {
				t.Fatal(err)
			}
			if c.form != nil {
				k = c.form(k)
			}
			plan, err := codec.CompileKey(v.Type().Elem(), fieldsOf, k)
			if err != nil {
				t.Fatal(err)
			}
			part, err := plan.Append(nil, reflectx.Of(v))
			if err != nil {
				t.Fatal(err)
			}
			if err := k.RefuseNaN(part); (err != nil) != c.bad {
				t.Errorf("RefuseNaN(%x) = %v, want an error: %v", part, err, c.bad)
			}
		})
	}
}
