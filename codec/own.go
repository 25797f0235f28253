package codec

import (
	"encoding"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"

	"github.com/kivisdb/kivis/internal/msgpack"
	"github.com/kivisdb/kivis/reflectx"
)

// ErrUnknownOrder: a key or index holds values of a type in that type's own order,
// and the program does not have the type.
var ErrUnknownOrder = errors.New("the order of a Go type that this program does not have")

// A form is how values of one Go type become bytes that order as they do: what a
// part of kind [Own] holds.
type form struct {
	name string       // the Go type, by package path and name
	typ  reflect.Type // nil where the program does not have it

	append   func(dst []byte, p reflectx.Pointer) ([]byte, error) // of the value at p
	parse    func(b []byte, p reflectx.Pointer) error             // sets the value at p
	stored   func(dst, value []byte) ([]byte, error)              // of a msgpack value
	text     func(b []byte) (string, error)                       // as predicates have it, without quotes
	fromText func(s string) ([]byte, error)
}

// keyAppender and keyParser are the methods of a type that has an order of its
// own: the bytes of AppendKey order as the values do, and ParseKey reads them.
type keyAppender interface{ AppendKey([]byte) []byte }
type keyReader interface{ ParseKey([]byte) error }

var (
	appenderType = reflect.TypeFor[keyAppender]()
	readerType   = reflect.TypeFor[keyReader]()
)

// forms has the forms that the program has, by the names of their types.
var forms sync.Map // string -> *form

func init() {
	for _, f := range builtins {
		forms.Store(f.name, f)
	}
}

// formOf returns the form of values of type t, or nil where it has no order of its
// own.
func formOf(t reflect.Type, fields FieldsOf) (*form, error) {
	if t.Name() == "" || t.Kind() == reflect.Interface {
		return nil, nil
	}
	name := formName(t)
	if f, ok := forms.Load(name); ok && f.(*form).typ == t {
		return f.(*form), nil
	}
	p := reflect.PointerTo(t)
	if !p.Implements(appenderType) || !p.Implements(readerType) {
		return nil, nil
	}
	f := makeForm(name, t)
	switch kindOf(t) {
	case Struct:
		s := shapeOf(t, fields)
		if s.err != nil {
			return nil, s.err
		}
		f.name = s.name
		f.stored = func(dst, value []byte) ([]byte, error) { return f.ofDecoded(dst, value, s.decodeWhole) }
		if have, ok := forms.Load(f.name); ok && have.(*form).typ == t {
			return have.(*form), nil
		}
	case Slice, Array, Map, Pointer:
		return nil, fmt.Errorf("%s has AppendKey and ParseKey, which say how it orders, but not how it is stored: give it MarshalText and UnmarshalText, or MarshalBinary and UnmarshalBinary, too", reflectx.TypeName(t))
	case Invalid:
		return nil, nil
	}
	forms.Store(f.name, f)
	return f, nil
}

// form returns the form of parts of k, which is an [Own].
func (k *KeyType) form() (*form, error) {
	if f, ok := forms.Load(k.Name); ok {
		return f.(*form), nil
	}
	if name, _, ok := strings.Cut(k.Name, "#"); ok {
		return nil, fmt.Errorf("%w, or not with the fields that are stored: %s", ErrUnknownOrder, name)
	}
	return nil, fmt.Errorf("%w: %s", ErrUnknownOrder, k.Name)
}

// makeForm returns the form of a type with AppendKey and ParseKey.
func makeForm(name string, t reflect.Type) *form {
	f := &form{name: name, typ: t}
	f.append = func(dst []byte, p reflectx.Pointer) ([]byte, error) {
		return p.Value(t).Addr().Interface().(keyAppender).AppendKey(dst), nil
	}
	f.parse = func(b []byte, p reflectx.Pointer) error {
		if err := p.Value(t).Addr().Interface().(keyReader).ParseKey(b); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrCorrupt, reflectx.TypeName(t), err)
		}
		return nil
	}
	f.stored, f.text, f.fromText = f.ofStored, f.ownText, f.ofOwnText
	return f
}

// ofStored appends the bytes of a stored value, which it decodes.
func (f *form) ofStored(dst, value []byte) ([]byte, error) {
	kind := kindOf(f.typ)
	ty := scalarType(kind, f.typ)
	decode, err := (&decoderCompiler{}).compile(f.typ, &ty)
	if err != nil {
		return dst, err
	}
	return f.ofDecoded(dst, value, (&shape{decode: decode}).decodeWhole)
}

// ofDecoded appends the bytes of a stored value, which decode makes one of the type.
func (f *form) ofDecoded(dst, value []byte, decode func(value []byte, p reflectx.Pointer) error) ([]byte, error) {
	v := reflectx.Of(reflect.New(f.typ))
	if err := decode(value, v); err != nil {
		return dst, err
	}
	return f.append(dst, v)
}

