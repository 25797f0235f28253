// Package cells makes texts of stored values: the cells of a CSV file, and of
// other forms that have room for one text. The command line and the studio, which
// are modules of their own, write the same files by it.
package cells

import "github.com/kivisdb/kivis/codec"

// IsNested reports whether values of a type are written as JSON: what has values
// in it, or may be anything.
func IsNested(t *codec.Type) bool {
	switch plain(t).Kind {
	case codec.Slice, codec.Array, codec.Map, codec.Struct, codec.Any:
		return true
	}
	return false
}

// IsText reports whether values of a type are texts.
func IsText(t *codec.Type) bool {
	switch plain(t).Kind {
	case codec.String, codec.Text, codec.JSON:
		return true
	}
	return false
}

// plain returns the type without the pointers around it.
func plain(t *codec.Type) *codec.Type {
	for t.Kind == codec.Pointer {
		t = t.Elem
	}
	return t
}

// Append appends a value as one text, and reports whether it is nil, which has
// none: texts as they are, nested values as JSON, and all else as JSON without
// quotation marks.
func Append(dst []byte, l *codec.Layout, t *codec.Type, value []byte) (out []byte, isNil bool, err error) {
	switch {
	case codec.IsNil(value):
		return dst, true, nil
	case IsText(t):
		v, err := l.Value(t, value)
		if s, ok := v.(string); ok {
			return append(dst, s...), false, err
		}
		return dst, v == nil, err
	}
	from := len(dst)
	if dst, err = l.AppendJSON(dst, t, value); err != nil || IsNested(t) {
		return dst, false, err
	}
	if n := len(dst) - 1; n > from && dst[from] == '"' {
		dst = append(dst[:from], dst[from+1:n]...)
	}
	return dst, false, nil
}
