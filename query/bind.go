package query

import (
	"errors"
	"fmt"
	"slices"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/schema"
)

// The bounds of what is planned: predicates in a query, how deep they lie in
// each other, values in all lists together, and terms of an order.
const (
	maxExprs  = 2000
	maxDepth  = 200
	maxValues = 100_000
	maxTerms  = 100
)

// A term is one term of an order that is asked for.
type term struct {
	on   *operand
	desc bool
}

// bound is a query whose fields have been found in a table.
type boundQuery struct {
	table   *schema.Table
	root    *node
	ops     []*operand // each once
	order   []term     // in the direction in which it is read
	keyDesc bool       // ties are broken by the key, descending
	ordered bool       // an order is asked for, if only that of the key
	limit   int
	offset  int
	using   string
	after   *Position
	back    bool
	value   *operand // that is wanted of each record
	inner   bool     // of value, what it points to: nils are left out
	group   *operand // a second one, beside value; nil where there is none
	within  bool     // of group, what it points to
}

type binder struct {
	boundQuery
	errs   []error
	clause string
	exprs  int
	depth  int
	values int
	mem    predicates
	fields resolver
}

// predicates is the memory that predicates are made in.
type predicates struct {
	parts [][]byte // of literals
	set   spans    // while it is made
	spans arena[span]
	nodes freeList[node]
}

// reset makes b a new binder in the same memory.
func (b *binder) reset() {
	m := &b.mem
	m.parts, m.set = emptied(m.parts), emptied(m.set)
	m.spans.reset(keepItems)
	m.nodes.reset((*node).reset)
	ops, order := emptied(b.ops), emptied(b.order)
	b.boundQuery = boundQuery{}
	b.ops, b.order = ops, order
	b.errs, b.clause, b.exprs, b.depth, b.values = nil, "", 0, 0, 0
}

// setNode is the predicate that on is in the set, of which it makes a copy.
func (b *binder) setNode(on *operand, set spans) *node {
	return b.mem.nodes.take().within(on, b.mem.spans.copy(set))
}

// bind finds the fields of a query and all of its faults.
func (b *binder) bind(table *schema.Table, q *Query, want Want) (*boundQuery, error) {
	b.table, b.root = table, always
	b.limit, b.offset, b.using, b.after, b.back = q.Limit, q.Offset, q.Using, q.After, q.Backward
	b.keyDesc, b.ordered = q.Backward, q.ByKey || len(q.Order) > 0 || q.After != nil || q.Backward
	b.clause = "where"
	if q.Where != nil {
		b.root = b.node(q.Where)
	}
	b.clause = "order by"
	for _, o := range q.Order {
		b.addOrder(o, q.Backward)
	}
	if b.trimOrder(); len(b.order) > maxTerms {
		b.fail(Operand{}, fmt.Errorf("%w: at most %d terms of an order", ErrTooComplex, maxTerms))
	}
	if want.Kind == Values {
		b.clause = "field"
		b.value, b.inner = b.wanted(want.Value)
		if want.Group.Field != nil {
			b.clause = "group"
			b.group, b.within = b.wanted(want.Group)
			if b.value != nil && b.group != nil && b.value.each && b.group.each {
				b.fail(want.Group, errors.New("elements cannot be grouped by elements"))
			}
		}
	}
	b.numbers()
	if len(b.errs) > 0 {
		return nil, errors.Join(b.errs...)
	}
	return &b.boundQuery, nil
}

// wanted returns a field that is wanted of each record, and whether what it
// points to. Where that is so, records in which it is nil do not match: so an
// index on the field reads past them. Of elements the nils are left out one by
// one.
func (b *binder) wanted(o Operand) (on *operand, inner bool) {
	on = b.comparable(o, false)
	if on != nil && o.Deref && !on.each {
		b.root = allOf([]*node{b.root, b.setNode(on, spans{some})})
	}
	return on, o.Deref
}

