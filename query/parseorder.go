package query

import (
	"errors"
	"strings"
)

// ParseOrder reads an order from text: fields as [Parse] names them, separated
// by commas. A minus before a field, or desc behind it, has it descend; asc may
// stand behind one that does not:
//
//	-Departs, ID
//	Departs desc, fold(Name) asc, key()
//
// An error is an [*Error] with the position.
func ParseOrder(text string) ([]Order, error) {
	p := &parser{clause: "order by", src: text}
	p.next()
	var out []Order
	for {
		out = append(out, p.term())
		if p.err != nil || !p.accept(",") {
			break
		}
	}
	if p.err == nil && p.tok.kind != tokenEnd {
		p.failf("a comma, asc, desc or the end is expected, not %s", p.tok.show())
	}
	if p.err != nil {
		return nil, p.err
	}
	return out, nil
}

// term reads one term of an order.
func (p *parser) term() Order {
	minus := p.tok
	o := Order{Desc: p.tok.kind == tokenBare && p.tok.text[0] == '-'}
	if o.Desc {
		p.tok.end = p.tok.pos + 1 // what follows may be part of the token
		p.next()
	}
	o.Field = p.field()
	if p.err != nil || p.tok.kind != tokenName || strings.HasPrefix(p.src[p.tok.pos:], "`") {
		return o
	}
	switch word := strings.ToLower(p.tok.text); {
	case word != "asc" && word != "desc":
		return o
	case o.Desc:
		p.failAt(minus.pos, errors.New("it has a direction twice: write the minus, or "+word))
	default:
		o.Desc = word == "desc"
		p.next()
	}
	return o
}

// String returns the term as [ParseOrder] reads it.
func (o Order) String() string {
	if o.Desc {
		return "-" + o.Field.String()
	}
	return o.Field.String()
}
