package query

import (
	"fmt"
	"slices"

	"github.com/kivisdb/kivis/codec"
)

// numbered returns a literal of a text with the numbers of the enums that it names
// by their texts, where the operand is one, or has one among the parts of a key.
func (o *operand) numbered(l Literal) (Literal, error) {
	if o.whole && len(l.Tuple) == len(o.key.Parts) {
		l.Tuple = slices.Clone(l.Tuple)
		for i := range l.Tuple {
			var err error
			if l.Tuple[i], err = keyOperand(o.table, i).numbered(l.Tuple[i]); err != nil {
				return l, placed(l.Tuple[i].Pos, err)
			}
		}
		return l, nil
	}
	e := o.enum()
	if e == nil || !l.Quoted {
		return l, nil
	}
	number, ok := e.Number(l.Text)
	if !ok {
		hint := ""
		if text, ok := e.Nearest(l.Text); ok {
			hint = "; did you mean " + quote(text) + "?"
		}
		return l, fmt.Errorf("no value of it has the text %s%s", l.short(), hint)
	}
	return Literal{Text: number, Pos: l.Pos}, nil
}

// enum returns the enum that the operand is, or nil.
func (o *operand) enum() *codec.Enum {
	if o.column < 0 || o.order != nil || o.key.Kind != codec.Int && o.key.Kind != codec.Uint {
		return nil
	}
	if e := o.table.EnumAt(o.column, o.path, o.each); e != nil && e.Named() {
		return e
	}
	return nil
}
