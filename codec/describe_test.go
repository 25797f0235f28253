package codec

import (
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"
	"unsafe"
)

type (
	base struct{ ID uint64 }

	customer struct {
		base    // not exported, so only its fields are
		Name    string
		Home    *address
		Work    address
		Past    []address
		By      map[word]time.Time
		Pair    [2]color
		Any     any
		Code    [16]byte
		Version version
		Both    couple
		Root    tree
		Skipped func() `kivis:"-"`
	}

	address struct {
		Street string
		Geo    [2]float32
		Since  time.Duration
	}

	list     []list
	loop     map[string]*loop
	selfPtr  *selfPtr
	wellDone struct{ Kids []wellDone }
)

func TestDescribe(t *testing.T) {
	l, err := Describe(reflect.TypeFor[customer](), storedFields)
	if err != nil {
		t.Fatal(err)
	}
	const want = `ID uint64
Name string
Home *struct 0
Work struct 0
Past []struct 0
By map[string]time
Pair [2]text
Any any
Code [16]byte
Version binary
Both msgpack
Root struct 1
struct 0
	Street string
	Geo [2]float32
	Since duration
struct 1
	Value int64
	Kids []struct 1
	Named map[string]*struct 1
	Next *struct 1
`
	if got := l.String(); got != want {
		t.Errorf("Describe = %s, want %s", got, want)
	}
}

func TestDescribeErrors(t *testing.T) {
	type deep struct {
		In struct {
			F func()
			C []chan int
			M map[string]complex128
		}
		U unsafe.Pointer
		R io.Reader
	}
	for _, tt := range []struct {
		in   reflect.Type // not a value: one of the last would be half a gigabyte of the program
		want []string
	}{
		{reflect.TypeFor[int](), []string{"codec: describe int: not a struct"}},
		{reflect.TypeFor[deep](), []string{
			"codec: describe codec.deep: In.F: func() cannot be stored, so skip the field with the tag \"-\"",
			"codec: describe codec.deep: In.C: chan int cannot be stored, so skip the field with the tag \"-\"",
			"codec: describe codec.deep: In.M: complex128 cannot be stored, so skip the field with the tag \"-\"",
			"codec: describe codec.deep: U: unsafe.Pointer cannot be stored, so skip the field with the tag \"-\"",
			"codec: describe codec.deep: R: io.Reader cannot be stored: of interfaces only any can, so skip the field with the tag \"-\"",
		}},
		{reflect.TypeFor[struct{ L list }](), []string{"codec: describe struct { L codec.list }: L: codec.list contains itself with no struct between"}},
		{reflect.TypeFor[struct{ L loop }](), []string{"codec: describe struct { L codec.loop }: L: codec.loop contains itself with no struct between"}},
		{reflect.TypeFor[struct{ P selfPtr }](), []string{
			"codec: describe struct { P codec.selfPtr }: P: codec.selfPtr contains itself with no struct between",
		}},
		{reflect.TypeFor[struct{ P **int }](), []string{"codec: describe struct { P **int }: P: **int could not be told from a nil pointer when it points to nil"}},
		{reflect.TypeFor[struct{ P *any }](), []string{"codec: describe struct { P *interface {} }: P: *any could not be told from a nil pointer when it points to nil"}},
		{reflect.TypeFor[struct{ M map[point]int }](), []string{"codec: describe struct { M map[codec.point]int }: M: codec.point cannot be the key of a stored map: scalars, strings, arrays of bytes and times can"}},
		{reflect.TypeFor[struct{ M map[*int]int }](), []string{"codec: describe struct { M map[*int]int }: M: *int cannot be the key of a stored map: scalars, strings, arrays of bytes and times can"}},
		{reflect.TypeFor[struct{ M map[any]int }](), []string{"codec: describe struct { M map[interface {}]int }: M: any cannot be the key of a stored map: scalars, strings, arrays of bytes and times can"}},
		{reflect.TypeFor[struct{ M [1 << 29]int8 }](), []string{"codec: describe struct { M [536870912]int8 }: M: corrupt data: a value of no less than 536870912 bytes"}},
	} {
		_, err := Describe(tt.in, storedFields)
		if want := strings.Join(tt.want, "\n"); err == nil || err.Error() != want {
			t.Errorf("Describe(%v) = %v, want %v", tt.in, err, want)
		}
		var e *Error
		if !errors.As(err, &e) || e.Op != "describe" || e.Type != tt.in {
			t.Errorf("Describe(%v) = %#v, want an *Error", tt.in, e)
		}
	}
	if _, err := Describe(reflect.TypeFor[wellDone](), storedFields); err != nil {
		t.Errorf("Describe of a struct that recurs = %v", err)
	}
	if _, err := Describe(nil, storedFields); err == nil {
		t.Error("Describe(nil) succeeds")
	}
}

func TestCompileErrors(t *testing.T) {
	type stored struct {
		A int16
		B point
		C []string
	}
	l, err := Describe(reflect.TypeFor[stored](), storedFields)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		in   any
		want string
	}{
		{struct{ A int32 }{}, "A: stored as int16, which is not how a int32 is stored"},
		{struct{ A uint16 }{}, "A: stored as int16, which is not how a uint16 is stored"},
		{struct{ A string }{}, "A: stored as int16, which is not how a string is stored"},
		{struct{ A func() }{}, "A: func() cannot be stored, so skip the field with the tag \"-\""},
		{struct{ D int }{}, "D: the layout has no such field"},
		{struct{ B struct{ X, Z int } }{}, "B.Z: the layout has no such field"},
		{struct{ B struct{ Y float64 } }{}, "B.Y: stored as float32, which is not how a float64 is stored"},
		{struct{ B *point }{}, "B: stored as struct 0, which is not how a *codec.point is stored"},
		{struct{ C [2]string }{}, "C: stored as []string, which is not how a [2]string is stored"},
		{struct{ C []*string }{}, "C: stored as string, which is not how a *string is stored"},
	} {
		typ := reflect.TypeOf(tt.in)
		want := "codec: compile " + typ.String() + ": " + tt.want
		if _, err := CompileEncoder(typ, l, storedFields); err == nil || err.Error() != want {
			t.Errorf("CompileEncoder = %v, want %v", err, want)
		}
		if _, err := CompileDecoder(typ, l, l, storedFields); err == nil || err.Error() != want {
			t.Errorf("CompileDecoder = %v, want %v", err, want)
		}
	}
}
