package codec

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"
)

type (
	colour   uint8   // of a table that is too short
	level    int16   // with a text of all other values
	sparse   uint32  // read by itself
	broken   int     // whose methods fail
	numbered uint64  // whose text is its number
	textless int     // without a text
	half     float64 // no integer
)

func (c colour) String() string { return [...]string{"red", "green", "blue"}[c] }

func (l *level) MarshalText() ([]byte, error) {
	switch *l {
	case -2:
		return []byte("lowest"), nil
	case 0:
		return []byte("none"), nil
	case 4095, 4096:
		return fmt.Appendf(nil, "level %d", *l), nil
	}
	return []byte("none"), nil
}

func (level) String() string { return "not asked" }

func (s sparse) MarshalText() ([]byte, error) {
	if s != 1<<20 {
		return nil, errors.New("unknown")
	}
	return []byte("mega"), nil
}

func (s *sparse) UnmarshalText(text []byte) error {
	switch string(text) {
	case "mega", "MEGA":
		*s = 1 << 20
		return nil
	case "giga":
		panic("not yet")
	}
	return errors.New("unknown")
}

func (broken) String() string { panic("no") }

func (n numbered) String() string { return fmt.Sprint(uint64(n)) }

func (half) String() string { return "half" }

func TestEnum(t *testing.T) {
	for _, tt := range []struct {
		typ        reflect.Type
		text, want string // "" for none
	}{
		{reflect.TypeFor[colour](), "green", "1"}, {reflect.TypeFor[colour](), "black", ""}, {reflect.TypeFor[colour](), "", ""},
		{reflect.TypeFor[level](), "none", "0"}, {reflect.TypeFor[level](), "lowest", "-2"}, {reflect.TypeFor[level](), "level 4095", "4095"},
		{reflect.TypeFor[level](), "level 4096", ""}, {reflect.TypeFor[level](), "not asked", ""},
		{reflect.TypeFor[sparse](), "mega", "1048576"}, {reflect.TypeFor[sparse](), "MEGA", ""}, {reflect.TypeFor[sparse](), "giga", ""}, {reflect.TypeFor[sparse](), "kilo", ""},
		{reflect.TypeFor[broken](), "no", ""}, {reflect.TypeFor[numbered](), "5", ""},
		{reflect.TypeFor[time.Month](), "March", "3"}, {reflect.TypeFor[time.Weekday](), "Sunday", "0"},
	} {
		if got, ok := EnumOf(tt.typ).Number(tt.text); ok != (tt.want != "") || ok && got != tt.want {
			t.Errorf("Number of %v %q = %q, %t; want %q", tt.typ, tt.text, got, ok, tt.want)
		}
	}
	for _, typ := range []reflect.Type{reflect.TypeFor[textless](), reflect.TypeFor[half](), reflect.TypeFor[int](), reflect.TypeFor[time.Duration](), reflect.TypeFor[time.Time](), reflect.TypeFor[*colour](), reflect.TypeFor[rank]()} {
		if e := EnumOf(typ); e != nil {
			t.Errorf("%v is an enum", typ)
		}
	}
	if text, ok := EnumOf(reflect.TypeFor[colour]()).Nearest("gren"); !ok || text != "green" {
		t.Errorf("Nearest = %q, %t", text, ok)
	}
	if EnumOf(reflect.TypeFor[numbered]()).Named() || EnumOf(reflect.TypeFor[broken]()).Named() || !EnumOf(reflect.TypeFor[colour]()).Named() {
		t.Error("Named is wrong")
	}
}