func (b *binder) numbers() {
	b.clause = "limit"
	if b.limit < -1 {
		b.fail(Operand{}, fmt.Errorf("%d is negative", b.limit))
	}
	b.clause = "offset"
	if b.offset < 0 {
		b.fail(Operand{}, fmt.Errorf("%d is negative", b.offset))
	}
	b.clause = "after"
	if b.after != nil && len(b.after.Parts) != len(b.order) {
		b.fail(Operand{}, errors.New("the position is one of another query"))
	}
}

// fail notes a fault of the current clause.
func (b *binder) fail(o Operand, err error) {
	e := &Error{Table: b.table.Name, Clause: b.clause, Pos: o.Pos, Err: err}
	if o.Field != nil {
		if e.Field = o.name(); e.Field == "?" {
			e.Field = ""
		}
	}
	b.errs = append(b.errs, e)
}

// operand finds a field, or notes why it cannot be found and returns nil.
func (b *binder) operand(o Operand, fold bool) *operand {
	op, err := b.fields.resolve(b.table, o, fold || o.Fold)
	if err != nil {
		b.fail(o, err)
		return nil
	}
	return b.intern(op)
}

// intern returns the one operand of the query that is op.
func (b *boundQuery) intern(op *operand) *operand {
	for _, have := range b.ops {
		if have.same(op) {
			return have
		}
	}
	b.ops = append(b.ops, op)
	return op
}

// comparable is operand for a field that is compared: it must have an order.
func (b *binder) comparable(o Operand, fold bool) *operand {
	op := b.operand(o, fold)
	if op != nil && op.order != nil {
		b.fail(o, fmt.Errorf("%s cannot be compared: %w", typeName(&op.stored), op.order))
		return nil
	}
	if op != nil && o.Deref && !op.key.Ptr {
		b.fail(o, fmt.Errorf("deref is for pointers: it is %s", typeName(&op.stored)))
		return nil
	}
	return op
}

// addOrder adds a term of the order, the primary key as its parts.
func (b *binder) addOrder(o Order, back bool) {
	if o.Field.Each || b.isOfElements(o.Field) {
		b.fail(o.Field, errors.New("a record has any number of elements: it cannot be ordered by them"))
		return
	}
	op := b.comparable(o.Field, false)
	if op == nil {
		return
	}
	if !op.whole {
		b.order = append(b.order, term{op, o.Desc != back})
		return
	}
	for i := range b.table.Key.Parts {
		b.order = append(b.order, term{b.intern(keyOperand(b.table, i)), o.Desc != back})
	}
}

// CheckOrder returns what is wrong with an order for queries of a table.
func CheckOrder(table *schema.Table, order []Order) error {
	_, err := new(binder).bind(table, &Query{Order: order, Limit: -1}, Want{})
	return err
}

// trimOrder drops what the order need not say: a field a second time, and at
// the end the parts of the primary key, which break ties anyway.
func (b *boundQuery) trimOrder() {
	out := b.order[:0]
	for _, t := range b.order {
		if !slices.ContainsFunc(out, func(u term) bool { return u.on == t.on }) {
			out = append(out, t)
		}
	}
	b.order = out
	for n := len(b.order); n >= 0; n-- {
		if desc, ok := b.keyRest(n); ok && n < len(b.order) {
			b.order, b.keyDesc = b.order[:n], desc
			return
		}
	}
}

// keyRest reports whether the terms from n on are those parts of the primary
// key, in order, that the terms before are not, and in which direction.
func (b *boundQuery) keyRest(n int) (desc, ok bool) {
	first := true
	for i := range b.table.Key.Parts {
		if slices.ContainsFunc(b.order[:n], func(t term) bool { return t.on.keyPart == i }) {
			continue
		}
		if n >= len(b.order) || b.order[n].on.keyPart != i {
			return false, false
		}
		d := b.order[n].desc != b.table.Key.Parts[i].Key.Desc
		if !first && d != desc {
			return false, false
		}
		desc, first = d, false
		n++
	}
	return desc, !first && n == len(b.order)
}

