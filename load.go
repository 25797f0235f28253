package kivis

import (
	"context"
	"errors"
	"reflect"

	"github.com/kivisdb/kivis/query"
)

// Load reads the records of t that others refer to, in one batch, not one by
// one: key returns the reference of each, as a field's Get does. References to
// nothing are not in the map. [LoadMany] is the way back.
func Load[T, R any, K comparable](ctx context.Context, t Table[T, K], records []R, key func(*R) K) (map[K]T, error) {
	if key == nil {
		return nil, failed("load", refOf[T](), errNoFunc)
	}
	keys := make([]K, len(records))
	for i := range records {
		keys[i] = key(&records[i])
	}
	return t.GetMany(ctx, uniqueOf(keys)...)
}

// LoadMany returns the records that the query finds, read in one pass, by the
// value of a field: where that is a reference, from each record those that refer to
// it. In a group they come in the query's order.
//
//	perCustomer, err := kivis.LoadMany(ctx, orders.Where(customer.In(ids...)), customer)
//
// Of an [Each] field a record is in the group of each of its elements; of a [Deref]
// or [Valid] field those without a value are left out, before a Limit. A pointer
// field is a [QueryError].
func LoadMany[R any, K, V comparable](ctx context.Context, q Query[R, K], f Field[R, V]) (map[V][]R, error) {
	switch {
	case q.err != nil: // the first mistake
	case f.get == nil:
		q.err = &QueryError{Clause: "load many", Err: f.fault()}
	case reflect.TypeFor[V]().Kind() == reflect.Pointer:
		q.err = &QueryError{Clause: "load many", Err: errors.New("a pointer is compared by its address: use Deref")}
	case f.operand.Deref && !f.operand.Each:
		whole := f.operand
		whole.Deref = false
		q = q.Where(Not(Pred[R]{query.IsNil{Field: whole}}))
	}
	groups := map[V][]R{}
	for rec, err := range q.All(ctx) {
		if err != nil {
			return nil, err
		}
		if f.elems == nil {
			groups[f.get(&rec)] = append(groups[f.get(&rec)], rec)
			continue
		}
		for _, v := range uniqueOf(f.elems(&rec)) {
			groups[v] = append(groups[v], rec)
		}
	}
	return groups, nil
}

// fault returns what is wrong with a field that cannot be read.
func (f Field[R, V]) fault() error {
	if f.operand.Field != nil && f.operand.Err != nil {
		return f.operand.Err
	}
	return errors.New("a zero Field is no field: make one with FieldOf")
}
