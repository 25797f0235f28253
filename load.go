package kivis

import (
	"context"
	"errors"
	"reflect"

	"github.com/kivisdb/kivis/query"
	"github.com/kivisdb/kivis/schema"
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

// batch is a set of keys to read at once, without their types.
type batch struct {
	n   int
	key func(i int) keySlot
	got func(i int, tb *schema.Table, tuple, value []byte) error // called where there is one
}

// batchSize is how many records one call of the store's GetMany reads.
const batchSize = 256

// getMany reads a batch from one snapshot.
func getMany(ctx context.Context, conn Conn, ref tableRef, b batch) error {
	s, err := open(ctx, conn, "get", ref, untilClose)
	if err != nil {
		return err
	}
	defer s.abandoned()
	found := 0
	for from := 0; from < b.n && err == nil; from += batchSize {
		if err = ctx.Err(); err == nil {
			err = b.read(&s, from, min(from+batchSize, b.n), &found)
		}
	}
	return s.close(nil, Outcome{Rows: found, Entries: b.n}, err)
}

// read reads the keys from..to.
func (b *batch) read(s *session, from, to int, found *int) error {
	prefix := s.table.Prefix(0)
	keys := make([][]byte, to-from)
	values := make([][]byte, to-from)
	for i := range keys {
		key, err := b.key(from+i).encode(append([]byte(nil), prefix...), s.table)
		if err != nil {
			return err
		}
		keys[i] = key
	}
	if err := s.t.GetMany(keys, values); err != nil {
		return err
	}
	for i, value := range values {
		if value == nil {
			continue
		}
		if err := b.got(from+i, s.table, keys[i][len(prefix):], value); err != nil {
			return err
		}
		*found++
	}
	return nil
}