// keyOperand returns the operand of one part of the primary key.
func keyOperand(table *schema.Table, i int) *operand {
	p := &table.Key.Parts[i]
	return &operand{table: table, name: p.Name, column: p.Column, path: p.Path, keyPart: i, key: p.Key.Base()}
}

// node returns the predicate e. After a fault what it returns does not matter.
func (b *binder) node(e Expr) *node {
	b.exprs++
	b.depth++
	defer func() { b.depth-- }()
	if b.exprs > maxExprs || b.depth > maxDepth {
		if b.exprs <= maxExprs+1 {
			b.fail(Operand{}, fmt.Errorf("%w: at most %d predicates, %d deep", ErrTooComplex, maxExprs, maxDepth))
		}
		b.exprs = maxExprs + 1
		return never
	}
	switch e := e.(type) {
	case And:
		return allOf(b.nodes(e))
	case Or:
		return anyOf(b.nodes(e))
	case Not:
		return b.node(e.Expr).negate()
	case Func:
		if e.Match == nil {
			b.fail(Operand{}, errors.New("the function is nil"))
			return never
		}
		return &node{kind: nodeFunc, fn: &e}
	case nil:
		b.fail(Operand{}, errors.New("there is no predicate where one is expected"))
		return never
	}
	return b.leaf(e)
}

func (b *binder) nodes(list []Expr) []*node {
	out := make([]*node, len(list))
	for i, e := range list {
		out[i] = b.node(e)
	}
	return out
}

func (b *binder) leaf(e Expr) *node {
	switch e := e.(type) {
	case Cmp:
		return b.cmp(e)
	case In:
		return b.in(e)
	case Between:
		return b.between(e)
	case IsNil:
		return b.isNil(e)
	case Contains:
		return b.contains(e)
	case Prefix:
		return b.prefix(e)
	case EqualFold:
		return b.compare(e.Field, true, anyPoint, e.Value)
	case Substring:
		return b.substring(e.Field, e.Value)
	}
	b.fail(Operand{}, fmt.Errorf("%T is not a predicate of this package", e))
	return never
}

// compare returns the predicate that a field is in the set that fill appends of
// some literals.
func (b *binder) compare(o Operand, fold bool, fill func(dst spans, op *operand, parts [][]byte) spans, lits ...Literal) *node {
	return b.compareOn(b.comparable(o, fold), o, fill, lits)
}

// equate is compare for the equality of fields that need have no order.
func (b *binder) equate(o Operand, fill func(dst spans, op *operand, parts [][]byte) spans, lits ...Literal) *node {
	op, err := b.fields.resolve(b.table, o, o.Fold)
	if err == nil && op.order != nil && op.equal && (!o.Deref || op.key.Ptr) {
		return b.compareOn(b.intern(op), o, fill, lits)
	}
	return b.compare(o, false, fill, lits...)
}

// compareOn is compare for a field that has been found, or else is nil.
func (b *binder) compareOn(op *operand, o Operand, fill func(dst spans, op *operand, parts [][]byte) spans, lits []Literal) *node {
	if op == nil {
		return never
	}
	parts, ok := b.parts(op, o, lits)
	if !ok {
		return never
	}
	outside := op.hasOutside(parts)
	set := fill(emptied(b.mem.set), op, parts)
	b.mem.set = set
	if outside {
		set = op.clampInstants(set)
	}
	if o.Deref && op.key.Ptr {
		set = set.intersect(spans{some})
	}
	return b.setNode(op, set)
}

func (b *binder) cmp(e Cmp) *node {
	if e.Field.Each && e.Op == Ne {
		b.fail(e.Field, fmt.Errorf("!= on elements says little; for none of them: not (%s = %s)", e.Field, e.Value.short()))
		return never
	}
	if int(e.Op) >= len(comparisons) {
		b.fail(e.Field, fmt.Errorf("operator %d is unknown", e.Op))
		return never
	}
	if (e.Op == Eq || e.Op == Ne) && e.Value.isNil() && b.nilHasNoPlace(e.Field) {
		is := b.isNil(IsNil{e.Field})
		if e.Op == Ne {
			is = is.negate()
		}
		return is
	}
	if e.Op == Eq || e.Op == Ne {
		return b.equate(e.Field, comparisons[e.Op], e.Value)
	}
	return b.compare(e.Field, false, comparisons[e.Op], e.Value)
}

