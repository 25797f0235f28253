package cli

import (
	"fmt"
	"io"
	"os"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/cmd/kivis/internal/files"
	"github.com/kivisdb/kivis/cmd/kivis/internal/rows"
	"github.com/kivisdb/kivis/schema"
)

type importCmd struct {
	DB      string      `arg:"" name:"database" help:"The database."`
	Table   string      `arg:"" help:"The table."`
	File    string      `arg:"" help:"CSV with the names of the columns in the first line, JSON Lines, JSON or Parquet; - is standard input."`
	Format  rows.Format `placeholder:"FORMAT" help:"csv, tsv, json, jsonl or parquet, where the file's name does not say so."`
	Upsert  bool        `help:"Replace records whose key is there already. Else they are mistakes."`
	OnError string      `enum:"stop,skip" default:"stop" help:"What to do at a record that cannot be written: stop, or skip it."`
	Rejects string      `placeholder:"FILE" help:"Write the records that were skipped to this file, as JSON Lines with their lines and errors."`
	DryRun  bool        `help:"Write nothing, and say what would be."`
	Restart bool        `help:"Begin at the beginning, also where an earlier import of this file has come some way."`
	Untyped bool        `help:"Write also records that only their program can validate, or compute the key of."`
}

// Help says what happens when it is interrupted.
func (*importCmd) Help() string {
	return `Writes the records of a file, with every rule of the database, a thousand in a transaction. Columns have the names of fields; those that ` +
		`are missing become zero, and a key that is generated is drawn. An import that was stopped, however, is gone on with by the same command: ` +
		`what is in is kept in the database with the records. Where a line was the reason, mend it, and leave what is before it as it is.`
}

// Run imports the file.
func (cmd *importCmd) Run(c *call) error {
	defer frugal()()
	format := cmd.Format
	if format == "" {
		var err error
		if format, err = files.FormatOf(cmd.File); err != nil {
			return usageError{err}
		}
	}
	var f io.Reader = c.in
	if cmd.File != "-" {
		file, err := os.Open(cmd.File)
		if err != nil {
			return err
		}
		defer file.Close()
		f = file
	}
	return c.with(cmd.DB, true, cmd.Untyped, func(db *kivis.DB) error {
		t, err := c.table(db, cmd.Table)
		if err != nil {
			return err
		}
		tb, err := t.Schema(c.ctx)
		if err != nil {
			return err
		}
		r, err := files.NewReader(f, format, tb)
		if err != nil {
			return fmt.Errorf("%s: %w", cmd.File, err)
		}
		if err := cmd.checkColumns(c, r.Columns(), tb); err != nil {
			return err
		}
		m := &importing{c: c, cmd: cmd, db: db, table: t, file: r}
		return m.run()
	})
}

// checkColumns refuses a file without the key, if that is not generated, and
// says which other columns it lacks.
func (cmd *importCmd) checkColumns(c *call, names []string, tb *schema.Table) error {
	if names == nil {
		return nil
	}
	has := make(map[string]bool)
	for _, n := range names {
		has[n] = true
	}
	var missing string
	for i := range tb.Columns {
		name := tb.Columns[i].Name
		switch {
		case has[name], tb.Key.AutoColumn == i, inKey(tb, i) && tb.Key.Kind == schema.KeyContent:
		case inKey(tb, i):
			return fmt.Errorf("%s has no column %q, which is part of the key of %s", cmd.File, name, tb.Name)
		default:
			missing += ", " + name
		}
	}
	if missing != "" {
		c.note("%s has no column for these fields, which become zero: %s", cmd.File, missing[2:])
	}
	return nil
}
