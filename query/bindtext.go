package query

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/kivisdb/kivis/codec"
)

// contains is a predicate of a slice's elements, a map's keys, or a text.
func (b *binder) contains(e Contains) *node {
	whole := e.Field
	whole.Fold = false
	if b.isOfElements(whole) {
		e.Field.Each = true
		return b.equate(e.Field, anyPoint, e.Value)
	}
	op := b.operand(whole, false)
	if op == nil {
		return never
	}
	if k := op.key.Kind; op.each || op.order == nil && (k == codec.String || k == codec.Bytes) {
		return b.substring(e.Field, e.Value)
	}
	e.Field.Each = true
	return b.equate(e.Field, anyPoint, e.Value)
}

// isOfElements reports whether a field is one of elements, and not yet looked at
// as any of them.
func (b *binder) isOfElements(o Operand) bool {
	_, err := b.fields.resolve(b.table, o, false)
	if err == nil {
		return false
	}
	var of *elementsError
	return errors.As(err, &of)
}

func (b *binder) prefix(e Prefix) *node {
	return b.compare(e.Field, e.Fold, func(dst spans, op *operand, v [][]byte) spans {
		text, ok := textOf(op, v[0])
		if !ok {
			b.fail(e.Field, fmt.Errorf("%s has no prefixes", op.noun(e.Field.Deref)))
			return dst
		}
		return append(dst, beginning(text))
	}, e.Value)
}

// textOf returns a string's or bytes' part without its end.
func textOf(op *operand, part []byte) ([]byte, bool) {
	isText := op.key.Kind == codec.String || op.key.Kind == codec.Bytes
	text, ok := bytes.CutSuffix(part, []byte{0, 1})
	return text, ok && isText
}

func (b *binder) substring(o Operand, v Literal) *node {
	op := b.comparable(o, false)
	if op == nil {
		return never
	}
	parts, ok := b.parts(op, o, []Literal{v})
	if !ok {
		return never
	}
	text, ok := textOf(op, parts[0])
	if !ok {
		b.fail(o, fmt.Errorf("%s does not contain text", op.noun(o.Deref)))
		return never
	}
	if op.key.Ptr {
		text = text[1:]
	}
	return &node{kind: nodeText, on: op, text: text}
}
