package cli

import (
	"context"
	"fmt"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/codec"
)

type checkCmd struct {
	DB     string `arg:"" name:"database" help:"The database."`
	Repair bool   `help:"Mend indexes, which can be computed again."`
	output
}

// Help says what the exit code means.
func (*checkCmd) Help() string {
	return `Has the store verify its files, reads every record, holds each index against its records, and looks for what each reference refers to. ` +
		`Prints what is wrong, also where it was mended. The exit code is 1 if anything is.`
}

var faultShape = shapeOf(codec.Field{Name: "table", Type: textType}, codec.Field{Name: "index", Type: nullText}, codec.Field{Name: "kind", Type: textType},
	codec.Field{Name: "key", Type: nullText}, codec.Field{Name: "error", Type: nullText}, codec.Field{Name: "fixed", Type: codec.Type{Kind: codec.Bool}})

// Run checks the database and prints its faults.
func (cmd *checkCmd) Run(c *call) error {
	return c.on(cmd.DB, cmd.Repair, func(db *kivis.DB) error {
		bar := c.progress("checking")
		report, err := db.Check(c.ctx, &kivis.CheckOptions{Repair: cmd.Repair, Progress: func(records, entries int) {
			bar.set(int64(records+entries), 0)
		}})
		bar.end()
		if err != nil {
			return err
		}
		all := make([][]any, len(report.Faults))
		for i, f := range report.Faults {
			all[i] = []any{f.Table, optional(f.Index), f.Kind, optionalOf(f.Key), optionalOf(f.Err), f.Fixed}
		}
		if len(all) > 0 {
			if err := cmd.print(c, faultShape, all); err != nil {
				return err
			}
		}
		c.note("%s and %s read, %s found", count(report.Records, "record", "records"), count(report.Entries, "entry", "entries"), count(len(all), "fault", "faults"))
		if !report.Clean() {
			return failure{}
		}
		return nil
	})
}

// optional returns a text, or nil where there is none.
func optional(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// optionalOf returns v as text, or nil where it is nil.
func optionalOf(v any) any {
	if v == nil {
		return nil
	}
	return fmt.Sprint(v)
}

// count returns a number before its noun.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return thousands(int64(n)) + " " + many
}

// note says something beside the data, on standard error.
func (c *call) note(format string, args ...any) {
	fmt.Fprintf(c.err, format+"\n", args...)
}

type compactCmd struct {
	DB string `arg:"" name:"database" help:"The database."`
	output
}

var compactShape = shapeOf(codec.Field{Name: "before", Type: numberType}, codec.Field{Name: "after", Type: numberType})

// Run has the store give back the space of what is gone, and prints the bytes of
// its files before and after.
func (cmd *compactCmd) Run(c *call) error {
	return c.alone(cmd.DB, func(ctx context.Context) error {
		p, err := c.find(cmd.DB)
		if err != nil {
			return err
		}
		before, after, err := p.Compact(ctx)
		if err != nil {
			return err
		}
		return cmd.print(c, compactShape, [][]any{{before, after}})
	})
}
