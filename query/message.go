package query

import (
	"strconv"
	"strings"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/reflectx"
)

// maxMessage is how many characters of a text of the caller's a message has.
const maxMessage = 60

// shorten returns a text for a message: all of it, unless it is long.
func shorten(s string) string {
	n := 0
	for i := range s {
		if n++; n > maxMessage {
			return s[:i] + "…"
		}
	}
	return s
}

// suggest returns a hint at the name that was probably meant, or else at all of
// them, in the form in which a text names fields.
func suggest(name string, names []string) string {
	if n, ok := reflectx.Nearest(name, names); ok {
		return "; did you mean " + nameText(n) + "?"
	}
	if len(names) == 0 || len(names) > 20 {
		return ""
	}
	texts := make([]string, len(names))
	for i, n := range names {
		texts[i] = nameText(n)
	}
	return "; there are " + strings.Join(texts, ", ")
}

// article returns a noun behind its article.
func article(noun string) string {
	if strings.HasPrefix(noun, "int") || strings.HasPrefix(noun, "any") {
		return "an " + noun
	}
	return "a " + noun
}

// typeName returns a stored type behind its article, in the words of a program.
func typeName(t *codec.Type) string { return article(typeNoun(t)) }

// typeNoun returns a stored type in the words of a program. Nested structs have
// no names in the catalog, and how a type marshals itself concerns it alone.
func typeNoun(t *codec.Type) string {
	switch t.Kind {
	case codec.Pointer:
		return "*" + typeNoun(t.Elem)
	case codec.Slice:
		return "[]" + typeNoun(t.Elem)
	case codec.Array:
		return "[" + strconv.Itoa(t.Len) + "]" + typeNoun(t.Elem)
	case codec.Map:
		return "map[" + typeNoun(t.Key) + "]" + typeNoun(t.Elem)
	case codec.Bytes:
		return "[]byte"
	case codec.Struct:
		return "struct"
	case codec.Binary, codec.Text, codec.Custom:
		return "type that marshals itself"
	}
	return t.String()
}
