package query

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/kivisdb/kivis/codec"
)

// parts returns literals as parts of the operand, or notes what is wrong with
// them. The next call uses the slice again.
func (b *binder) parts(op *operand, o Operand, lits []Literal) ([][]byte, bool) {
	out := emptied(b.mem.parts)
	ok := true
	for i := range lits {
		l := &lits[i]
		p, err := op.part(l, o.Deref)
		if err != nil {
			at, inner := o, (*valueError)(nil)
			if l.Pos > 0 {
				at.Pos = l.Pos
			}
			if errors.As(err, &inner) {
				at.Pos, err = inner.pos, inner.err
			}
			b.fail(at, err)
			ok = false
		}
		out = append(out, p)
	}
	b.mem.parts = out
	return out, ok
}

// part returns a literal in the operand's form.
func (o *operand) part(l *Literal, deref bool) ([]byte, error) {
	if l.Err != nil {
		return nil, l.Err
	}
	exact, ptr := l.Exact, l.Type != nil && l.Type.Ptr
	if l.Type == nil {
		base := o.key.Base()
		isNil := l.isNil()
		if isNil && !base.Ptr && o.stored.Kind == codec.Bytes {
			return nil, errors.New("nil has no place among bytes: write is nil")
		}
		if isNil && (!base.Ptr || deref) {
			return nil, fmt.Errorf("%s is never nil", o.noun(deref))
		}
		if isNil {
			return []byte{0}, nil
		}
		base.Ptr = false
		text, err := o.numbered(*l)
		if err == nil {
			exact, err = appendText(nil, &base, text)
		}
		if err != nil {
			return nil, err
		}
	} else if !o.takes(l.Type) {
		return o.convert(l)
	}
	return o.adapt(exact, ptr)
}

// takes reports whether values of type t can be compared with the operand.
func (o *operand) takes(t *codec.KeyType) bool {
	have := o.key.Base()
	if t.Ptr && !have.Ptr {
		return false
	}
	have.Ptr = t.Ptr
	return have.Compatible(*t)
}

// adapt brings an exact part, of a pointer if ptr, into the operand's form.
func (o *operand) adapt(exact []byte, ptr bool) ([]byte, error) {
	if o.isFloat32() && (!ptr || exact[0] != 0) {
		exact = roundFloat32(exact, ptr)
	}
	if _, outside := isOutside(exact, ptr); outside && o.key.Kind == codec.Time {
		if o.key.Ptr && !ptr {
			exact = append([]byte{1}, exact...)
		}
		return exact, nil
	}
	switch {
	case o.key.Ptr && !ptr:
		return o.key.AppendDeref(nil, exact)
	case o.whole || o.key.Fold:
		return o.key.AppendLiteral(nil, exact)
	}
	return exact, nil
}

// hasToAdapt reports whether a value that the operand takes, and not nil, has
// another form in a plan than its own.
func (o *operand) hasToAdapt(l *Literal) bool {
	switch o.key.Kind {
	case codec.Float:
		return o.isFloat32() && !sameBytes(roundFloat32(l.Exact, l.Type.Ptr), l.Exact)
	case codec.Time:
		_, outside := isOutside(l.Exact, l.Type.Ptr)
		return outside
	}
	return false
}

// isFloat32 reports whether the operand's values are floats of 32 bits.
func (o *operand) isFloat32() bool {
	t := o.value()
	return t.Kind == codec.Float && t.Bits == 32
}

// value returns the type of the operand's values that are not nil.
func (o *operand) value() *codec.Type {
	if o.stored.Kind == codec.Pointer {
		return o.stored.Elem
	}
	return &o.stored
}

