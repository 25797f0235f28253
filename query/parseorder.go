package query

import "strings"

// ParseOrder reads an order from text: terms with commas between, the first of
// which counts most.
//
//	-Departs, ID
//	Departs desc, ID asc
//
// A minus before a field, or desc behind it, is descending. Fields are those of
// [Parse], without fold and any, which have no order of their own. An empty text
// is no order. An error is an [*Error] with the position.
func ParseOrder(text string) ([]Order, error) {
	p := &parser{src: text}
	p.next()
	var order []Order
	for p.err == nil && (p.tok.kind != tokenEnd || len(order) > 0) {
		order = append(order, p.orderTerm())
		if !p.accept(",") {
			break
		}
	}
	if p.err == nil && p.tok.kind != tokenEnd {
		p.failf("a comma, asc, desc or the end is expected, not %s", p.tok.show())
	}
	if p.err != nil {
		p.err.(*Error).Clause = "order by"
		return nil, p.err
	}
	return order, nil
}

// orderTerm reads one term.
func (p *parser) orderTerm() Order {
	minus := p.tok.kind == tokenBare && p.src[p.tok.pos] == '-'
	if minus {
		p.tok = lex(p.src, p.tok.pos+1, false)
	}
	pos := p.tok
	f := p.field()
	if f.fold && p.err == nil {
		p.tok = pos
		p.failf("an order with case set aside is not there; order by the field itself")
	}
	o := Order{Field: f.Operand, Desc: minus}
	desc := p.acceptName("desc")
	asc := !desc && p.acceptName("asc")
	if minus && (desc || asc) && p.err == nil {
		p.tok = pos
		p.failf("a term has a minus or a word behind it, not both")
	}
	o.Desc = o.Desc || desc
	return o
}

// acceptName goes past a name, in any case, if it is next.
func (p *parser) acceptName(word string) bool {
	if p.tok.kind != tokenName || !strings.EqualFold(p.tok.text, word) || p.src[p.tok.pos] == '`' {
		return false
	}
	p.next()
	return true
}