// nilHasNoPlace reports whether a field is found, and nil is not a value in the
// order of its values: where they have none, and of bytes, where it is as empty.
func (b *binder) nilHasNoPlace(o Operand) bool {
	op, err := b.fields.resolve(b.table, o, o.Fold)
	return err == nil && (op.order != nil || !o.Each && !o.Deref && !op.key.Ptr && op.stored.Kind == codec.Bytes)
}

// comparisons append the values that compare so with the first of v.
var comparisons = [...]func(dst spans, op *operand, v [][]byte) spans{
	Eq: func(dst spans, _ *operand, v [][]byte) spans { return append(dst, pointOf(v[0])) },
	Ne: func(dst spans, op *operand, v [][]byte) spans { return compared(dst, op, Ne, v[0]) },
	Lt: func(dst spans, op *operand, v [][]byte) spans { return compared(dst, op, Lt, v[0]) },
	Le: func(dst spans, op *operand, v [][]byte) spans { return compared(dst, op, Le, v[0]) },
	Gt: func(dst spans, op *operand, v [][]byte) spans { return compared(dst, op, Gt, v[0]) },
	Ge: func(dst spans, op *operand, v [][]byte) spans { return compared(dst, op, Ge, v[0]) },
}

// compared appends the values that compare so with v.
func compared(dst spans, op *operand, by Op, v []byte) spans {
	if op.whole {
		return append(dst, comparedTuple(op, by, v)...)
	}
	all, x := op.domain(), pointOf(v)
	switch by {
	case Ne:
		return append(dst, spans{x}.complement(all)...)
	case Lt:
		x = span{all.lo, x.lo}
	case Le:
		x = span{all.lo, x.hi}
	case Gt:
		x = span{x.hi, all.hi}
	case Ge:
		x = span{x.lo, all.hi}
	}
	if x.empty() {
		return dst
	}
	return append(dst, x)
}

func (b *binder) in(e In) *node {
	if b.values += len(e.Values); b.values > maxValues {
		b.fail(e.Field, fmt.Errorf("%w: at most %d values in lists", ErrTooComplex, maxValues))
		return never
	}
	return b.equate(e.Field, anyPoint, e.Values...)
}

func anyPoint(dst spans, _ *operand, v [][]byte) spans { return appendPoints(dst, v) }

func (b *binder) between(e Between) *node {
	if e.HalfOpen {
		return b.compare(e.Field, false, halfOpen, e.Lo, e.Hi)
	}
	return b.compare(e.Field, false, closed, e.Lo, e.Hi)
}

func halfOpen(dst spans, op *operand, v [][]byte) spans {
	return append(dst, compared(nil, op, Ge, v[0]).intersect(compared(nil, op, Lt, v[1]))...)
}

func closed(dst spans, op *operand, v [][]byte) spans {
	return append(dst, compared(nil, op, Ge, v[0]).intersect(compared(nil, op, Le, v[1]))...)
}

func (b *binder) isNil(e IsNil) *node {
	op := b.operand(e.Field, false)
	switch {
	case op == nil:
		return never
	case e.Field.Deref || !op.key.Ptr && !canBeNil(op.stored.Kind):
		b.fail(e.Field, fmt.Errorf("%s is never nil", op.noun(e.Field.Deref)))
		return never
	case op.order == nil && op.stored.Kind != codec.Bytes:
		return b.setNode(op, spans{pointOf([]byte{0})})
	}
	return &node{kind: nodeNil, on: op}
}

// canBeNil reports whether values of a kind may be nil, whether or not nil has a
// place in their order: as bytes, nil is empty.
func canBeNil(k codec.Kind) bool {
	switch k {
	case codec.Pointer, codec.Slice, codec.Map, codec.Bytes, codec.Any:
		return true
	}
	return false
}
