package reflectx

import (
	"reflect"
	"regexp"
)

// TypeName returns the name of t as a person writes it: [reflect.Type.String]
// without folders of packages in the arguments of generic types, with byte and
// any for what they stand for, and "struct{...}" for a struct without a name.
func TypeName(t reflect.Type) string {
	switch {
	case t == nil:
		return "nil"
	case t.Name() == "" && t.Kind() == reflect.Struct && t.NumField() > 0:
		return "struct{...}"
	}
	return anyName.ReplaceAllString(emptyStruct.ReplaceAllString(ShortName(t.String()), "struct{}"), "any")
}

// ShortName drops from the name of a type what reflection adds: folders of
// packages, numbers of local types, and the number that a byte is.
func ShortName(name string) string {
	return bytesName.ReplaceAllString(reflectionNoise.ReplaceAllString(name, ""), "${1}byte")
}

var (
	reflectionNoise = regexp.MustCompile(`[^\[\],* ]*/|·[0-9]+`)
	bytesName       = regexp.MustCompile(`(\[[0-9]*\])uint8\b`) // reflection names bytes as numbers
	emptyStruct     = regexp.MustCompile(`struct ?\{ ?\}`)
	anyName         = regexp.MustCompile(`interface ?\{ ?\}`)
)
