package migrate

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/internal/tables"
	"github.com/kivisdb/kivis/schema"
)

// A stock says what stored records hold: it answers what [schema.PlanOptions]
// asks. It keeps the first error.
type stock struct {
	ctx     context.Context
	db      *tables.DB
	err     error
	tallies map[uint32]*tally // of the tables that have been counted
}

// A tally is how many records a table has, and how many of them hold a value in
// each column.
type tally struct {
	records int
	columns []int
	zeros   [][]byte
}

// add counts a record. A damaged one counts as one that holds everything.
func (t *tally) add(tb *schema.Table, rec tables.Record, damage error) {
	for i := len(t.zeros); i < len(tb.Columns); i++ {
		t.zeros, t.columns = append(t.zeros, record.Zero(tb, i)), append(t.columns, 0)
	}
	t.records++
	for i := range t.columns {
		if damage != nil || !bytes.Equal(rec.Body.Column(i), t.zeros[i]) {
			t.columns[i]++
		}
	}
}

// plan is schema.Plan by what is stored.
func (s *stock) plan(c *schema.Catalog, models []*schema.Model, opts schema.PlanOptions) (*schema.Change, error) {
	opts.Holds, opts.Nils = s.holds, s.nils
	change, err := schema.Plan(c, models, opts)
	return change, errors.Join(err, s.err)
}

// holds reports whether a record of the table holds a value in a column,
// neither nil nor zero, or, for a negative column, whether there is a record.
// A damaged record counts as one that does.
func (s *stock) holds(table uint32, column int) (found bool) {
	var zero []byte
	s.each(table, func(tb *schema.Table, rec tables.Record, damage error) bool {
		if column >= 0 && zero == nil {
			zero = record.Zero(tb, column)
		}
		found = column < 0 || damage != nil || !bytes.Equal(rec.Body.Column(column), zero)
		return !found
	})
	return found
}

// count returns how many records of the table hold a value in a column, or, for
// a negative column, how many there are. It reads the table once.
func (s *stock) count(table uint32, column int) int {
	t := s.tallies[table]
	if t == nil {
		t = &tally{}
		s.each(table, func(tb *schema.Table, rec tables.Record, damage error) bool {
			t.add(tb, rec, damage)
			return true
		})
		if s.tallies == nil {
			s.tallies = make(map[uint32]*tally)
		}
		s.tallies[table] = t
	}
	switch {
	case column < 0:
		return t.records
	case column < len(t.columns):
		return t.columns[column]
	}
	return 0
}

// maxKeys bounds how many keys of records a difference lists.
const maxKeys = 20

// nils returns what records of the table hold that is nil where the next layout
// has a value in the place of a pointer.
func (s *stock) nils(table uint32, next *codec.Layout) map[string]schema.Nils {
	found := make(map[string]schema.Nils)
	var finder *record.Nils
	s.each(table, func(tb *schema.Table, rec tables.Record, damage error) bool {
		if finder == nil {
			finder = record.NewNils(tb, next)
		}
		if damage != nil {
			return true // the next reader of it says so
		}
		paths, err := finder.Find(rec.Tuple, rec.Value)
		if err != nil {
			s.err = err
			return false
		}
		for i, path := range paths {
			if slices.Contains(paths[:i], path) {
				continue
			}
			n := found[path]
			if n.Records++; len(n.Keys) < maxKeys {
				n.Keys = append(n.Keys, record.RefTo(tb, rec.Tuple).String())
			}
			found[path] = n
		}
		return true
	})
	return found
}

// each calls fn with each record of a table as it is stored now, until fn
// returns false. A damaged record comes with its error.
func (s *stock) each(table uint32, fn func(tb *schema.Table, rec tables.Record, damage error) bool) {
	if s.err != nil {
		return
	}
	t, err := s.db.Begin(s.ctx, false)
	if err != nil {
		s.err = err
		return
	}
	defer t.Release()
	tb := t.Schema().ByID(table)
	if tb == nil {
		return // unreachable: the catalog is that of the schema
	}
	n := 0
	for rec, err := range t.Records(tb, nil) {
		if rec.Tuple == nil && err != nil {
			s.err = err
			return
		}
		if !fn(tb, rec, err) {
			return
		}
		if n++; n%chunkSize == 0 && s.ctx.Err() != nil {
			s.err = s.ctx.Err()
			return
		}
	}
}
