package codec

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/kivisdb/kivis/internal/msgpack"
)

var errNoRaw = errors.New("it wants one msgpack value, whole and less than 1000 deep")

// checkRaw returns an error unless v is one msgpack value.
func checkRaw(v []byte, depth int) error {
	rest, err := msgpack.SkipDepth(v, maxDepth-depth)
	if err != nil || len(rest) > 0 {
		return errNoRaw
	}
	return nil
}

// appendRaw appends a value that is encoded already.
func (e *anyEncoder) appendRaw(dst []byte, v Raw, depth int) ([]byte, error) {
	e.exotic = true
	if err := checkRaw(v, depth); err != nil {
		return dst, err
	}
	return append(dst, v...), nil
}

// appendModel appends a value of the types that stand for values without Go
// types.
func (e *anyEncoder) appendModel(dst []byte, v any, depth int) (_ []byte, err error) {
	if depth >= maxDepth {
		return dst, errCycle
	}
	switch v := v.(type) {
	case json.Number:
		return appendNumberText(dst, string(v))
	case []Pair:
		if v == nil {
			return msgpack.AppendNil(dst), nil
		}
		return e.appendPairs(dst, v, depth)
	case Members:
		pairs := make([]Pair, len(v))
		for i, m := range v {
			pairs[i] = Pair{m.Name, m.Value}
		}
		return e.appendPairs(dst, pairs, depth)
	}
	return dst, fmt.Errorf("a %T cannot be stored", v) // unreachable: append sends no others
}

func (e *anyEncoder) appendPairs(dst []byte, pairs []Pair, depth int) (_ []byte, err error) {
	e.exotic = true
	dst = msgpack.AppendMapLen(dst, len(pairs))
	entries := make([]mapEntry, 0, len(pairs))
	for _, p := range pairs {
		entry := mapEntry{start: len(dst)}
		if dst, err = e.append(dst, p.Key, depth+1); err != nil {
			return dst, err
		}
		entry.key = len(dst)
		if dst, err = e.append(dst, p.Value, depth+1); err != nil {
			return dst, at(keyStep(p.Key), err)
		}
		entry.end = len(dst)
		entries = append(entries, entry)
	}
	return sortEntries(dst, entries, true)
}

// appendNumberText appends a number as JSON writes it: an integer in its shortest
// form, or a float64 where it has a point or an exponent.
func appendNumberText(dst []byte, text string) ([]byte, error) {
	if strings.ContainsAny(text, ".eE") {
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return dst, fmt.Errorf("the number %s is no float of 64 bits", cutText(text, maxShown))
		}
		return msgpack.AppendFloat64(dst, f), nil
	}
	if u, err := strconv.ParseUint(text, 10, 64); err == nil {
		return msgpack.AppendUint(dst, u), nil
	}
	i, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return dst, fmt.Errorf("the number %s is no integer of 64 bits", cutText(text, maxShown))
	}
	return msgpack.AppendInt(dst, i), nil
}

// appendAny appends a value of no known type, and makes sure that it can be
// read again, also by a program that has not registered its extensions.
func appendAny(dst []byte, v any) ([]byte, error) {
	start := len(dst)
	e := anyEncoder{values: true}
	dst, err := e.append(dst, v, 0)
	if err != nil || !e.exotic {
		return dst, err
	}
	return dst, checkAny(dst[start:])
}

// checkAny returns an error unless b, one value, can be read as one of no known
// type.
func checkAny(b []byte) error {
	if _, _, err := (valueDecoder{}).any(b); err != nil {
		return unreadable(err)
	}
	return nil
}
