package schema

import (
	"fmt"
	"reflect"
	"strings"
)

var errorType = reflect.TypeFor[error]()

// methods checks the methods of the record that Kivis calls.
func (c *compiler) methods() {
	if m, ok := c.findMethod("PrimaryKey", "PrimaryKey() K"); ok {
		if m.NumIn() != 1 || m.NumOut() != 1 || m.IsVariadic() {
			c.fail("PrimaryKey", "", fmt.Errorf("the method is %s: want func() K, where K is the key's type", signature(m)))
			return
		}
		c.method = m.Out(0)
	}
	if m, ok := c.findMethod("Validate", "Validate() error"); ok {
		if m.NumIn() != 1 || m.NumOut() != 1 || m.Out(0) != errorType {
			c.fail("Validate", "", fmt.Errorf("the method is %s: want func() error", signature(m)))
		}
		c.m.validates = true
	}
}

// findMethod returns the type of a method of the record, or of a pointer to
// it. One that embedded structs have and the record does not, because it is
// hidden, is a fault.
func (c *compiler) findMethod(name, want string) (reflect.Type, bool) {
	if m, ok := reflect.PointerTo(c.typ).MethodByName(name); ok {
		return m.Type, true
	}
	var owners []string
	for _, e := range c.embeds {
		if _, ok := reflect.PointerTo(e.Type).MethodByName(name); ok {
			owners = append(owners, e.Path)
		}
	}
	if len(owners) > 0 {
		c.fail(name, "", fmt.Errorf("%s of %s is hidden: Go promotes none of several, nor one that a field hides; give %s a method %s of its own",
			name, strings.Join(owners, " and "), typeName(c.typ), want))
	}
	return nil, false
}

// signature returns a method's type without its receiver.
func signature(m reflect.Type) string {
	var in, out []string
	for i := 1; i < m.NumIn(); i++ {
		in = append(in, typeName(m.In(i)))
	}
	for i := range m.NumOut() {
		out = append(out, typeName(m.Out(i)))
	}
	results := strings.Join(out, ", ")
	if len(out) > 1 {
		results = "(" + results + ")"
	}
	return strings.TrimRight("func("+strings.Join(in, ", ")+") "+results, " ")
}