// roundFloat32 returns the part of a float, of a pointer if ptr, rounded as a
// field of 32 bits would hold it: 0.1 is to find what was stored as 0.1. What
// needs no rounding is returned as it is.
func roundFloat32(exact []byte, ptr bool) []byte {
	value := exact[asInt(ptr):]
	k := codec.KeyType{Kind: codec.Float}
	text, _, err := k.Format(value)
	if err != nil {
		return exact
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || float64(float32(f)) == f || f != f {
		return exact
	}
	return codec.AppendFloat(exact[:asInt(ptr):asInt(ptr)], float64(float32(f)))
}

// appendText appends the part of type k, no pointer, that a literal of a text
// is.
func appendText(dst []byte, k *codec.KeyType, l Literal) ([]byte, error) {
	if (l.Tuple != nil) != (k.Kind == codec.Struct) {
		return nil, wanted(k, l)
	}
	switch k.Kind {
	case codec.Struct:
		return appendTuple(dst, k, l)
	case codec.Own, codec.OwnBinary, codec.OwnText:
		return k.AppendText(dst, l.Text)
	case codec.String:
		if !l.Quoted {
			return nil, fmt.Errorf("a string stands in quotes: %s", quote(shorten(l.Text)))
		}
		return codec.AppendString(dst, l.Text), nil
	case codec.Bytes, codec.ByteArray:
		return appendBytes(dst, k, l)
	case codec.Time:
		t, ok := parseTime(l.Text)
		if !ok {
			return nil, wanted(k, l)
		}
		return appendInstant(dst, t), nil
	case codec.Duration:
		d, err := time.ParseDuration(l.Text)
		if err != nil {
			return nil, wanted(k, l)
		}
		return codec.AppendInt(dst, int64(d)), nil
	}
	if l.Quoted {
		return nil, wanted(k, l)
	}
	return appendNumber(dst, k, l)
}

// isOwn reports whether values of a kind have a text that their Go type gives them.
func isOwn(k codec.Kind) bool {
	return k == codec.Own || k == codec.OwnBinary || k == codec.OwnText
}

func appendNumber(dst []byte, k *codec.KeyType, l Literal) ([]byte, error) {
	switch k.Kind {
	case codec.Bool:
		if is := strings.EqualFold(l.Text, "true"); is || strings.EqualFold(l.Text, "false") {
			return codec.AppendBool(dst, is), nil
		}
	case codec.Float:
		if f, err := strconv.ParseFloat(l.Text, 64); err == nil {
			return codec.AppendFloat(dst, f), nil
		}
		if u, err := strconv.ParseUint(parseBase(l.Text)); err == nil && uint64(float64(u)) == u {
			return codec.AppendFloat(dst, float64(u)), nil // 0x10
		}
	case codec.Int, codec.Uint:
		if u, err := strconv.ParseUint(parseBase(l.Text)); err == nil {
			return codec.AppendUint(dst, u), nil
		}
		if i, err := strconv.ParseInt(parseBase(l.Text)); err == nil {
			return codec.AppendInt(dst, i), nil
		}
	}
	return nil, wanted(k, l)
}

// parseBase returns the arguments with which strconv reads an integer of a
// text: it is decimal unless it begins with 0x, so leading zeros change nothing.
func parseBase(text string) (digits string, base, bits int) {
	sign, rest := "", text
	if rest != "" && (rest[0] == '-' || rest[0] == '+') {
		sign, rest = rest[:1], rest[1:]
	}
	hex, ok := strings.CutPrefix(strings.ToLower(rest), "0x")
	if !ok || hex == "" || hex[0] == '-' || hex[0] == '+' {
		return text, 10, 64
	}
	return sign + hex, 16, 64
}

// wanted says what a literal should have been.
func wanted(k *codec.KeyType, l Literal) error {
	want := map[codec.Kind]string{
		codec.Bool: "true or false", codec.Float: "a number", codec.Duration: "a duration such as 1h30m",
		codec.Int: "an integer", codec.Uint: "an integer", codec.Struct: "a tuple such as (1, 'a')",
		codec.Time:  "a time such as 2006-01-02T15:04:05Z or 2006-01-02",
		codec.Bytes: "bytes such as 0x0a0b", codec.ByteArray: "bytes such as 0x0a0b", codec.String: "a string in quotes",
		codec.Own: "the bytes of AppendKey such as 0x0a0b", codec.OwnBinary: "bytes such as 0x0a0b", codec.OwnText: "a text in quotes",
	}[k.Kind]
	return fmt.Errorf("it wants %s, not %s", want, l.short())
}

// A valueError is a fault of a value within a tuple.
type valueError struct {
	pos int // in the text
	err error
}

func (e *valueError) Error() string { return e.err.Error() }

// placed returns err as one of the value at pos, unless it is of a value within
// that, or pos is not known.
func placed(pos int, err error) error {
	var inner *valueError
	if pos == 0 || errors.As(err, &inner) {
		return err
	}
	return &valueError{pos, err}
}

// appendTuple appends a tuple: each value in the form of its part.
func appendTuple(dst []byte, k *codec.KeyType, l Literal) ([]byte, error) {
	if len(l.Tuple) != len(k.Parts) {
		return nil, fmt.Errorf("it has %d parts, the tuple %d", len(k.Parts), len(l.Tuple))
	}
	for i := range k.Parts {
		part, v := k.Parts[i].Base(), l.Tuple[i]
		if part.Ptr {
			if v.isNil() {
				dst = append(dst, 0)
				continue
			}
			dst, part.Ptr = append(dst, 1), false
		}
		var err error
		if dst, err = appendText(dst, &part, v); err != nil {
			return nil, placed(v.Pos, err)
		}
		if part.Kind == codec.Time {
			clampInstant(dst)
		}
	}
	return dst, nil
}

func appendBytes(dst []byte, k *codec.KeyType, l Literal) ([]byte, error) {
	text, err := []byte(l.Text), error(nil)
	if digits, ok := strings.CutPrefix(l.Text, "0x"); ok || k.Kind == codec.ByteArray || !l.Quoted {
		if !ok {
			digits = strings.ReplaceAll(l.Text, "-", "") // a UUID
		}
		text, err = hex.DecodeString(digits)
	}
	switch {
	case err != nil:
		return nil, wanted(k, l)
	case k.Kind == codec.Bytes:
		return codec.AppendString(dst, text), nil
	case len(text) != k.Len:
		return nil, fmt.Errorf("it has %d bytes, not %d", k.Len, len(text))
	}
	return append(dst, text...), nil
}

// parseTime reads a time; without a zone it is in UTC.
func parseTime(s string) (time.Time, bool) {
	for _, layout := range []string{
		time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly,
	} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// quote returns s as a text has it: in single quotes, or as in Go where it has
// bytes that are not seen.
func quote(s string) string {
	if q := strconv.Quote(s); len(q) > len(s)+2+strings.Count(s, `"`)+strings.Count(s, `\`) {
		return q
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// comparedTuple returns the set of primary keys that compare so with v. Keys
// compare part by part as values, so where parts descend the set is several
// ranges of stored keys.
func comparedTuple(op *operand, by Op, v []byte) spans {
	at := spans{pointOf(v)}
	switch by {
	case Eq:
		return at
	case Ne:
		return at.complement(everything)
	}
	below := belowTuple(op, v)
	switch by {
	case Lt:
		return below
	case Le:
		return touch(below, at)
	case Gt:
		return touch(below, at).complement(everything)
	}
	return below.complement(everything)
}

// touch is union, with neighbours made one.
func touch(s, t spans) spans {
	all := s.union(t)
	out := all[:0]
	for _, x := range all {
		if n := len(out); n > 0 && out[n-1].hi.compare(x.lo) == 0 {
			out[n-1].hi = x.hi
			continue
		}
		out = append(out, x)
	}
	return out
}

// belowTuple returns the keys less than v as values.
func belowTuple(op *operand, v []byte) spans {
	var set spans
	n := 0
	for i := range op.key.Parts {
		rest, err := op.key.Parts[i].Skip(v[n:])
		if err != nil {
			return nil // unreachable: v is a whole tuple
		}
		prefix, part := v[:n:n], v[:len(v)-len(rest):len(v)-len(rest)]
		n = len(part)
		x := span{endpoint{v: prefix, partial: true}, endpoint{v: part}}
		if op.key.Parts[i].Desc {
			x = span{endpoint{v: part, after: true}, endpoint{v: prefix, after: true, partial: true}}
		}
		set = set.union(one(x))
	}
	return set
}
