package cli

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/kivisdb/kivis"
)

// records compares the records of a table, in the order of their keys.
func (d *difference) records(a, b kivis.NamedTable) error {
	before, after := pulled(d.c.ctx, a), pulled(d.c.ctx, b)
	defer before.stop()
	defer after.stop()
	for {
		if before.err != nil {
			return before.err
		}
		if after.err != nil {
			return after.err
		}
		var err error
		switch order := before.compare(after); {
		case !before.ok && !after.ok:
			return nil
		case order < 0:
			err = d.record("removed", before.rec, kivis.Record{})
			before.move()
		case order > 0:
			err = d.record("added", kivis.Record{}, after.rec)
			after.move()
		default:
			err = d.record("changed", before.rec, after.rec)
			before.move()
			after.move()
		}
		if err != nil {
			return err
		}
	}
}

// cursor is a place among the records of a table.
type cursor struct {
	next func() (kivis.Record, error, bool)
	stop func()
	rec  kivis.Record
	err  error
	ok   bool // there is a record
}

// pulled returns a cursor at the first record of a table.
func pulled(ctx context.Context, t kivis.NamedTable) *cursor {
	var x cursor
	x.next, x.stop = iter.Pull2(t.All(ctx))
	x.move()
	return &x
}

func (x *cursor) move() { x.rec, x.err, x.ok = x.next() }

// compare compares the keys of two cursors' records; no record comes last.
func (x *cursor) compare(y *cursor) int {
	switch {
	case !x.ok:
		return 1
	case !y.ok:
		return -1
	}
	return x.rec.Key().Compare(y.rec.Key())
}

// record writes how a record differs, if it does.
func (d *difference) record(what string, before, after kivis.Record) error {
	rec := before
	if before.Table() == nil {
		rec = after
	}
	if before.Table() != nil && after.Table() != nil && before.Table().Layout.Equal(after.Table().Layout) && bytes.Equal(before.Raw(), after.Raw()) {
		return nil
	}
	was, err := columnsOf(before)
	if err != nil {
		return err
	}
	is, err := columnsOf(after)
	if err != nil {
		return err
	}
	old, now := differing(was, is), differing(is, was)
	if what == "changed" && old == nil && now == nil {
		return nil
	}
	return d.found(rec.Table().Name, what, rec.Key().String(), old, now)
}

// column is a column of a record: its name and its value as JSON.
type column struct{ name, value string }

// columnsOf returns the columns of a record.
func columnsOf(rec kivis.Record) (all []column, err error) {
	if rec.Table() == nil {
		return nil, nil
	}
	f, err := fieldsOf(rec.Table(), nil)
	if err != nil {
		return nil, err
	}
	values, err := f.values(rec)
	if err != nil {
		return nil, err
	}
	for i, col := range f.shape.Columns {
		text, err := f.shape.Layout.AppendJSON(nil, col.Type, values[i])
		if err != nil {
			return nil, err
		}
		all = append(all, column{col.Name, string(text)})
	}
	return all, nil
}

// differing returns the columns of a that are not so in b as an object of JSON,
// or nil where there are none.
func differing(a, b []column) any {
	var found []string
	for _, col := range a {
		if !slices.Contains(b, col) {
			found = append(found, fmt.Sprintf("%q:%s", col.name, col.value))
		}
	}
	if found == nil {
		return nil
	}
	return "{" + strings.Join(found, ",") + "}"
}
