package query

import (
	"errors"
	"fmt"
	"strings"
)

// Parse reads a predicate from text:
//
//	origin = 'ORD' and delay >= ? and not (carrier in ('AA', 'UA') or cancelled = true)
//
// Predicates are: field op value, with the operators = != < <= > >=; field in
// (value, ...); field in [from, to) without the end; field between from and
// to, with it; field prefix 'text'; field contains value, for texts, slices and
// keys of maps, and field contains fold('text') with case set aside; field is nil. In, between, prefix, contains and is take a not.
// They are joined with and, or, not and parentheses, and closes before or; true
// and false stand for themselves.
//
// A field is named as it is stored, a nested one by a dotted path, through pointers
// too. fold(f) sets the case of a string aside; any(f) is any element of a slice or
// key of a map, and any(Lines.SKU) a field of any element of a slice, or value of a
// map; deref(f) is what a pointer points to; key() is the primary key. A name that
// is a keyword stands in backquotes.
//
// Values get their types from their fields: 'text' or "text", 60, 1.5, true,
// nil, 1h30m, 2006-01-02 or 2006-01-02T15:04:05Z, 0x0a0b, a UUID, and tuples
// (1, 'a') for keys of several parts. An integer whose Go type is known and has
// MarshalText or String may be named by its text. Each ? is the next of params.
//
// An error is an [*Error] with the position.
func Parse(text string, params []Literal) (Expr, error) {
	p := &parser{clause: "text", src: text, params: params}
	p.next()
	e := p.or()
	if p.err == nil && p.tok.kind != tokenEnd {
		p.failf("and, or, or the end is expected, not %s", p.tok.show())
	}
	if p.err == nil && p.used < len(params) {
		p.failf("%s given, the text has %s", count(len(params), "value is", "values are"), count(p.used, "question mark", "question marks"))
	}
	if p.err != nil {
		return nil, p.err
	}
	return e, nil
}

type parser struct {
	clause string // of errors
	src    string
	tok    token
	params []Literal
	used   int
	depth  int
	err    error
}

// next goes on to the next token.
func (p *parser) next() { p.tok = lex(p.src, p.tok.end, false) }

// failf notes a fault at the current token, unless there is one already. The
// rest is then not read.
func (p *parser) failf(format string, args ...any) {
	if p.err != nil {
		return
	}
	err := fmt.Errorf(format, args...)
	if p.tok.kind == tokenBad {
		err = errors.New(p.tok.text)
	}
	p.failAt(p.tok.pos, err)
}

// failAt notes a fault at a place, unless there is one already. The rest is then
// not read.
func (p *parser) failAt(pos int, err error) {
	if p.err == nil {
		p.err = &Error{Clause: p.clause, Pos: pos + 1, Err: err}
	}
	p.tok = token{pos: len(p.src), end: len(p.src)}
}

// accept goes past a sign or keyword if it is next.
func (p *parser) accept(s string) bool {
	if !p.tok.is(s) {
		return false
	}
	p.next()
	return true
}

func (p *parser) expect(s, where string) {
	if !p.accept(s) {
		p.failf("%s is expected %s, not %s", s, where, p.tok.show())
	}
}

func (p *parser) or() Expr {
	list := []Expr{p.and()}
	for p.accept("or") {
		list = append(list, p.and())
	}
	if len(list) == 1 {
		return list[0]
	}
	return Or(list)
}

func (p *parser) and() Expr {
	list := []Expr{p.not()}
	for p.accept("and") {
		list = append(list, p.not())
	}
	if len(list) == 1 {
		return list[0]
	}
	return And(list)
}

func (p *parser) not() Expr {
	if p.depth++; p.depth > maxDepth {
		p.failf("%w: more than %d parentheses or nots in each other", ErrTooComplex, maxDepth)
	}
	defer func() { p.depth-- }()
	switch {
	case p.err != nil:
		return And{}
	case p.accept("not"):
		return Not{p.not()}
	case p.accept("("):
		e := p.or()
		p.expect(")", "to close the parenthesis")
		return e
	case p.accept("true"):
		return And{}
	case p.accept("false"):
		return Or{}
	}
	return p.predicate()
}

// predicate reads a field and what is said of it.
func (p *parser) predicate() Expr {
	f := p.field()
	if p.err != nil {
		return And{}
	}
	for op, name := range opNames {
		switch {
		case !p.tok.is(name):
		case f.Fold && f.Each && Op(op) == Ne: // none of them
			return Not{Cmp{Eq, f, p.value()}}
		default:
			return Cmp{Op(op), f, p.value()}
		}
	}
	if p.accept("is") {
		e := p.negated(p.accept("not"), IsNil{f})
		if !p.accept("nil") && !p.accept("null") {
			p.failf("nil is expected after is, not %s", p.tok.show())
		}
		return e
	}
	not := p.accept("not")
	return p.negated(not, p.test(f))
}