// ownText returns the text of a value: the one that the type gives itself, or else
// the bytes in hexadecimal.
func (f *form) ownText(b []byte) (string, error) {
	v := reflect.New(f.typ)
	if err := f.parse(b, reflectx.Of(v)); err != nil {
		return "", err
	}
	if m, ok := v.Interface().(encoding.TextMarshaler); ok && f.readsText() {
		text, err := m.MarshalText()
		return string(text), err
	}
	return "0x" + hex.EncodeToString(b), nil
}

func (f *form) readsText() bool {
	return reflect.PointerTo(f.typ).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// ofOwnText is the reverse of ownText.
func (f *form) ofOwnText(s string) ([]byte, error) {
	v := reflect.New(f.typ)
	if f.readsText() {
		if err := v.Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(s)); err != nil {
			return nil, err
		}
		return f.append(nil, reflectx.Of(v))
	}
	digits, ok := strings.CutPrefix(s, "0x")
	b, err := hex.DecodeString(digits)
	if err == nil && ok {
		err = f.parse(b, reflectx.Of(v))
	} else if !ok {
		err = errors.New("it has no text: write the bytes of its AppendKey as 0x0a0b")
	}
	return b, err
}

// typeOf returns the name of the Go type of k, an [Own], as a person writes it.
func (k *KeyType) ownName() string {
	name, _, _ := strings.Cut(k.Name, "#")
	return name[strings.LastIndexByte(name, '/')+1:]
}

// appendOwn appends the part for the value at p.
func appendOwn(dst []byte, f *form, p reflectx.Pointer) ([]byte, error) {
	var few [64]byte
	b, err := f.append(few[:0], p)
	if err != nil {
		return dst, err
	}
	return AppendString(dst, b), nil
}

// decodeOwn reads a part into the value at p.
func decodeOwn(src []byte, op *keyOp, p reflectx.Pointer) (rest []byte, err error) {
	end, escapes, n := readString(src, op.mask())
	if n == 0 {
		return nil, errBadKey
	}
	return src[n:], op.own.parse(appendText(nil, src[:end], escapes, op.mask()), p)
}

// transcodeOwn appends the part for a stored value of kind Own, OwnBinary or
// OwnText.
func (k *KeyType) transcodeOwn(dst, src []byte) (out, rest []byte, err error) {
	if rest, err = msgpack.Skip(src); err != nil {
		return dst, nil, err
	}
	value := src[:len(src)-len(rest)]
	var b []byte
	switch {
	case k.Kind == Own:
		var f *form
		if f, err = k.form(); err == nil {
			b, err = f.stored(nil, value)
		}
	case msgpack.IsNil(value): // stands for the zero value
	case k.Kind == OwnBinary:
		b, _, err = msgpack.ConsumeBytes(value)
	default:
		b, _, err = msgpack.ConsumeString(value)
	}
	return AppendString(dst, b), rest, err
}

// appendOwnText appends the text of a part's bytes.
func (k *KeyType) appendOwnText(dst, b []byte) []byte {
	switch k.Kind {
	case OwnBinary:
		return hex.AppendEncode(append(dst, "0x"...), b)
	case OwnText:
		return strconv.AppendQuote(dst, string(b))
	}
	f, err := k.form()
	text := ""
	if err == nil {
		text, err = f.text(b)
	}
	switch {
	case err != nil:
		return hex.AppendEncode(append(dst, "0x"...), b)
	case bareText(text):
		return append(dst, text...)
	}
	return strconv.AppendQuote(dst, text)
}

