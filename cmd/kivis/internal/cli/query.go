package cli

import (
	"fmt"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/cmd/kivis/internal/rows"
)

// question is a query as flags and arguments say it.
type question struct {
	DB     string   `arg:"" name:"database" help:"The database."`
	Table  string   `arg:"" help:"The table."`
	Where  string   `arg:"" optional:"" help:"A predicate, such as \"Origin = 'ORD' and Delay >= 60\"; without it all records are meant."`
	Order  string   `placeholder:"TERMS" help:"The order, such as 'Departs desc, ID' or '-Departs'."`
	Limit  *uint32  `placeholder:"N" help:"End after so many records."`
	Offset uint32   `placeholder:"N" help:"Leave out so many records at the beginning."`
	Fields []string `placeholder:"NAMES" help:"Only these fields, in this order, with commas between; nested ones as Address.City."`
	Using  string   `placeholder:"INDEX" help:"Read by this index."`
}

// of returns the query, and the fields that it is to print.
func (a *question) of(c *call, conn kivis.Conn) (kivis.NamedQuery, *fields, error) {
	t, err := c.table(conn, a.Table)
	if err != nil {
		return kivis.NamedQuery{}, nil, err
	}
	tb, err := t.Schema(c.ctx)
	if err != nil {
		return kivis.NamedQuery{}, nil, err
	}
	q := t.Query().Offset(int(a.Offset)).Using(a.Using)
	if a.Where != "" {
		c.texts = append(c.texts, asked{"where", a.Where})
		q = q.Where(a.Where)
	}
	if a.Order != "" {
		c.texts = append(c.texts, asked{"order by", a.Order})
		q = q.OrderBy(a.Order)
	}
	if a.Limit != nil {
		q = q.Limit(int(*a.Limit))
	}
	f, err := fieldsOf(tb, a.Fields)
	return q, f, err
}

type queryCmd struct {
	question
	Count   bool `xor:"what" help:"Print how many records there are, and no records."`
	Explain bool `xor:"what" help:"Print how the records would be read."`
	Analyze bool `xor:"what" help:"Read them, and print how."`
	output
}

// Run prints the records that the predicate finds, as they are read.
func (cmd *queryCmd) Run(c *call) error {
	return c.on(cmd.DB, false, func(db *kivis.DB) error {
		q, f, err := cmd.of(c, db)
		switch {
		case err != nil:
			return err
		case cmd.Count:
			n, err := q.Count(c.ctx)
			if err == nil {
				fmt.Fprintln(c.out, n)
			}
			return err
		case cmd.Explain:
			return c.plan(q.Explain())
		case cmd.Analyze:
			return c.plan(q.Analyze(c.ctx))
		}
		w, err := cmd.writer(c, f.shape)
		if err != nil {
			return err
		}
		return c.records(q, f, w)
	})
}

// plan prints a plan.
func (c *call) plan(p fmt.Stringer, err error) error {
	if err == nil {
		fmt.Fprintln(c.out, p)
	}
	return err
}

// records writes the fields of the records that a query finds.
func (c *call) records(q kivis.NamedQuery, f *fields, w rows.Writer) error {
	for rec, err := range q.All(c.ctx) {
		if err != nil {
			return err
		}
		if err := f.write(w, rec); err != nil {
			return err
		}
	}
	return w.Close()
}
