package query

import (
	"fmt"
	"strings"

	"github.com/kivisdb/kivis/reflectx"
)

// field reads a field's name and its views.
func (p *parser) field() Operand {
	f := Operand{Field: &Field{Name: p.tok.text}, Pos: p.tok.pos + 1}
	if p.tok.kind != tokenName || p.tok.text == "" {
		what := "a field is expected, not " + p.tok.show()
		if p.tok.kind == tokenWord {
			what += fmt.Sprintf("; a field of this name is written `%s`", p.tok.text)
		}
		p.failf("%s", what)
		return f
	}
	name := p.tok
	quoted := strings.HasPrefix(p.src[p.tok.pos:], "`")
	p.next()
	if quoted || !p.tok.is("(") {
		return f
	}
	p.next()
	if strings.EqualFold(name.text, "key") {
		f.Field = &Field{Key: true}
		p.expect(")", "after key(")
		return f
	}
	return p.view(name)
}

// views are the views of a field: what is behind a name and a parenthesis.
var views = []string{"fold", "any", "deref"}

// view reads the field in the parentheses of a view. Its position is that of
// the field's name, which is at fault more often than the view.
func (p *parser) view(name token) Operand {
	if p.depth++; p.depth > maxDepth {
		p.failf("%w: more than %d parentheses in each other", ErrTooComplex, maxDepth)
	}
	defer func() { p.depth-- }()
	f := p.field()
	switch strings.ToLower(name.text) {
	case "fold":
		f.Fold = true
	case "any":
		f.Each = true
	case "deref":
		f.Deref = true
	default:
		hint := ""
		if n, ok := reflectx.Nearest(name.text, append([]string{"key"}, views...)); ok {
			hint = "; did you mean " + n + "?"
		}
		p.failAt(name.pos, fmt.Errorf("there is no %s(): the views of a field are fold, any and deref%s", name.show(), hint))
	}
	p.expect(")", "after the field")
	return f
}
