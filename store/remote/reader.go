package remote

import (
	"context"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/occ"
)

var (
	_ occ.Reader        = (*reader)(nil)
	_ occ.ContextReader = (*reader)(nil)
	_ occ.WriterReader  = (*reader)(nil)
)

// keysAtOnce is how many keys one request reads.
const keysAtOnce = 1000

// reader reads one version.
type reader struct {
	s       *Store
	from    Reads
	version uint64
	ctx     context.Context
}

// SetContext implements [occ.ContextReader].
func (r *reader) SetContext(ctx context.Context) { r.ctx = ctx }

// SetWriter implements [occ.WriterReader].
func (r *reader) SetWriter() { r.from = r.s.backend }

// Get implements [occ.Reader].
func (r *reader) Get(key []byte) ([]byte, error) {
	values, err := r.read([][]byte{key})
	if err != nil {
		return nil, err
	}
	if values[0] == nil {
		return nil, store.ErrNotFound
	}
	return values[0], nil
}

// GetMany implements [occ.Reader].
func (r *reader) GetMany(keys, values [][]byte) error {
	for len(keys) > 0 {
		n := min(len(keys), keysAtOnce)
		found, err := r.read(keys[:n])
		if err != nil {
			return err
		}
		copy(values, found)
		keys, values = keys[n:], values[n:]
	}
	return nil
}

// read makes one request.
func (r *reader) read(keys [][]byte) (values [][]byte, err error) {
	err = r.s.try(r.ctx, func(ctx context.Context) (err error) {
		values, err = r.from.Read(ctx, r.version, keys)
		return err
	})
	return values, err
}

// Scan implements [occ.Reader].
func (r *reader) Scan(rg store.Range) (store.Cursor, error) {
	return &cursor{r: r, rest: rg, more: true, limit: firstPage, pos: -1}, nil
}

// Close implements [occ.Reader].
func (r *reader) Close() {}
