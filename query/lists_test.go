package query

import "reflect"

// A modelLine is an element of lists in the records of the model test.
type modelLine struct {
	SKU string
	N   *int
	Sub *modelNested
}

// A modelList is a field whose elements predicates are made on, or a field of
// elements.
type modelList struct {
	name  string
	typ   reflect.Type // of the elements
	elems func(rec reflect.Value) []reflect.Value
}

// modelLists are the lists of the records of the model test.
var modelLists = []modelList{
	{"Tags", reflect.TypeFor[string](), elementsOf("Tags")},
	{"Nums", reflect.TypeFor[int](), elementsOf("Nums")},
	{"M", reflect.TypeFor[string](), func(rec reflect.Value) []reflect.Value { return rec.FieldByName("M").MapKeys() }},
	linesOf("Ls", "SKU", func(l *modelLine) string { return l.SKU }),
	linesOf("Ls", "N", func(l *modelLine) *int { return l.N }),
	linesOf("Ls", "Sub.City", (*modelLine).city),
	linesOf("Lm", "SKU", func(l *modelLine) *string {
		if l == nil {
			return nil
		}
		return &l.SKU
	}),
	linesOf("Lm", "N", func(l *modelLine) *int {
		if l == nil {
			return nil
		}
		return l.N
	}),
	linesOf("Lm", "Sub.City", (*modelLine).city),
}

// city returns the nested city of a line, or nil where a pointer on the way is.
func (l *modelLine) city() *string {
	if l == nil || l.Sub == nil {
		return nil
	}
	return &l.Sub.City
}

// listNamed returns the list with a name.
func listNamed(name string) modelList {
	for _, l := range modelLists {
		if l.name == name {
			return l
		}
	}
	return modelList{}
}

func elementsOf(name string) func(rec reflect.Value) []reflect.Value {
	return func(rec reflect.Value) (out []reflect.Value) {
		list := rec.FieldByName(name)
		for i := range list.Len() {
			out = append(out, list.Index(i))
		}
		return out
	}
}

// linesOf returns the list of a field of lines, which are elements of a slice, or
// pointers in a map.
func linesOf[V any](list, field string, get func(*modelLine) V) modelList {
	return modelList{list + "." + field, reflect.TypeFor[V](), func(rec reflect.Value) (out []reflect.Value) {
		switch lines := rec.FieldByName(list).Interface().(type) {
		case []modelLine:
			for i := range lines {
				out = append(out, reflect.ValueOf(get(&lines[i])))
			}
		case map[string]*modelLine:
			for _, l := range lines {
				out = append(out, reflect.ValueOf(get(l)))
			}
		}
		return out
	}}
}
