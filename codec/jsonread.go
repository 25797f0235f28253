package codec

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// AppendFromJSON appends the value of type t that text, one JSON value, stands
// for, in the forms of [Layout.AppendJSON]. Nested structs are those of l.
//
// An integer may have a fraction of zeros or an exponent, and a duration may be a
// number of nanoseconds. Of a struct fields may be missing, which are zero.
// Unknown fields, fields and keys that are there twice, fractions of integers,
// numbers out of range and text with half a surrogate pair are errors.
//
// An error is an [*Error] that has the path from the value to what is at fault,
// and says what is wanted there; then dst is returned as it was.
func (l *Layout) AppendFromJSON(dst []byte, t *Type, text []byte) ([]byte, error) {
	s, err := scanJSON(text)
	var v any
	if err == nil {
		v, err = jsonReader{l, s}.value(t)
	}
	if err != nil {
		return dst, errorOf(opEncode, nil, 0, err)
	}
	return l.AppendValue(dst, t, v)
}

// AppendRecordFromJSON appends the body of the record that text, a JSON object of
// its fields, stands for, as [Layout.AppendFromJSON] does. The offsets it
// returns, in the memory of offs, are those of [Encoder.Encode].
func (l *Layout) AppendRecordFromJSON(dst, text []byte, offs []uint32) ([]byte, []uint32, error) {
	s, err := scanJSON(text)
	var v any
	if err == nil {
		v, err = jsonReader{l, s}.fields(l.Fields)
	}
	if err != nil {
		return dst, offs[:0], errorOf(opEncode, nil, 0, err)
	}
	return l.AppendRecord(dst, v, offs)
}

// A jsonReader makes of JSON the values that [Layout.AppendValue] takes. What
// that refuses, such as a number out of range, it passes on.
type jsonReader struct {
	layout *Layout
	*jsonScanner
}

// refuse returns the error of what comes next, which is no t.
func (r jsonReader) refuse(t *Type) error {
	return fmt.Errorf("it wants %s, not %s", t.wantsJSON(), cutText(string(r.raw()), maxShown))
}

// value takes a value of type t.
func (r jsonReader) value(t *Type) (any, error) {
	if r.peek() == 'n' && t.Kind != Any {
		r.raw()
		return nil, nil // which AppendValue refuses where it cannot be
	}
	switch t.Kind {
	case Pointer:
		return r.value(t.Elem)
	case Slice, Array:
		return r.list(t)
	case Map:
		return r.pairs(t)
	case Struct:
		return r.fields(r.layout.Structs[t.Struct])
	case Any:
		return r.any()
	}
	return r.scalar(t)
}

// scalar takes a value that has no others inside it.
func (r jsonReader) scalar(t *Type) (any, error) {
	switch c := r.peek(); {
	case c == '{' && (t.Kind == String || t.Kind == Text):
		return r.markedText(t)
	case c == '{', c == '[':
		return nil, r.refuse(t)
	case c == 't', c == 'f':
		return string(r.raw()) == "true", nil
	case c != '"':
		return json.Number(r.raw()), nil
	}
	s, err := r.text()
	if err != nil {
		return nil, err
	}
	switch t.Kind {
	case Float:
		if f, ok := specialFloat(s, t.Bits); ok {
			return f, nil
		}
	case Bytes, ByteArray, Binary, Custom:
		if b, ok := t.addressBytes(s); ok {
			return b, nil
		}
		b, err := base64.StdEncoding.Strict().DecodeString(s)
		if err != nil {
			return nil, fmt.Errorf("it wants %s, not %s", t.wantsJSON(), showValue(s))
		}
		return b, nil
	}
	return s, nil
}

// wantsJSON is wants for values in JSON.
func (t *Type) wantsJSON() string {
	switch t.Kind {
	case Bytes, ByteArray, Binary, Custom:
		if t.isAddress() {
			return "the text of a " + t.Name + ", or its bytes in base64"
		}
		return t.wants() + " in base64"
	case Slice, Array:
		return "an array"
	case Map:
		if t.Key.Kind == String || t.Key.Kind == Text {
			return "an object, or an array of [key, value]"
		}
		return "an array of [key, value]"
	case Struct:
		return "an object"
	case Pointer:
		return "null or " + t.Elem.wantsJSON()
	}
	return t.wants()
}

