package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/cmd/kivis/internal/place"
	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

type statsCmd struct {
	DB string `arg:"" name:"database" help:"The database."`
	output
}

// Help says what is counted.
func (*statsCmd) Help() string {
	return `Reads the whole database, and prints for the records of each table and for each index how many entries there are and how many ` +
		`bytes their keys and values have. The files may be smaller, since engines compress, or larger, where space is still to be given back.`
}

var statsShape = shapeOf(codec.Field{Name: "table", Type: nullText}, codec.Field{Name: "part", Type: textType},
	codec.Field{Name: "entries", Type: nullNumber}, codec.Field{Name: "bytes", Type: numberType})

// Run prints what takes how much.
func (cmd *statsCmd) Run(c *call) error {
	return c.on(cmd.DB, false, func(db *kivis.DB) error {
		p, err := c.find(cmd.DB)
		if err != nil {
			return err
		}
		all, err := c.sizes(db)
		if err != nil {
			return err
		}
		whole, bytes, err := c.whole(p)
		if err != nil {
			return err
		}
		all = append(all, []any{nil, whole, nil, bytes})
		return cmd.print(c, statsShape, all)
	})
}

// whole returns what the store takes where it is, and what that is called.
func (c *call) whole(p place.Place) (what string, bytes int64, err error) {
	if st, ok := c.store.(store.Sizer); ok && p.Elsewhere() {
		bytes, err = st.Size()
		return "all of " + string(p.Kind), bytes, err
	}
	bytes, err = p.Size()
	return "files of " + string(p.Kind), bytes, err
}

// space is a part of the keys of a database: the records of a table, or an
// index. Table 0 is the catalog.
type space struct{ table, index uint64 }

// size is how much a space has.
type size struct {
	entries int
	bytes   int64
}

// sizes are what all spaces have.
type sizes map[space]size

func (s sizes) add(at space, n size) { s[at] = size{s[at].entries + n.entries, s[at].bytes + n.bytes} }

// sizes returns rows of what each table and index takes.
func (c *call) sizes(db *kivis.DB) ([][]any, error) {
	found, err := c.measure()
	if err != nil {
		return nil, err
	}
	byID := make(map[uint64]*schema.Table)
	for _, tb := range db.Tables() {
		byID[uint64(tb.ID)] = tb
		found.add(space{uint64(tb.ID), 0}, size{})
		for _, x := range tb.Indexes {
			found.add(space{uint64(tb.ID), uint64(x.ID)}, size{})
		}
	}
	var all [][]any
	for at, n := range found {
		table, part := nameOf(at, byID[at.table])
		all = append(all, []any{table, part, n.entries, n.bytes})
	}
	slices.SortFunc(all, func(a, b []any) int {
		return cmp.Or(cmp.Compare(fmt.Sprint(a[0]), fmt.Sprint(b[0])), partOrder(a[1].(string), b[1].(string)))
	})
	return all, nil
}

// partOrder orders the parts of a table: the records, then the rest by name.
func partOrder(a, b string) int {
	switch {
	case a == b:
		return 0
	case a == recordsPart || b != recordsPart && a < b:
		return -1
	}
	return 1
}

// recordsPart is what the records of a table are called among its parts.
const recordsPart = "records"

// nameOf returns what a space is.
func nameOf(at space, tb *schema.Table) (table any, part string) {
	switch {
	case at.table == 0:
		return nil, "catalog"
	case tb == nil:
		return nil, fmt.Sprintf("what is left of table #%d", at.table)
	case at.index == 0:
		return tb.Name, recordsPart
	}
	if x := tb.IndexByID(uint32(at.index)); x != nil {
		return tb.Name, "index " + x.Name
	}
	return tb.Name, fmt.Sprintf("what is left of index #%d", at.index)
}

// measure reads every key of the open store.
func (c *call) measure() (sizes, error) {
	tx, err := c.store.Begin(c.ctx, false)
	if err != nil {
		return nil, err
	}
	defer tx.Discard()
	cur, err := tx.Scan(store.Range{})
	if err != nil {
		return nil, err
	}
	defer cur.Close()
	bar := c.progress("reading")
	defer bar.end()
	found := make(sizes)
	for n := int64(0); cur.Next(); n++ {
		at, err := spaceOf(cur.Key())
		if err != nil {
			return nil, err
		}
		found.add(at, size{1, int64(len(cur.Key()) + len(cur.Value()))})
		bar.set(n, 0)
	}
	return found, errors.Join(cur.Err(), context.Cause(c.ctx))
}

// spaceOf returns the space that a key is in.
func spaceOf(key []byte) (at space, err error) {
	var rest []byte
	if at.table, rest, err = codec.ConsumeUint(key); err != nil || at.table == 0 {
		return at, err
	}
	at.index, _, err = codec.ConsumeUint(rest)
	return at, err
}

// find returns where the database is.
func (c *call) find(text string) (place.Place, error) { return place.Find(text, false) }
