package codec

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
)

// any takes a value of no known type.
func (r jsonReader) any() (any, error) {
	switch r.peek() {
	case 'n':
		r.raw()
		return nil, nil
	case 't', 'f':
		return string(r.raw()) == "true", nil
	case '"':
		return r.text()
	case '[':
		list := []any{}
		err := r.elements(func(int) error {
			v, err := r.any()
			list = append(list, v)
			return err
		})
		return list, err
	case '{':
		return r.anyObject()
	}
	return json.Number(r.raw()), nil
}

// anyObject takes a map whose keys are strings, or a value in a form of its own.
func (r jsonReader) anyObject() (v any, err error) {
	pairs, marked := []Pair{}, ""
	err = r.members(func(name string) (err error) {
		if marked != "" || strings.HasPrefix(name, "$") && len(pairs) > 0 {
			return fmt.Errorf("an object with a name that begins with $, such as %s, has no other; as a map it is {\"$map\": [[key, value]]}", showValue(marked+name))
		}
		if strings.HasPrefix(name, "$") {
			marked = name
			v, err = r.marked(name)
			return err
		}
		x, err := r.any()
		pairs = append(pairs, Pair{name, x})
		return bracketed(name, err)
	})
	if err != nil || marked != "" {
		return v, err
	}
	return pairs, nil
}

// marked takes the value of an object whose only name is the given one, which
// begins with $.
func (r jsonReader) marked(name string) (any, error) {
	switch name {
	case "$float":
		return r.markedFloat(64)
	case "$float32":
		f, err := r.markedFloat(32)
		return narrowed(f), err
	case "$bytes":
		return r.base64(name)
	case "$text":
		b, err := r.base64(name)
		return string(b), err
	case "$msgpack":
		b, err := r.base64(name)
		return Raw(b), err
	case "$time":
		if r.peek() == '"' {
			s, err := r.text()
			if err != nil {
				return nil, err
			}
			return parseTime(s)
		}
		return nil, r.refuse(&Type{Kind: Time})
	case "$map":
		if r.peek() == '[' {
			return r.pairList(r.any, r.any)
		}
		return nil, fmt.Errorf("$map wants an array of [key, value], not %s", cutText(string(r.raw()), maxShown))
	}
	return r.markedInt(name)
}

// base64 takes the bytes that stand under name.
func (r jsonReader) base64(name string) ([]byte, error) {
	if r.peek() == '"' {
		s, err := r.text()
		if err != nil {
			return nil, err
		}
		if b, err := base64.StdEncoding.Strict().DecodeString(s); err == nil {
			return b, nil
		}
		return nil, fmt.Errorf("%s wants a string of base64, not %s", name, showValue(s))
	}
	return nil, fmt.Errorf("%s wants a string of base64, not %s", name, cutText(string(r.raw()), maxShown))
}

// markedFloat takes a float of so many bits.
func (r jsonReader) markedFloat(bits uint8) (float64, error) {
	t := &Type{Kind: Float, Bits: bits}
	v, err := r.copy().scalar(t)
	if err != nil {
		return 0, err
	}
	if special, ok := v.(float64); ok {
		r.raw()
		return special, nil
	}
	f, ok := floatOf(v, bits)
	if !ok {
		return 0, r.refuse(t)
	}
	r.raw()
	return f, nil
}

// markedInts has a value of each width that an integer can be written in.
var markedInts = map[string]func(n integer) (v any, ok bool){
	"$int8":   func(n integer) (any, bool) { i, ok := n.int(8); return int8(i), ok },
	"$int16":  func(n integer) (any, bool) { i, ok := n.int(16); return int16(i), ok },
	"$int32":  func(n integer) (any, bool) { i, ok := n.int(32); return int32(i), ok },
	"$int64":  func(n integer) (any, bool) { i, ok := n.int(64); return i, ok },
	"$uint8":  func(n integer) (any, bool) { u, ok := n.uint(8); return uint8(u), ok },
	"$uint16": func(n integer) (any, bool) { u, ok := n.uint(16); return uint16(u), ok },
	"$uint32": func(n integer) (any, bool) { u, ok := n.uint(32); return uint32(u), ok },
	"$uint64": func(n integer) (any, bool) { u, ok := n.uint(64); return u, ok },
}

// markedInt takes an integer written in the width that name says.
func (r jsonReader) markedInt(name string) (any, error) {
	of := markedInts[name]
	if of == nil {
		return nil, fmt.Errorf("there is no form %s of values; as the key of a map it is {\"$map\": [[%s, value]]}", showValue(name), showValue(name))
	}
	raw := string(r.raw())
	if n, ok := parseInteger(raw); ok {
		if v, ok := of(n); ok {
			return v, nil
		}
	}
	return nil, fmt.Errorf("it wants a number that is an %s, not %s", name[1:], cutText(raw, maxShown))
}