// markedText takes a string in the form for bytes that are not UTF-8.
func (r jsonReader) markedText(t *Type) (any, error) {
	raw, s, marked := r.copy(), "", false
	err := r.members(func(name string) (err error) {
		if marked || name != "$text" || r.peek() != '"' {
			return raw.refuse(t)
		}
		marked = true
		b, err := r.base64(name)
		s = string(b)
		return err
	})
	if err == nil && !marked {
		err = raw.refuse(t)
	}
	return s, err
}

// copy returns a reader that goes on from where r is.
func (r jsonReader) copy() jsonReader {
	s := *r.jsonScanner
	return jsonReader{r.layout, &s}
}

// specialFloat returns the float of so many bits that is no number in JSON.
func specialFloat(s string, bits uint8) (float64, bool) {
	switch s {
	case "NaN":
		return math.NaN(), true
	case "Infinity":
		return math.Inf(1), true
	case "-Infinity":
		return math.Inf(-1), true
	}
	digits, isNaN := strings.CutPrefix(s, "NaN:")
	b, err := strconv.ParseUint(digits, 16, int(bits))
	f := math.Float64frombits(b)
	if bits == 32 {
		f = widened(math.Float32frombits(uint32(b)))
	}
	return f, isNaN && err == nil && len(digits) == int(bits)/4 && f != f
}

func (r jsonReader) list(t *Type) (any, error) {
	if r.peek() != '[' {
		return nil, r.refuse(t)
	}
	list := []any{}
	err := r.elements(func(i int) error {
		v, err := r.value(t.Elem)
		list = append(list, v)
		return err
	})
	return list, err
}

// pairs takes a map in either of its forms.
func (r jsonReader) pairs(t *Type) (any, error) {
	pairs, named := []Pair{}, t.Key.Kind == String || t.Key.Kind == Text
	if r.peek() == '{' && named {
		err := r.members(func(name string) error {
			v, err := r.value(t.Elem)
			pairs = append(pairs, Pair{name, v})
			return bracketed(name, err)
		})
		return pairs, err
	}
	if r.peek() != '[' {
		return nil, r.refuse(t)
	}
	return r.pairList(func() (any, error) { return r.value(t.Key) }, func() (any, error) { return r.value(t.Elem) })
}

// bracketed returns err, if it is one, as of the value of a key.
func bracketed(key any, err error) error {
	if err == nil {
		return nil
	}
	return at(keyStep(key), err)
}

// pairList takes an array of arrays of what key and value take.
func (r jsonReader) pairList(key, value func() (any, error)) ([]Pair, error) {
	pairs := []Pair{}
	err := r.elements(func(int) error {
		if r.peek() != '[' {
			return fmt.Errorf("it wants [key, value], not %s", cutText(string(r.raw()), maxShown))
		}
		p, n := Pair{}, 0
		err := r.elements(func(int) (err error) {
			switch n++; n {
			case 1:
				p.Key, err = key()
			case 2:
				p.Value, err = value()
			default:
				r.raw()
			}
			return err
		})
		if err == nil && n != 2 {
			err = fmt.Errorf("it wants [key, value], not an array of %d", n)
		}
		pairs = append(pairs, p)
		return err
	})
	return pairs, err
}

// fields takes a struct, or a record.
func (r jsonReader) fields(fields []Field) (any, error) {
	if r.peek() != '{' {
		return nil, r.refuse(&Type{Kind: Struct})
	}
	s := Members{}
	err := r.members(func(name string) error {
		for i := range fields {
			if fields[i].Name == name {
				v, err := r.value(&fields[i].Type)
				s = append(s, Member{name, v})
				if err != nil {
					return at(name, err)
				}
				return nil
			}
		}
		return unknownField(name, fields)
	})
	return s, err
}
