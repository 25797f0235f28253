package tables

import (
	"errors"
	"iter"

	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// A Record is one stored record. Its bytes are good until the loop goes on.
type Record struct {
	Tuple []byte
	Value []byte // as it is stored
	Body  record.Body
}

// recordsOf returns all records of a table in key order, from the first key behind the
// tuple after on. See [Tx.Records].
func recordsOf(kv store.Tx, tb *schema.Table, after []byte) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		prefix := tb.Prefix(0)
		r := record.PrefixRange(prefix)
		if after != nil {
			r.Lo = append(append(append([]byte(nil), prefix...), after...), 0)
		}
		c, err := kv.Scan(r)
		if err != nil {
			yield(Record{}, err)
			return
		}
		defer c.Close()
		var rec Record
		var buf []byte
		for c.Next() {
			rec.Tuple = c.Key()[len(prefix):]
			rec.Value = c.Value()
			rec.Body, buf, err = record.Open(tb, rec.Tuple, rec.Value, buf, rec.Body.Offs)
			if !yield(rec, err) || err != nil && !isDamage(err) {
				return
			}
		}
		if err := c.Err(); err != nil {
			yield(Record{}, err)
		}
	}
}

// isDamage reports whether err is about the bytes of one record.
func isDamage(err error) bool {
	var e *record.CorruptError
	return errors.As(err, &e)
}