// bareText reports whether a text needs no quotes: it is a decimal number, or
// bytes in hexadecimal.
func bareText(s string) bool {
	digits := strings.TrimPrefix(s, "-")
	if hex, ok := strings.CutPrefix(s, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return digits != "" && strings.Trim(digits, "0123456789") == ""
}

// AppendText appends the part, of type k without pointer and direction, that a text
// is, for k of a kind that has a text of its own: [Own], [OwnText] and [OwnBinary].
func (k *KeyType) AppendText(dst []byte, text string) ([]byte, error) {
	b, err := k.bytesOfText(text)
	if err != nil {
		return dst, err
	}
	return AppendString(dst, b), nil
}

func (k *KeyType) bytesOfText(text string) ([]byte, error) {
	switch k.Kind {
	case OwnText:
		return []byte(text), nil
	case OwnBinary:
		digits, ok := strings.CutPrefix(text, "0x")
		b, err := hex.DecodeString(digits)
		if !ok || err != nil {
			return nil, errors.New("it wants the bytes that its type marshals itself as, such as 0x0a0b")
		}
		return b, nil
	}
	f, err := k.form()
	if err != nil {
		return nil, err
	}
	b, err := f.fromText(text)
	if err != nil {
		return nil, fmt.Errorf("it wants a %s: %w", k.ownName(), err)
	}
	return b, nil
}

// isOwn reports whether the kind's parts are bytes of a type's own, in the form of
// a string.
func (k Kind) isOwn() bool { return k == Own || k == OwnBinary || k == OwnText }

// HasOwn reports whether k or a part of it is of a kind of a type's own: formats
// before 3 do not know them.
func (k *KeyType) HasOwn() bool {
	if k.Kind.isOwn() {
		return true
	}
	for i := range k.Parts {
		if k.Parts[i].HasOwn() {
			return true
		}
	}
	return false
}

// EqualTypeOf returns how a value of the Go type t is encoded where it is only
// compared for equality: as [KeyTypeOf] has it, or else by the binary or text form
// that the type has.
func EqualTypeOf(t reflect.Type, fields FieldsOf) (KeyType, error) {
	k, err := KeyTypeOf(t, fields)
	if err == nil {
		return k, nil
	}
	elem, ptr := reflectx.Pointed(t)
	if !ptr {
		elem = t
	}
	switch kindOf(elem) {
	case Binary:
		return KeyType{Kind: OwnBinary, Ptr: ptr}, nil
	case Text:
		return KeyType{Kind: OwnText, Ptr: ptr}, nil
	}
	return k, err
}

// EqualTypeFor is EqualTypeOf for a stored type.
func EqualTypeFor(t Type, layout *Layout) (KeyType, error) {
	k, err := KeyTypeFor(t, layout)
	if err == nil {
		return k, nil
	}
	ptr := t.Kind == Pointer
	if ptr {
		t = *t.Elem
	}
	switch t.Kind {
	case Binary:
		return KeyType{Kind: OwnBinary, Ptr: ptr}, nil
	case Text:
		return KeyType{Kind: OwnText, Ptr: ptr}, nil
	}
	return k, err
}

// ownBytes are the bytes of a part of a kind of a type's own, as a value: what
// [KeyType.Value] returns for one, to be given to [KeyType.AppendValue].
type ownBytes []byte

// appendZeroOwn appends the part for the zero value, where the program has the
// type.
func (k *KeyType) appendZeroOwn(dst []byte) []byte {
	f, err := k.form()
	if err != nil {
		return AppendString(dst, "")
	}
	out, err := appendOwn(dst, f, reflectx.Of(reflect.New(f.typ)))
	if err != nil {
		return AppendString(dst, "")
	}
	return out
}

// formFor returns the form in which a plan for values of the Go type t makes parts
// of type k.
func formFor(t reflect.Type, fields FieldsOf, k *KeyType) *form {
	if k.Kind == Own {
		f, _ := formOf(t, fields) // k is its type
		return f
	}
	m := marshaler{t}
	kind := map[Kind]Kind{OwnBinary: Binary, OwnText: Text}[k.Kind]
	encode := m.encoder(kind)
	ty := Type{Kind: kind}
	return &form{
		append: func(dst []byte, p reflectx.Pointer) ([]byte, error) {
			value, err := encode(nil, p, 0)
			if err != nil {
				return dst, err
			}
			own := KeyType{Kind: k.Kind}
			part, _, err := own.transcodeOwn(nil, value)
			if err != nil {
				return dst, err
			}
			end, escapes, _ := readString(part, 0)
			return appendText(dst, part[:end], escapes, 0), nil
		},
		parse: func(b []byte, p reflectx.Pointer) error {
			decode, err := (&decoderCompiler{}).compile(t, &ty)
			if err != nil {
				return err
			}
			value := msgpack.AppendString(nil, string(b))
			if kind == Binary {
				value = msgpack.AppendBytes(nil, b)
			}
			_, err = decode(value, p, 0)
			return err
		},
	}
}

// appendOwnValue appends the part for v, a value of the part's Go type, a text of
// it, or what a field of the stored type t takes.
func (k *KeyType) appendOwnValue(dst []byte, t *Type, l *Layout, v any) ([]byte, error) {
	if r := reflect.ValueOf(v); k.Kind == Own && v != nil {
		if f, err := k.form(); err == nil && r.Type() == f.typ {
			p := reflect.New(f.typ)
			p.Elem().Set(r)
			return appendOwn(dst, f, reflectx.Of(p))
		}
	}
	if text, ok := v.(string); ok {
		return k.AppendText(dst, text)
	}
	if t == nil {
		return dst, fmt.Errorf("it wants a %s, or its text, not %s", k, showValue(v))
	}
	var value []byte
	var err error
	if v == nil {
		value, err = appendNilOf(nil, t)
	} else {
		value, err = (valueEncoder{l}).append(nil, t, v, 0)
	}
	if err == nil {
		dst, _, err = k.transcodeOwn(dst, value)
	}
	return dst, err
}