func (p *parser) negated(not bool, e Expr) Expr {
	if not {
		return Not{e}
	}
	return e
}

// test reads what may follow a not.
func (p *parser) test(f Operand) Expr {
	switch {
	case p.tok.is("in"):
		return p.in(f)
	case p.tok.is("between"):
		e := Between{Field: f, Lo: p.value()}
		if !p.tok.is("and") {
			p.failf("and is expected after the first value of between, not %s", p.tok.show())
		}
		e.Hi = p.value()
		return e
	case p.tok.is("prefix"):
		return Prefix{f, p.value(), false}
	case p.tok.is("contains"):
		return p.contains(f)
	}
	if w := strings.ToLower(p.tok.text); p.tok.kind == tokenName && (w == "like" || w == "ilike") {
		f.Fold = false
		p.failf("there is no like: use prefix or contains, with fold(%s) for any case", shorten(f.String()))
	}
	p.failf("an operator is expected after %s (= != < <= > >= in between prefix contains is), not %s", shorten(f.String()), p.tok.show())
	return And{}
}

// contains reads a value, or one in fold().
func (p *parser) contains(f Operand) Expr {
	word := lex(p.src, p.tok.end, false)
	open := lex(p.src, word.end, false)
	if word.kind != tokenName || !strings.EqualFold(word.text, "fold") || !open.is("(") {
		return Contains{f, p.value()}
	}
	p.next()
	p.next()
	f.Fold = true
	e := Contains{f, p.value()}
	p.expect(")", "after the value of fold(")
	return e
}

// in reads a list in parentheses, or a range that begins with a bracket.
func (p *parser) in(f Operand) Expr {
	open := lex(p.src, p.tok.end, false)
	if open.is("[") {
		p.next()
		e := Between{Field: f, Lo: p.value(), HalfOpen: true}
		if !p.tok.is(",") {
			p.failf("a comma is expected in the range, not %s", p.tok.show())
		}
		e.Hi = p.value()
		if p.accept("]") {
			e.HalfOpen = false
			return e
		}
		p.expect(")", "to close the range")
		return e
	}
	return In{f, p.list()}
}

// list reads values in parentheses.
func (p *parser) list() []Literal {
	p.next()
	if !p.tok.is("(") {
		p.failf("a list in parentheses is expected, or a range [from, to), not %s", p.tok.show())
		return nil
	}
	var list []Literal
	if lex(p.src, p.tok.end, false).is(")") {
		p.next()
		p.next()
		return list
	}
	for {
		list = append(list, p.value())
		if !p.tok.is(",") {
			break
		}
	}
	p.expect(")", "to close the list")
	return list
}

// value reads the value that follows the current token, and goes on to what
// follows it.
func (p *parser) value() Literal {
	p.tok = lex(p.src, p.tok.end, true)
	t := p.tok
	l := Literal{Text: t.text, Pos: t.pos + 1}
	switch {
	case p.err != nil:
	case t.is("?"):
		if p.used >= len(p.params) {
			p.failf("%s given, too few for this question mark", count(len(p.params), "value is", "values are"))
			return l
		}
		l = p.params[p.used]
		l.Pos = t.pos + 1
		p.used++
	case t.is("("):
		return p.tuple(l)
	case t.kind == tokenString:
		l.Quoted = true
	case t.kind != tokenBare:
		p.failf("a value is expected, not %s", t.show())
	case isWord(t.text):
		p.failf("a value is expected, not %s; a string stands in quotes: %s", t.show(), quote(shorten(t.text)))
	}
	p.next()
	return l
}

// isWord reports whether a bare value is only letters, and none that has a
// meaning: most likely a string without its quotes.
func isWord(s string) bool {
	switch strings.ToLower(s) {
	case "true", "false", "nil", "null", "nan", "inf":
		return false
	}
	return !strings.ContainsAny(s, "0123456789+-")
}

// tuple reads the values of a tuple.
func (p *parser) tuple(l Literal) Literal {
	if p.depth++; p.depth > maxDepth {
		p.failf("%w: more than %d parentheses in each other", ErrTooComplex, maxDepth)
		return l
	}
	defer func() { p.depth-- }()
	l.Tuple = []Literal{}
	for {
		l.Tuple = append(l.Tuple, p.value())
		if !p.tok.is(",") {
			break
		}
	}
	p.expect(")", "to close the tuple")
	return l
}
