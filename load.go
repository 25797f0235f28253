package kivis

import (
	"context"
)

// Load reads the records of t that others refer to, in one batch, not one by
// one: key returns the reference of each, as a field's Get does. References to
// nothing are not in the map. The way back, from a record to those that refer
// to it, is a query.
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
