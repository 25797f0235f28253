package reflectx

import (
	"math/bits"
	"reflect"
	"testing"
)

func TestPointer(t *testing.T) {
	v := struct {
		A int
		B *string
		C []uint16
		D [3]byte
	}{A: 1, C: []uint16{5, 6}, D: [3]byte{7, 8, 9}}
	typ := reflect.TypeOf(v)
	p := To(&v)
	at := func(name string) Pointer {
		f, _ := typ.FieldByName(name)
		return p.At(f.Offset)
	}

	*Ref[int](at("A"))++
	if got := Of(reflect.ValueOf(&v)).Value(typ).Field(0).Int(); got != 2 {
		t.Errorf("A = %d, want 2", got)
	}
	if !at("B").Elem().IsNil() {
		t.Error("Elem of a nil pointer is not nil")
	}
	s := "hello"
	at("B").SetElem(To(&s))
	if got := *Ref[string](at("B").Elem()); got != s || *v.B != s {
		t.Errorf("B = %q, want %q", got, s)
	}
	first, n := at("C").Slice()
	if n != 2 || *Ref[uint16](first.At(2)) != 6 {
		t.Errorf("C has %d elements, the second %d; want 2, 6", n, *Ref[uint16](first.At(2)))
	}
	at("D").Bytes(3)[1] = 42
	if v.D[1] != 42 {
		t.Errorf("D[1] = %d, want 42", v.D[1])
	}
	if got := String([]byte("abc")); got != "abc" {
		t.Errorf("String = %q", got)
	}
	if got := String(nil); got != "" {
		t.Errorf("String(nil) = %q", got)
	}

	size := typ.Size()
	field, _ := typ.FieldByName("C")
	if off, ok := Offset(p, at("C"), size); !ok || off != field.Offset {
		t.Errorf("Offset of C = %d, %t; want %d, true", off, ok, field.Offset)
	}
	if _, ok := Offset(p, To(&s), size); ok {
		t.Error("Offset of another variable is inside")
	}
	if _, ok := Offset(at("C"), p, size); ok {
		t.Error("Offset before the base is inside")
	}
}

func TestPointerAllocs(t *testing.T) {
	var v struct{ A, B int }
	got := testing.AllocsPerRun(100, func() { *Ref[int](To(&v).At(bits.UintSize / 8))++ })
	if got != 0 || v.B == 0 {
		t.Errorf("%v allocations, want 0", got)
	}
}
