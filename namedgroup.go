package kivis

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/kivisdb/kivis/query"
)

// Group is how many records have one value of a field.
type Group struct {
	Value any    // as [Record.Get] has it
	Text  string // the value as [NamedQuery.Where] reads it
	Count int
}

// GroupCount returns how many of the records that the query finds have each
// value of a field, in the order of the values: nil, where a pointer can be that,
// is one of them. The field is named as in Where: any(Tags) counts elements. An
// index on the field is read alone; see the function GroupCount.
func (q NamedQuery) GroupCount(ctx context.Context, field string) ([]Group, error) {
	a := q.call("group count")
	op, err := parseField(field)
	if err != nil {
		a.err = errors.Join(a.err, err)
	}
	counts, typ, err := countParts(ctx, a, op)
	if err != nil {
		return nil, err
	}
	groups := make([]Group, 0, len(counts))
	for _, part := range slices.Sorted(maps.Keys(counts)) {
		v, _, err := typ.Value([]byte(part))
		if err != nil {
			return nil, a.named(err)
		}
		text := query.Literal{Type: &typ, Exact: []byte(part)}.String()
		groups = append(groups, Group{v, text, *counts[part]})
	}
	return groups, nil
}

// parseField returns the field that text names.
func parseField(text string) (query.Operand, error) {
	terms, err := query.ParseOrder(text)
	if err == nil && (len(terms) != 1 || terms[0].Desc) {
		err = &QueryError{Clause: "field", Err: errors.New("one field is wanted, such as Origin or any(Tags)")}
	}
	if err != nil {
		return query.Operand{}, err
	}
	return terms[0].Field, nil
}
