package reflectx

import (
	"errors"
	"fmt"
	"math/bits"
	"reflect"
	"strings"
	"testing"
	"time"
)

type plain struct {
	A int
	b string
	C *plain `kivis:"index" json:"c"`
}

type Base struct {
	ID   int `kivis:"key"`
	Made time.Time
}

type Middle struct {
	Base  `kivis:"key"`
	Extra string
}

type deep struct {
	_ struct{} `kivis:"table=deep"`
	_ struct{}
	Middle
	time.Time
	Name
	Last bool
}

type Name string

type stamp time.Time

type Marked struct {
	_ struct{} `kivis:"index=x(ID)"`
	X int
}

type outer struct {
	Marked
	Y int
}

type text struct{ S string }

func (t text) MarshalText() ([]byte, error)     { return []byte(t.S), nil }
func (t *text) UnmarshalText(text []byte) error { t.S = string(text); return nil }

type Half struct{ S string }

func (h Half) MarshalText() ([]byte, error) { return []byte(h.S), nil }

type withText struct {
	text
	Half
}

type packed struct{ S string }

func (t packed) MarshalMsgpack() ([]byte, error)   { return []byte(t.S), nil }
func (t *packed) UnmarshalMsgpack(b []byte) error  { t.S = string(b); return nil }
func (t packed) MarshalBinary() ([]byte, error)    { return []byte(t.S), nil }
func (t *packed) UnmarshalBinary(b []byte) error   { t.S = string(b); return nil }
func (t packed) EncodeMsgpack(map[string]int) bool { return true }

type ignoredClash struct {
	Base
	ID     int `kivis:"-"`
	*plain `kivis:" - "`
	Base2
}

type Base2 struct {
	id   int
	Made time.Time `kivis:"-"`
}

type hidden struct {
	id int
	Base2
}

// describe prints a walk as text, a line for each thing found.
func describe(s *Struct) string {
	var b strings.Builder
	for _, f := range s.Fields {
		fmt.Fprintf(&b, "field %s %s %v +%d %v", f.Name, f.Path, f.Index, f.Offset, f.Type)
		if f.Tagged {
			fmt.Fprintf(&b, " %q", f.Tag)
		}
		if !f.Exported {
			b.WriteString(" unexported")
		}
		for _, e := range f.Embedded {
			fmt.Fprintf(&b, " <%s", e.Path)
		}
		b.WriteByte('\n')
	}
	for _, x := range s.Blanks {
		fmt.Fprintf(&b, "blank %s %q %d\n", x.Path, x.Tag, len(x.Embedded))
	}
	for _, e := range s.Embeds {
		fmt.Fprintf(&b, "embed %s %s %v +%d %v %q %t\n", e.Name, e.Path, e.Index, e.Offset, e.Type, e.Tag, e.Tagged)
	}
	return b.String()
}

func TestWalk(t *testing.T) {
	if bits.UintSize == 32 {
		t.Skip("the offsets below are those of 64-bit platforms")
	}
	for _, test := range []struct {
		name string
		v    any
		want string
	}{
		{"plain", plain{}, `
field A A [0] +0 int
field b b [1] +8 string unexported
field C C [2] +24 *reflectx.plain "index"
`},
		{"deep", deep{}, `
field ID Middle.Base.ID [2 0 0] +0 int "key" <Middle <Middle.Base
field Made Middle.Base.Made [2 0 1] +8 time.Time <Middle <Middle.Base
field Extra Middle.Extra [2 1] +32 string <Middle
field Time Time [3] +48 time.Time
field Name Name [4] +72 reflectx.Name
field Last Last [5] +88 bool
blank _ "table=deep" 0
embed Middle Middle [2] +0 reflectx.Middle "" false
embed Base Middle.Base [2 0] +0 reflectx.Base "key" true
`},
		{"blank in an embedded struct", outer{}, `
field X Marked.X [0 1] +0 int <Marked
field Y Y [1] +8 int
blank Marked._ "index=x(ID)" 1
embed Marked Marked [0] +0 reflectx.Marked "" false
`},
		{"structs that marshal themselves", withText{}, `
field text text [0] +0 reflectx.text unexported
field S Half.S [1 0] +16 string <Half
embed Half Half [1] +16 reflectx.Half "" false
`},
		{"ignored fields hide nothing", ignoredClash{}, `
field ID Base.ID [0 0] +0 int "key" <Base
field Made Base.Made [0 1] +8 time.Time <Base
field ID ID [1] +32 int "-"
field plain plain [2] +40 *reflectx.plain " - " unexported
field id Base2.id [3 0] +48 int unexported <Base2
field Made Base2.Made [3 1] +56 time.Time "-" <Base2
embed Base Base [0] +0 reflectx.Base "" false
embed Base2 Base2 [3] +48 reflectx.Base2 "" false
`},
		{"unexported fields hide nothing", hidden{}, `
field id id [0] +0 int unexported
field id Base2.id [1 0] +8 int unexported <Base2
field Made Base2.Made [1 1] +16 time.Time "-" <Base2
embed Base2 Base2 [1] +8 reflectx.Base2 "" false
`},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, err := Walk(reflect.TypeOf(test.v))
			if err != nil {
				t.Fatal(err)
			}
			if got := "\n" + describe(s); got != test.want {
				t.Errorf("Walk(%T) = %s, want %s", test.v, got, test.want)
			}
			again, _ := Walk(reflect.TypeOf(test.v))
			if again != s {
				t.Errorf("Walk(%T) is not cached", test.v)
			}
		})
	}
}

