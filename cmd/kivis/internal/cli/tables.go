package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/cmd/kivis/internal/rows"
	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/schema"
)

// Types of columns that commands print.
var (
	textType   = codec.Type{Kind: codec.String}
	numberType = codec.Type{Kind: codec.Int, Bits: 64}
	nullNumber = codec.Type{Kind: codec.Pointer, Elem: &numberType}
	nullText   = codec.Type{Kind: codec.Pointer, Elem: &textType}
)

// shapeOf returns the shape of what a command has to tell, with columns of the
// names and types.
func shapeOf(fields ...codec.Field) *rows.Shape {
	s := rows.Of(&codec.Layout{Fields: fields})
	s.Plain = true
	return s
}

type tablesCmd struct {
	DB string `arg:"" name:"database" help:"The database."`
	output
}

var tablesShape = shapeOf(codec.Field{Name: "table", Type: textType}, codec.Field{Name: "records", Type: numberType})

// Run prints the tables and how many records they have, in one snapshot.
func (cmd *tablesCmd) Run(c *call) error {
	return c.on(cmd.DB, false, func(db *kivis.DB) error {
		var list [][]any
		err := db.View(c.ctx, func(ctx context.Context, tx *kivis.Tx) error {
			list = nil
			for _, tb := range db.Tables() {
				n, err := kivis.TableNamed(tx, tb.Name).Count(ctx)
				if err != nil {
					return err
				}
				list = append(list, []any{tb.Name, n})
			}
			return nil
		})
		if err != nil {
			return err
		}
		return cmd.print(c, tablesShape, list)
	})
}

type schemaCmd struct {
	DB    string `arg:"" name:"database" help:"The database."`
	Table string `arg:"" optional:"" help:"A table; without it all of them."`
	Dot   bool   `help:"Draw the tables and references, for Graphviz: kivis schema DB --dot | dot -Tsvg."`
	output
}

var schemaShape = shapeOf(codec.Field{Name: "table", Type: textType}, codec.Field{Name: "part", Type: textType},
	codec.Field{Name: "name", Type: textType}, codec.Field{Name: "is", Type: textType})

// Run prints what the catalog says of the tables: a row for each field, key,
// index and reference.
func (cmd *schemaCmd) Run(c *call) error {
	return c.on(cmd.DB, false, func(db *kivis.DB) error {
		list := db.Tables()
		if cmd.Table != "" {
			t, err := c.table(db, cmd.Table)
			if err != nil {
				return err
			}
			tb, err := t.Schema(c.ctx)
			if err != nil {
				return err
			}
			list = []*schema.Table{tb}
		}
		if cmd.Dot {
			_, err := c.out.WriteString(dot(list))
			return err
		}
		var all [][]any
		for _, tb := range list {
			all = append(all, describe(tb)...)
		}
		return cmd.print(c, schemaShape, all)
	})
}

// describe returns the parts of a table, each as a row.
func describe(tb *schema.Table) (all [][]any) {
	add := func(part, name, is string) { all = append(all, []any{tb.Name, part, name, is}) }
	for _, col := range tb.Columns {
		add("field", col.Name, rows.TypeText(&col.Type, tb.Layout))
	}
	add("key", partsText(tb.Key.Parts), keyText(&tb.Key))
	for _, x := range tb.Indexes {
		add("index", x.Name, indexText(x))
	}
	for _, r := range tb.Refs {
		add("reference", r.Name, refText(r))
	}
	for _, r := range tb.Incoming {
		add("referred to by", r.Table.Name+"."+r.Name, "on delete "+r.OnDelete.String())
	}
	return all
}

// keyText says how records get their keys.
func keyText(k *schema.Key) string {
	switch k.Kind {
	case schema.KeyAuto:
		return "drawn from a sequence"
	case schema.KeyUUID:
		return "a UUID of version 7 where it is zero"
	case schema.KeyContent:
		return "SHA-256 of the other fields"
	case schema.KeyCustom:
		return "computed by the program: " + k.Tuple.String()
	}
	return "set by the program"
}

func indexText(x *schema.Index) string {
	s := partsText(x.Parts)
	if x.Unique {
		s = "unique " + s
	}
	if x.State != schema.Ready {
		s += ", " + x.State.String()
	}
	if x.Ref {
		s += ", for a reference"
	}
	return s
}

func refText(r *schema.Ref) string {
	s := "to " + r.Target.Name + ", on delete " + r.OnDelete.String()
	if r.Optional {
		s += ", optional"
	}
	if r.Deferred {
		s += ", deferred"
	}
	return s
}

// partsText returns the parts of a key or an index as tags write them.
func partsText(parts []schema.Part) string {
	texts := make([]string, len(parts))
	for i, p := range parts {
		s := p.Name
		if p.Key.Desc {
			s = "-" + s
		}
		if p.Each {
			s += ":each"
		}
		if p.Key.Fold {
			s += ":fold"
		}
		if p.NilEqual {
			s += ":nilequal"
		}
		texts[i] = s
	}
	return fmt.Sprintf("(%s)", strings.Join(texts, ", "))
}
