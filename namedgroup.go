package kivis

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/kivisdb/kivis/codec"
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

// countParts returns how many rows of the query have each key part of the field,
// and what type the parts are.
func countParts(ctx context.Context, a queryCall, op query.Operand) (map[string]*int, codec.KeyType, error) {
	if a.q.Limit < 0 && a.q.Offset == 0 && a.after == "" {
		a.q.Order, a.q.ByKey = nil, false // it makes no difference
	}
	var run queryRun
	if err := run.start(ctx, &a, query.Want{Kind: query.Values, Value: op}, untilReturn); err != nil {
		return nil, codec.KeyType{}, err
	}
	defer run.close(nil)
	typ := run.plan.ValueType()
	counts := map[string]*int{}
	for run.rows.Next() {
		part := run.rows.Row().Part
		n := counts[string(part)]
		if n == nil {
			n = new(int)
			counts[string(part)] = n
		}
		*n++
	}
	return counts, typ, run.close(run.rows.Err())
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
