package codec_test

import (
	"bytes"
	"fmt"
	"log"
	"math"
	"reflect"
	"time"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/reflectx"
)

// fieldsOf has all fields stored; package schema has one that knows the tags.
func fieldsOf(t reflect.Type) ([]codec.StructField, error) {
	s, err := reflectx.Walk(t)
	if err != nil {
		return nil, err
	}
	var list []codec.StructField
	for _, f := range s.Fields {
		list = append(list, codec.StructField{Name: f.Name, Offset: f.Offset, Type: f.Type})
	}
	return list, nil
}

// encode returns v's part of a key, and its type.
func encode[T any](v T, change func(*codec.KeyType)) ([]byte, codec.KeyType) {
	t := reflect.TypeFor[T]()
	k, err := codec.KeyTypeOf(t, fieldsOf)
	if err != nil {
		log.Fatal(err)
	}
	if change != nil {
		change(&k)
	}
	plan, err := codec.CompileKey(t, fieldsOf, k)
	if err != nil {
		log.Fatal(err)
	}
	part, err := plan.Append(nil, reflectx.To(&v))
	if err != nil {
		log.Fatal(err)
	}
	return part, k
}

// row prints a line of the table.
func row[T any](v T, change func(*codec.KeyType)) {
	part, k := encode(v, change)
	text, _, err := k.Format(part)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%-13v %-30s % x\n", k, text, part)
}

// What each type is as part of a key.
func Example_keyFormat() {
	desc := func(k *codec.KeyType) { k.Desc = true }
	fold := func(k *codec.KeyType) { k.Fold = true }
	a := "a"
	row(true, nil)
	row(0, nil)
	row(111, nil)
	row(112, nil)
	row(uint32(65536), nil)
	row(int8(-64), nil)
	row(-65, nil)
	row(-1000, nil)
	row(1000, desc)
	row(time.Second, nil)
	row(1.5, nil)
	row(float32(-1.5), nil)
	row(math.Copysign(0, -1), nil)
	row(math.Inf(1), nil)
	row(math.NaN(), nil)
	row("", nil)
	row("a\x00b", nil)
	row("a\x00b", desc)
	row("Straße", fold)
	row([]byte{1, 0}, nil)
	row([4]byte{1, 2, 3, 4}, nil)
	row(time.Unix(0, 1), nil)
	row((*string)(nil), nil)
	row(&a, nil)
	row(&a, desc)
	row(struct {
		Origin string
		Delay  int
	}{"ORD", 60}, nil)
	// Output:
	// bool          true                           81
	// int           0                              80
	// int           111                            ef
	// int           112                            f0 70
	// uint          65536                          f2 01 00 00
	// int           -64                            40
	// int           -65                            3f bf
	// int           -1000                          3e fc 18
	// int desc      1000                           0e fc 17
	// duration      1s                             f3 3b 9a ca 00
	// float         1.5                            bf f8 00 00 00 00 00 00
	// float         -1.5                           40 07 ff ff ff ff ff ff
	// float         0                              80 00 00 00 00 00 00 00
	// float         +Inf                           ff f0 00 00 00 00 00 00
	// float         NaN                            ff f8 00 00 00 00 00 00
	// string        ""                             00 01
	// string        "a\x00b"                       61 00 ff 62 00 01
	// string desc   "a\x00b"                       9e ff 00 9d ff fe
	// string fold   "STRAßE"                       53 54 52 41 c3 9f 45 00 01
	// bytes         0x0100                         01 00 ff 00 01
	// [4]byte       0x01020304                     01 02 03 04
	// time          1970-01-01T00:00:00.000000001Z 8e 77 91 f7 00 00 00 00 01
	// *string       nil                            00
	// *string       "a"                            01 61 00 01
	// *string desc  "a"                            fe 9e ff fe
	// (string, int) ("ORD", 60)                    4f 52 44 00 01 bc
}

// The entries of an index on (Name fold, Score desc) in their order.
func Example_tupleOrder() {
	type entry struct {
		Name  string
		Score int
	}
	form := func(k *codec.KeyType) { k.Parts[0].Fold, k.Parts[1].Desc = true, true }
	ann, k := encode(entry{"ann", 70}, form)
	best, _ := encode(entry{"ANN", 700}, form)
	bob, _ := encode(entry{"Bob", 90}, form)
	fmt.Println(k)
	fmt.Println(bytes.Compare(best, ann), bytes.Compare(ann, bob))
	// Output:
	// (string fold, int desc)
	// -1 -1
}

// A range of the names in an index that begin with a prefix.
func ExampleKeyType_AppendPrefix() {
	k := codec.KeyType{Kind: codec.String, Fold: true}
	lo := k.AppendPrefix(nil, "jo")
	hi := codec.PrefixEnd(lo)
	for _, name := range []string{"Jo", "John", "JOSÉ", "Jim"} {
		part, err := k.AppendLiteral(nil, codec.AppendString(nil, name))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(name, bytes.Compare(lo, part) <= 0 && bytes.Compare(part, hi) < 0)
	}
	// Output:
	// Jo true
	// John true
	// JOSÉ true
	// Jim false
}