// TestWalkOffsets checks offsets and indexes against reflect.
func TestWalkOffsets(t *testing.T) {
	var v deep
	s, err := Walk(reflect.TypeOf(v))
	if err != nil {
		t.Fatal(err)
	}
	base := reflect.ValueOf(&v).Elem()
	for _, f := range s.Fields {
		want := base.FieldByIndex(f.Index).UnsafeAddr() - base.UnsafeAddr()
		if f.Offset != want {
			t.Errorf("offset of %s = %d, want %d", f.Path, f.Offset, want)
		}
	}
}

type A struct{ X, Only int }
type B struct{ X int }

type shadowed struct {
	A
	X int
}
type ambiguous struct {
	A
	B
}
type pointers struct {
	*A
	*B `kivis:"-"`
}
type ofItself struct{ C }
type C struct{ Base }
type sameName struct {
	C
	D
}
type D struct{ B }
type named struct{ E }
type E struct{ E int }

type unexportedClash struct {
	B
	x int
	F
}
type F struct {
	x int `kivis:"index"`
}
type unexportedClash2 struct {
	F
	G
}
type G struct {
	x int `kivis:"index"`
}

type miscased struct {
	A int `Kivis:"key"`
	B int
}

// These fields are read through reflection alone.
var _ = []any{plain{}.b, Base2{}.id, hidden{}.id, unexportedClash{}.x, F{}.x, G{}.x}

func TestWalkErrors(t *testing.T) {
	for _, test := range []struct {
		v    any
		want string
	}{
		{0, "reflectx: int: not a struct type"},
		{&A{}, "reflectx: *reflectx.A: not a struct type"},
		{shadowed{}, `reflectx: reflectx.shadowed.A.X: X hides A.X: rename one, or skip one with the tag "-"`},
		{ambiguous{}, `reflectx: reflectx.ambiguous.B.X: X is ambiguous: A.X or B.X; rename one, or skip one with the tag "-"`},
		{pointers{}, `reflectx: reflectx.pointers.A: embedded pointer *reflectx.A: embed reflectx.A by value, give the field a name, or skip it with the tag "-"`},
		{ofItself{}, ""},
		{sameName{}, ""},
		{named{}, `reflectx: reflectx.named.E.E: E hides E.E: rename one, or skip one with the tag "-"`},
		{unexportedClash{}, ""},
		{unexportedClash2{}, `reflectx: reflectx.unexportedClash2.G.x: x is ambiguous: F.x or G.x; rename one, or skip one with the tag "-"`},
		{miscased{}, "" +
			"reflectx: reflectx.miscased.A: struct tag Kivis:\"key\": did you mean kivis:\"key\"?"},
	} {
		s, err := Walk(reflect.TypeOf(test.v))
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("Walk(%T) = %v\nwant %s", test.v, got, test.want)
		}
		if isStruct := reflect.TypeOf(test.v).Kind() == reflect.Struct; (s != nil) != isStruct {
			t.Errorf("Walk(%T) = %v, want what was found", test.v, s)
		}
	}
	if _, err := Walk(nil); err == nil {
		t.Error("Walk(nil) = nil")
	}
	_, err := Walk(reflect.TypeFor[shadowed]())
	var e *Error
	if !errors.As(err, &e) || e.Path != "A.X" || e.Type != reflect.TypeFor[shadowed]() || errors.Unwrap(e) == nil {
		t.Errorf("error of Walk = %#v", err)
	}
}

func TestMarshalOf(t *testing.T) {
	for _, test := range []struct {
		t    reflect.Type
		want Marshal
		time bool
	}{
		{reflect.TypeFor[int](), MarshalNone, false},
		{reflect.TypeFor[text](), MarshalText, false},
		{reflect.TypeFor[*text](), MarshalNone, false},
		{reflect.TypeFor[Half](), MarshalNone, false},
		{reflect.TypeFor[packed](), MarshalMsgpack, false},
		{reflect.TypeFor[time.Time](), MarshalBinary, true},
		{reflect.TypeFor[stamp](), MarshalNone, true},
		{reflect.TypeFor[struct{ time.Time }](), MarshalBinary, false},
		{reflect.TypeFor[time.Duration](), MarshalNone, false},
		{reflect.TypeFor[error](), MarshalNone, false},
	} {
		if got := MarshalOf(test.t); got != test.want {
			t.Errorf("MarshalOf(%v) = %v, want %v", test.t, got, test.want)
		}
		if got := IsTime(test.t); got != test.time {
			t.Errorf("IsTime(%v) = %v, want %v", test.t, got, test.time)
		}
	}
}
