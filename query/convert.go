package query

import (
	"fmt"
	"math"
	"strconv"

	"github.com/kivisdb/kivis/codec"
)

// convert returns a value of another type in the operand's form, where it
// stands for one of the operand's: what a caller has that learns of fields at
// run time, from JSON for one. A whole number may be of any type of numbers,
// a time, a duration and an array of bytes may be in a string, and bytes stand
// for whatever is stored as bytes.
func (o *operand) convert(l *Literal) ([]byte, error) {
	base := o.key.Base()
	base.Ptr = false
	if exact, ok := o.storedBytes(l, &base); ok {
		return o.adapt(exact, false)
	}
	text, ok := o.enumText(l)
	if !ok {
		text, ok = convertible(l, base.Kind)
	}
	if !ok {
		return nil, fmt.Errorf("it is %s and the value %s", article(o.key.Base().String()), article(l.Type.String()))
	}
	text, err := o.numbered(text)
	if err != nil {
		return nil, err
	}
	exact, err := appendText(nil, &base, text)
	if err != nil {
		return nil, err
	}
	if base.Kind == codec.Float && l.Type.Kind != codec.Float && !isExact(text.Text) {
		return nil, fmt.Errorf("it is %s, which cannot be %s exactly", typeName(&o.stored), text.Text)
	}
	return o.adapt(exact, false)
}

// storedBytes returns the part, of type base, of a value that its type marshals
// as the bytes that l is, as they come out of a record by name.
func (o *operand) storedBytes(l *Literal, base *codec.KeyType) ([]byte, bool) {
	if l.Type.Kind != codec.Bytes || l.Type.Ptr || base.Kind != codec.Own {
		return nil, false
	}
	raw, err := l.Type.Values(l.Exact)
	if err != nil {
		return nil, false
	}
	exact, err := base.AppendValue(nil, o.value(), nil, raw[0])
	return exact, err == nil
}

// enumText returns the string that a value is as a text, where the operand is an
// enum.
func (o *operand) enumText(l *Literal) (Literal, bool) {
	if l.Type.Kind != codec.String || l.Type.Ptr || o.enum() == nil {
		return Literal{}, false
	}
	text, _, err := l.Type.Format(l.Exact)
	if err == nil {
		text, err = strconv.Unquote(text)
	}
	return Literal{Text: text, Quoted: true}, err == nil
}

// isExact reports whether a float can be the integer of a text.
func isExact(text string) bool {
	f, err := strconv.ParseFloat(text, 64)
	return err == nil && strconv.FormatFloat(f, 'f', 0, 64) == text
}

// convertible returns the value as a text that may be of the kind to, and
// whether there is one.
func convertible(l *Literal, to codec.Kind) (Literal, bool) {
	text, _, err := l.Type.Format(l.Exact)
	if err != nil || l.Type.Ptr {
		return Literal{}, false
	}
	switch from := l.Type.Kind; {
	case from == codec.String && isOwn(to):
		text, err = strconv.Unquote(text)
		return Literal{Text: text, Quoted: true}, err == nil
	case (from == codec.Int || from == codec.Uint) && to == codec.Own:
		return Literal{Text: text}, true
	case from == codec.Bytes && (to == codec.ByteArray || to == codec.Own || to == codec.OwnBinary):
		return Literal{Text: text}, true
	case from == codec.String && (to == codec.Time || to == codec.Duration || to == codec.ByteArray):
		text, err = strconv.Unquote(text)
		return Literal{Text: text, Quoted: true}, err == nil
	case (from == codec.Int || from == codec.Uint) && to == codec.Float:
		return Literal{Text: text}, true
	case from == codec.Float && (to == codec.Int || to == codec.Uint):
		f, err := strconv.ParseFloat(text, 64)
		whole := err == nil && f == math.Trunc(f) && math.Abs(f) < 1<<63
		return Literal{Text: strconv.FormatFloat(f, 'f', 0, 64)}, whole
	}
	return Literal{}, false
}
