package codec

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"sync"

	"github.com/kivisdb/kivis/reflectx"
)

// An Enum is an integer type whose values have texts, by its method MarshalText or
// else String. It may be used by many goroutines.
type Enum struct {
	typ     reflect.Type
	once    sync.Once
	numbers map[string]string // by text
	texts   []string          // in the order in which values are tried
}

// EnumOf returns the enum that the Go type t is, or nil where it is none.
func EnumOf(t reflect.Type) *Enum {
	if e, ok := enums.Load(t); ok {
		return e.(*Enum)
	}
	e, _ := enums.LoadOrStore(t, makeEnum(t))
	return e.(*Enum)
}

var enums sync.Map // reflect.Type -> *Enum, nil for other types

var (
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
	stringer      = reflect.TypeFor[fmt.Stringer]()
)

func makeEnum(t reflect.Type) *Enum {
	if k := kindOf(t); k != Int && k != Uint {
		return nil
	}
	if p := reflect.PointerTo(t); !p.Implements(textMarshaler) && !p.Implements(stringer) {
		return nil
	}
	return &Enum{typ: t}
}

// Values outside of these bounds are found by UnmarshalText alone.
const (
	leastTried    = -256
	greatestTried = 4095
)

// Number returns the number, in decimal digits, of the value whose text is text:
// the first one in the order 0, 1, 2 and on, then -1, -2 and on; values beyond a
// few thousand only if the type reads its text itself. It returns false where no
// value has that text.
func (e *Enum) Number(text string) (number string, ok bool) {
	e.once.Do(e.try)
	if number, ok = e.numbers[text]; !ok {
		number, ok = e.read(text)
	}
	return number, ok
}

// Named reports whether any value has a text other than its number. It is false of
// ids, which are no enum.
func (e *Enum) Named() bool {
	e.once.Do(e.try)
	return len(e.texts) > 0
}

// Nearest returns the text of a value that was most likely meant.
func (e *Enum) Nearest(text string) (string, bool) {
	e.once.Do(e.try)
	return reflectx.Nearest(text, e.texts)
}

// try asks the values for their texts.
func (e *Enum) try() {
	e.numbers = map[string]string{}
	for n := int64(0); n <= greatestTried; n++ {
		e.add(n)
	}
	for n := int64(-1); n >= leastTried; n-- {
		e.add(n)
	}
}

// add asks the value n for its text, where the type has the value.
func (e *Enum) add(n int64) {
	v := reflect.New(e.typ)
	if elem := v.Elem(); elem.CanInt() {
		if elem.OverflowInt(n) {
			return
		}
		elem.SetInt(n)
	} else {
		if n < 0 || elem.OverflowUint(uint64(n)) {
			return
		}
		elem.SetUint(uint64(n))
	}
	text, number, ok := textOfEnum(v)
	if !ok {
		return
	}
	if _, taken := e.numbers[text]; !taken {
		e.numbers[text], e.texts = number, append(e.texts, text)
	}
}

// read asks the type to read a text, of a value that gives it back.
func (e *Enum) read(text string) (number string, ok bool) {
	v := reflect.New(e.typ)
	u, ok := v.Interface().(encoding.TextUnmarshaler)
	if !ok {
		return "", false
	}
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	if u.UnmarshalText([]byte(text)) != nil {
		return "", false
	}
	back, number, ok := textOfEnum(v)
	return number, ok && back == text
}

// textOfEnum returns the text of the value that v points to, and its number. A value
// whose text is its number, or whose method fails, has none.
func textOfEnum(v reflect.Value) (text, number string, ok bool) {
	defer func() {
		if recover() != nil { // an array of names is too short
			ok = false
		}
	}()
	switch m := v.Interface().(type) {
	case encoding.TextMarshaler:
		b, err := m.MarshalText()
		if err != nil {
			return "", "", false
		}
		text = string(b)
	case fmt.Stringer:
		text = m.String()
	}
	if n := v.Elem(); n.CanInt() {
		number = strconv.FormatInt(n.Int(), 10)
	} else {
		number = strconv.FormatUint(n.Uint(), 10)
	}
	return text, number, text != number
}
