package codec

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	vmsgpack "github.com/vmihailenco/msgpack/v5"

	"github.com/kivisdb/kivis/internal/msgpack"
	"github.com/kivisdb/kivis/reflectx"
)

// A marshaler encodes and decodes values of a type that does it itself. Its
// methods may have value or pointer receivers: they are called on a pointer.
type marshaler struct{ t reflect.Type }

// pointer returns the value at p as a pointer in an interface.
func (m marshaler) pointer(p reflectx.Pointer) any { return p.Value(m.t).Addr().Interface() }

func (m marshaler) encoder(kind Kind) encodeFunc {
	switch kind {
	case Binary:
		return m.encodeBinary
	case Text:
		return m.encodeText
	case JSON:
		return m.encodeJSON
	}
	if reflect.PointerTo(m.t).Implements(reflect.TypeFor[vmsgpack.CustomEncoder]()) {
		return m.encodeCoder
	}
	return m.encodeMsgpack
}

func (m marshaler) encodeBinary(dst []byte, p reflectx.Pointer, _ int) ([]byte, error) {
	b, err := m.pointer(p).(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		return dst, err
	}
	return msgpack.AppendBytes(dst, b), nil
}

func (m marshaler) encodeText(dst []byte, p reflectx.Pointer, _ int) ([]byte, error) {
	b, err := m.pointer(p).(encoding.TextMarshaler).MarshalText()
	if err != nil {
		return dst, err
	}
	return msgpack.AppendStringBytes(dst, b), nil
}

func (m marshaler) encodeJSON(dst []byte, p reflectx.Pointer, _ int) ([]byte, error) {
	b, err := m.pointer(p).(json.Marshaler).MarshalJSON()
	if err == nil && !json.Valid(b) {
		err = errNotJSON
	}
	if err != nil {
		return dst, err
	}
	return msgpack.AppendStringBytes(dst, b), nil
}

var errNotJSON = errors.New("the method MarshalJSON has not returned JSON")

func (m marshaler) encodeMsgpack(dst []byte, p reflectx.Pointer, _ int) ([]byte, error) {
	b, err := m.pointer(p).(vmsgpack.Marshaler).MarshalMsgpack()
	if err != nil {
		return dst, err
	}
	return wrapCustom(append(dst, b...), len(dst)), nil
}

func (m marshaler) encodeCoder(dst []byte, p reflectx.Pointer, _ int) ([]byte, error) {
	start := len(dst)
	dst, err := library(dst, m.pointer(p).(vmsgpack.CustomEncoder).EncodeMsgpack)
	if err != nil {
		return dst, err
	}
	return wrapCustom(dst, start), nil
}

// library appends what encode writes to an encoder of the msgpack library.
func library(dst []byte, encode func(*vmsgpack.Encoder) error) ([]byte, error) {
	w := &appender{dst}
	enc := vmsgpack.GetEncoder()
	enc.Reset(w)
	enc.SetSortMapKeys(true)
	err := encode(enc)
	vmsgpack.PutEncoder(enc)
	return w.b, err
}

// An appender is a writer to a slice.
type appender struct{ b []byte }

func (a *appender) Write(p []byte) (int, error) {
	a.b = append(a.b, p...)
	return len(p), nil
}

func (a *appender) WriteByte(c byte) error {
	a.b = append(a.b, c)
	return nil
}

// wrapCustom makes one value of what a type's msgpack methods have written
// since start. That is as it is if it is one value other than bytes. A type may
// write several values, as the library's own documentation does, or none: then
// the value is bytes that hold them; and so it is if it was bytes already.
func wrapCustom(dst []byte, start int) []byte {
	written := dst[start:]
	rest, err := msgpack.SkipDepth(written, maxDepth)
	if _, _, notBytes := msgpack.ConsumeBytes(written); err == nil && len(rest) == 0 && notBytes != nil {
		return dst
	}
	return msgpack.AppendBytes(dst[:start], bytes.Clone(written))
}

func (m marshaler) decoder(kind Kind) decodeFunc {
	switch kind {
	case Binary:
		return m.decodeBinary
	case Text:
		return m.decodeText
	case JSON:
		return m.decodeJSON
	}
	return m.decodeCustom
}

// decodeNil sets the value at p to zero, for the nil that starts b: it stands
// for a field that an older layout did not have.
func (m marshaler) decodeNil(b []byte, p reflectx.Pointer) ([]byte, error) {
	p.Value(m.t).SetZero()
	return b[1:], nil
}

func (m marshaler) decodeBinary(b []byte, p reflectx.Pointer, _ int) ([]byte, error) {
	if msgpack.IsNil(b) {
		return m.decodeNil(b, p)
	}
	v, rest, err := msgpack.ConsumeBytes(b)
	if err == nil {
		err = m.pointer(p).(encoding.BinaryUnmarshaler).UnmarshalBinary(v)
	}
	if err != nil {
		return b, err
	}
	return rest, nil
}

func (m marshaler) decodeText(b []byte, p reflectx.Pointer, _ int) ([]byte, error) {
	if msgpack.IsNil(b) {
		return m.decodeNil(b, p)
	}
	v, rest, err := msgpack.ConsumeString(b)
	if err == nil {
		err = m.pointer(p).(encoding.TextUnmarshaler).UnmarshalText(v)
	}
	if err != nil {
		return b, err
	}
	return rest, nil
}

func (m marshaler) decodeJSON(b []byte, p reflectx.Pointer, _ int) ([]byte, error) {
	if msgpack.IsNil(b) {
		return m.decodeNil(b, p)
	}
	v, rest, err := msgpack.ConsumeString(b)
	if err == nil && !json.Valid(v) {
		err = fmt.Errorf("%w: not JSON", ErrCorrupt)
	}
	if err == nil {
		err = m.pointer(p).(json.Unmarshaler).UnmarshalJSON(v)
	}
	if err != nil {
		return b, err
	}
	return rest, nil
}

func (m marshaler) decodeCustom(b []byte, p reflectx.Pointer, _ int) ([]byte, error) {
	if msgpack.IsNil(b) {
		return m.decodeNil(b, p)
	}
	rest, err := msgpack.SkipDepth(b, maxDepth)
	if err != nil {
		return b, err
	}
	written := b[: len(b)-len(rest) : len(b)-len(rest)]
	if inside, _, err := msgpack.ConsumeBytes(b); err == nil {
		written = inside
	}
	switch v := m.pointer(p).(type) {
	case vmsgpack.CustomDecoder:
		err = decodeWith(v, written)
	case vmsgpack.Unmarshaler:
		err = v.UnmarshalMsgpack(written)
	}
	if err != nil {
		return b, err
	}
	return rest, nil
}

// decodeWith lets v decode what it has written. The library trusts lengths and
// recurs, so what is no msgpack or too deep does not reach it.
func decodeWith(v vmsgpack.CustomDecoder, written []byte) error {
	for rest := written; len(rest) > 0; {
		var err error
		if rest, err = msgpack.SkipDepth(rest, maxDepth); err != nil {
			return err
		}
	}
	dec := vmsgpack.GetDecoder()
	dec.Reset(bytes.NewReader(written))
	err := v.DecodeMsgpack(dec)
	vmsgpack.PutDecoder(dec)
	if err != nil {
		return fmt.Errorf("%T: %w", v, err)
	}
	return nil
}
