package cli

import (
	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/cmd/kivis/internal/rows"
	"github.com/kivisdb/kivis/codec"
)

type getCmd struct {
	DB    string `arg:"" name:"database" help:"The database."`
	Table string `arg:"" help:"The table."`
	Key   string `arg:"" help:"The primary key: 8 or ORD; of several parts 8,A or JSON, such as [8,\"A\"]."`
	output
}

// Run prints the record with the key. In a box its fields stand one under the
// other.
func (cmd *getCmd) Run(c *call) error {
	return c.on(cmd.DB, false, func(db *kivis.DB) error {
		t, err := c.table(db, cmd.Table)
		if err != nil {
			return err
		}
		key, err := t.Key(cmd.Key)
		if err != nil {
			return err
		}
		rec, err := t.Get(c.ctx, key)
		if err != nil {
			return err
		}
		if cmd.format(c) == rows.Box {
			return c.printFields(rec)
		}
		f, err := fieldsOf(rec.Table(), nil)
		if err != nil {
			return err
		}
		w, err := cmd.writer(c, f.shape)
		if err != nil {
			return err
		}
		if err := f.write(w, rec); err != nil {
			return err
		}
		return w.Close()
	})
}

var fieldsShape = shapeOf(codec.Field{Name: "field", Type: textType}, codec.Field{Name: "type", Type: textType}, codec.Field{Name: "value", Type: nullText})

// printFields draws the fields of a record, one a line.
func (c *call) printFields(rec kivis.Record) error {
	tb := rec.Table()
	w, err := rows.NewWriter(c.out, rows.Box, fieldsShape, rows.Options{Width: c.std.Width})
	if err != nil {
		return err
	}
	f, err := fieldsOf(tb, nil)
	if err != nil {
		return err
	}
	values, err := f.values(rec)
	if err != nil {
		return err
	}
	for i, col := range f.shape.Columns {
		text, err := rows.Text(tb.Layout, col.Type, values[i])
		if err != nil {
			return err
		}
		row, err := fieldsShape.Values(col.Name, rows.TypeText(col.Type, tb.Layout), text)
		if err != nil {
			return err
		}
		if err := w.Row(row); err != nil {
			return err
		}
	}
	return w.Close()
}
