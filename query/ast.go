package query

import "strings"

// Expr is a predicate: a tree of the types of this file. Its String is text
// that [Parse] reads, except that it cannot name a [Func].
type Expr interface {
	String() string
	expr()
}

// And holds where all of its predicates do; And{} is true.
type And []Expr

// Or holds where at least one of its predicates does; Or{} is false.
type Or []Expr

// Not holds where its predicate does not.
type Not struct{ Expr Expr }

// Cmp compares a field with a value.
type Cmp struct {
	Op    Op
	Field Operand
	Value Literal
}

// In holds where the field has one of the values.
type In struct {
	Field  Operand
	Values []Literal
}

// Between holds from Lo to Hi; HalfOpen leaves Hi out.
type Between struct {
	Field    Operand
	Lo, Hi   Literal
	HalfOpen bool
}

// Prefix holds where a string or bytes begin with the value; with Fold, case
// set aside.
type Prefix struct {
	Field Operand
	Value Literal
	Fold  bool
}

// EqualFold holds where a string equals the value, case set aside.
type EqualFold struct {
	Field Operand
	Value Literal
}

// Substring holds where a string or bytes have the value in them.
type Substring struct {
	Field Operand
	Value Literal
}

// Contains holds where a slice has an element, or a map a key, that equals the
// value; on strings and bytes it is [Substring].
type Contains struct {
	Field Operand
	Value Literal
}

// IsNil holds where a pointer, a slice, a map or an interface is nil.
type IsNil struct{ Field Operand }

// Func is a predicate in Go. It must depend on nothing but the record.
type Func struct {
	Match func(*Row) (bool, error)
}

func (And) expr()       {}
func (Or) expr()        {}
func (Not) expr()       {}
func (Cmp) expr()       {}
func (In) expr()        {}
func (Between) expr()   {}
func (Prefix) expr()    {}
func (EqualFold) expr() {}
func (Substring) expr() {}
func (Contains) expr()  {}
func (IsNil) expr()     {}
func (Func) expr()      {}

// Op is an operator of [Cmp].
type Op uint8

// The operators.
const (
	Eq Op = iota
	Ne
	Lt
	Le
	Gt
	Ge
)

var opNames = [...]string{Eq: "=", Ne: "!=", Lt: "<", Le: "<=", Gt: ">", Ge: ">="}

// String returns the operator as text has it.
func (o Op) String() string {
	if int(o) < len(opNames) {
		return opNames[o]
	}
	return "?"
}

func (e And) String() string { return joinExprs(e, " and ", "true") }

func (e Or) String() string { return joinExprs(e, " or ", "false") }

// joinExprs prints predicates one after the other, those that bind no closer
// in parentheses.
func joinExprs(list []Expr, sep, none string) string {
	if len(list) == 0 {
		return none
	}
	if len(list) == 1 {
		return text(list[0])
	}
	var b strings.Builder
	for i, e := range list {
		if i > 0 {
			b.WriteString(sep)
		}
		b.WriteString(nested(e))
	}
	return b.String()
}

// text prints a predicate, if there is one.
func text(e Expr) string {
	if e == nil {
		return "?"
	}
	return e.String()
}

// nested prints a predicate that stands beside another.
func nested(e Expr) string {
	if e == nil {
		return "?"
	}
	list := []Expr(nil)
	switch e := e.(type) {
	case And:
		list = e
	case Or:
		list = e
	}
	switch {
	case len(list) == 1:
		return nested(list[0])
	case len(list) > 1:
		return "(" + e.String() + ")"
	}
	return e.String()
}

func (e Not) String() string { return "not (" + text(e.Expr) + ")" }

func (e Cmp) String() string {
	return e.Field.String() + " " + e.Op.String() + " " + e.Value.String()
}

func (e In) String() string {
	var b strings.Builder
	b.WriteString(e.Field.String())
	b.WriteString(" in (")
	for i, v := range e.Values {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(v.String())
	}
	b.WriteByte(')')
	return b.String()
}

func (e Between) String() string {
	if e.HalfOpen {
		return e.Field.String() + " in [" + e.Lo.String() + ", " + e.Hi.String() + ")"
	}
	return e.Field.String() + " between " + e.Lo.String() + " and " + e.Hi.String()
}

func (e Prefix) String() string {
	e.Field.Fold = e.Field.Fold || e.Fold
	return e.Field.String() + " prefix " + e.Value.String()
}

func (e EqualFold) String() string {
	e.Field.Fold = true
	return e.Field.String() + " = " + e.Value.String()
}

func (e Substring) String() string {
	return e.Field.String() + " contains " + e.Value.String()
}

func (e Contains) String() string {
	return e.Field.String() + " contains " + e.Value.String()
}

func (e IsNil) String() string { return e.Field.String() + " is nil" }

func (e Func) String() string { return "func()" }
