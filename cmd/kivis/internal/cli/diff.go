package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/cmd/kivis/internal/rows"
	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/schema"
)

type diffCmd struct {
	DB    string `arg:"" name:"database" help:"The database."`
	Other string `arg:"" help:"Another, of any kind of store."`
	Table string `placeholder:"TABLE" help:"Only this table."`
	output
}

// Help says what the exit code means.
func (*diffCmd) Help() string {
	return `Prints how the tables of the other database differ, and which of its records: added, removed or changed, then with the fields that differ, ` +
		`before and after. The exit code is 1 if anything differs.`
}

var diffShape = &rows.Shape{Layout: &codec.Layout{}, Plain: true, Columns: []rows.Column{
	{Name: "table", Type: &textType}, {Name: "what", Type: &textType}, {Name: "key", Type: &nullText},
	{Name: "before", Type: &nullText, Raw: true}, {Name: "after", Type: &nullText, Raw: true},
}}

// Run prints how the databases differ.
func (cmd *diffCmd) Run(c *call) error {
	return c.on(cmd.DB, false, func(before *kivis.DB) error {
		return c.on(cmd.Other, false, func(after *kivis.DB) error {
			w, err := cmd.writer(c, diffShape)
			if err != nil {
				return err
			}
			d := &difference{c: c, w: w}
			if err := d.databases(before, after, cmd.Table); err != nil {
				return err
			}
			if d.n == 0 {
				c.note("the databases do not differ")
				return nil
			}
			if err := w.Close(); err != nil {
				return err
			}
			c.note("%s", count(d.n, "difference", "differences"))
			return failure{}
		})
	})
}

// difference finds how two databases differ and writes it down.
type difference struct {
	c *call
	w rows.Writer
	n int
}

// databases compares one snapshot of each.
func (d *difference) databases(before, after *kivis.DB, only string) error {
	return before.View(d.c.ctx, func(_ context.Context, a *kivis.Tx) error {
		return after.View(d.c.ctx, func(_ context.Context, b *kivis.Tx) error {
			names := tableNames(before, after)
			if only != "" {
				if !slices.Contains(names, only) {
					_, err := d.c.table(before, only)
					return err
				}
				names = []string{only}
			}
			for _, name := range names {
				if err := d.table(kivis.TableNamed(a, name), kivis.TableNamed(b, name), tableOf(before, name), tableOf(after, name)); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// tableNames returns the names of the tables that one or both databases have.
func tableNames(dbs ...*kivis.DB) (names []string) {
	for _, db := range dbs {
		for _, tb := range db.Tables() {
			names = append(names, tb.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// tableOf returns the table with the name, or nil.
func tableOf(db *kivis.DB, name string) *schema.Table {
	for _, tb := range db.Tables() {
		if tb.Name == name {
			return tb
		}
	}
	return nil
}

// table compares a table, and its records where their keys can be compared.
func (d *difference) table(a, b kivis.NamedTable, before, after *schema.Table) error {
	switch {
	case after == nil:
		return d.found(a.Name(), "table removed", nil, nil, nil)
	case before == nil:
		return d.found(a.Name(), "table added", nil, nil, nil)
	}
	if err := d.schema(before, after); err != nil {
		return err
	}
	if before.KeyForm() != after.KeyForm() {
		d.c.note("the records of %s are not compared: their keys are of different types", before.Name)
		return nil
	}
	return d.records(a, b)
}

// schema compares what the catalogs say of a table.
func (d *difference) schema(before, after *schema.Table) error {
	was, is := descriptions(before), descriptions(after)
	for _, part := range was.names {
		if was.text[part] != is.text[part] {
			if err := d.found(before.Name, "schema: "+part, nil, jsonOf(was.text[part]), jsonOf(is.text[part])); err != nil {
				return err
			}
		}
	}
	for _, part := range is.names {
		if was.text[part] == "" {
			if err := d.found(before.Name, "schema: "+part, nil, nil, jsonOf(is.text[part])); err != nil {
				return err
			}
		}
	}
	return nil
}

// parts are the parts of a table by name, and what each is.
type parts struct {
	names []string
	text  map[string]string
}

func descriptions(tb *schema.Table) parts {
	p := parts{text: make(map[string]string)}
	for _, row := range describe(tb) {
		name := fmt.Sprint(row[1], " ", row[2])
		p.names = append(p.names, name)
		p.text[name] = row[3].(string)
	}
	return p
}

// jsonOf returns a text as JSON, or nil where there is none.
func jsonOf(s string) any {
	if s == "" {
		return nil
	}
	b, err := json.Marshal(s)
	if err != nil {
		return nil // unreachable: every string has a form
	}
	return string(b)
}

// found writes one difference.
func (d *difference) found(table, what string, key, before, after any) error {
	d.n++
	row, err := diffShape.Values(table, what, key, before, after)
	if err != nil {
		return err
	}
	return d.w.Row(row)
}
